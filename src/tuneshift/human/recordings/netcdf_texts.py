"""Texts of netCDF files: UTF-8 to the last byte, or refused with the variable and the row."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

_LOST = "\ufffd"


class LostText(ValueError):
    """A text that is no UTF-8, or from which letters were lost before; says the variable and the row."""


def with_texts(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose bytes, as libraries give them, are strings; numbers stay as they are.

    Raises LostText for a variable or attribute that is no UTF-8, or holds U+FFFD, the sign of a letter that was lost.
    """
    for name in list(dataset.variables):
        variable = dataset[name]
        _attributes(variable.attrs, f" of `{name}`")
        if variable.dtype.kind in "SOUT":
            held = variable.values
            texts = np.empty(held.shape, dtype=object)
            for place, value in enumerate(held.ravel().tolist()):
                texts.flat[place] = _text(value, f"`{name}` of row {_row(place, held.shape)}")
            if variable.dtype.kind in "SO":
                dataset[name] = variable.copy(data=texts)
    _attributes(dataset.attrs, "")
    return dataset


def refuse_undecodable(source: Path | io.BytesIO, engine: Literal["scipy", "h5netcdf"]) -> None:
    """Raise LostText (as `with_texts`) for the first text of a file that a library cannot decode, and does not name."""
    for name, held in _letters(source, engine).items():
        for row, letters in enumerate(held.reshape(len(held), -1), start=1):
            for value in [letters.tobytes().rstrip(b"\0")] if held.dtype.kind == "S" else letters.tolist():
                _text(value, f"`{name}` of row {row}")


def _letters(source: Path | io.BytesIO, engine: Literal["scipy", "h5netcdf"]) -> dict[str, np.ndarray]:
    """Return the variables of bytes as they stand in the file."""
    if engine == "scipy":
        raw = xr.load_dataset(source, engine=engine, decode_cf=False).variables
        return {str(name): held.values for name, held in raw.items() if held.dtype.kind == "S" and held.size}
    import h5py

    with h5py.File(source, "r") as file:
        found = {name: held for name, held in file.items() if isinstance(held, h5py.Dataset)}
        return {name: held[()] for name, held in found.items() if h5py.check_string_dtype(held.dtype) and held.size}


def _attributes(attributes: dict[Any, Any], where: str) -> None:
    for key, value in attributes.items():
        said = f"attribute `{key}`{where}"
        if isinstance(value, (bytes, str)):
            attributes[key] = _text(value, said)
        elif isinstance(value, list):
            attributes[key] = [_text(part, said) for part in value]


def _text(value: Any, where: str) -> Any:
    """Libraries give bytes as they are, or as a string in which lone surrogates stand for bytes that are no letters."""
    if isinstance(value, str) and not value.isascii():
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        return value
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = value[max(error.start - 20, 0) : error.end + 10]
        raise LostText(f"{where}: {shown!r} is no UTF-8 ({error.reason}); write texts as UTF-8") from error
    if _LOST in text:
        raise LostText(f"{where}: {text!r:.60} holds U+FFFD, the sign of a letter that was lost in another encoding")
    return text


def _row(place: int, shape: tuple[int, ...]) -> int:
    return place // int(np.prod(shape[1:], dtype=int) or 1) + 1 if shape else 1
