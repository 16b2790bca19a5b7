"""Scans in arrays of numbers: numpy's .npy and .npz, and HDF5."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.files.plain_files import LARGEST_RATIO, opened, whole
from tuneshift.human.recordings.hdf5_files import look_over
from tuneshift.human.text.problems import some


def read_numpy(path: Path, name: str | None) -> np.ndarray:
    """Return the array (scans, targets), float64, of a .npy file, or the one called `name` of an .npz file.

    Raises BadInput where the file is damaged, holds objects, or more than its header says.
    """
    try:
        most = path.stat().st_size * LARGEST_RATIO
        with opened(path) as stream:
            _refuse_more_than(most, stream)
            held = np.load(stream, allow_pickle=False)
            if isinstance(held, np.ndarray):
                more = stream.read(1)
                values = held
            else:
                more = b""
                array = _one(path, list(held.files), name)
                with held.zip.open(f"{array}.npy" if f"{array}.npy" in held.zip.namelist() else array) as member:
                    _refuse_more_than(most, member)
                values = np.asarray(held[array])
    except BadInput:
        raise
    except Exception as error:  # numpy, zipfile and zlib each have their own errors, and damaged headers others
        told = " ".join(str(error).split())[:200]
        raise BadInput(f"{path} cannot be read as a numpy file of plain numbers ({told}).") from error
    if more:
        raise BadInput(f"{path} holds more than the {values.shape} numbers that its header says: one is damaged.")
    return _two_dimensions(path, values)


def _refuse_more_than(most: int, stream: IO[bytes]) -> None:
    """Raise ValueError where the header of an array says more bytes than can be there, before they are reserved."""
    header = {b"\x01": np.lib.format.read_array_header_1_0, b"\x02": np.lib.format.read_array_header_2_0}
    begin = stream.read(len(np.lib.format.MAGIC_PREFIX) + 2)
    if begin.startswith(np.lib.format.MAGIC_PREFIX) and begin[-2:-1] in header:
        shape, _, dtype = header[begin[-2:-1]](stream)
        if math.prod(shape) * dtype.itemsize > most:
            raise ValueError(f"its header says {shape} numbers, more than the file can hold")
    stream.seek(0)


def read_hdf5(path: Path, name: str | None) -> np.ndarray:
    """Return the array (scans, targets), float64, called `name` of an HDF5 file, or its only one (errors as above)."""
    import h5py

    try:
        unpacked = whole(path)
        look_over(unpacked)
        with h5py.File(unpacked, "r") as held:
            keys = [key for key in held if isinstance(held[key], h5py.Dataset)]
            values = np.asarray(held[_one(path, keys, name)])
    except BadInput:
        raise
    except Exception as error:  # h5py: OSError, KeyError, RuntimeError, TypeError, by the place of the damage
        raise BadInput(f"{path} cannot be read as HDF5 ({' '.join(str(error).split())[:200]}).") from error
    return _two_dimensions(path, values)


def _two_dimensions(path: Path, values: np.ndarray) -> np.ndarray:
    if values.ndim != 2 or values.dtype.kind not in "fiu" or 0 in values.shape:
        raise BadInput(f"{path}: scans must be numbers (scans, targets), not {values.dtype} {values.shape}.")
    return values.astype(np.float64)


def _one(path: Path, keys: list[str], name: str | None) -> str:
    if name is None and len(keys) == 1:
        return keys[0]
    if name is None or name not in keys:
        wanted = "several arrays" if name is None else f"no array {name!r}"
        raise BadInput(f"{path} holds {wanted}: name one of {some(keys, 8) or 'none'} in the recipe's `array`.")
    return name
