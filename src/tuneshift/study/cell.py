"""One stored cell: a Result as named bytes (Parquet, JSON, safetensors), and back."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from tuneshift.result import COLUMNS, Result

TABLE, TEXTS, ARRAYS = "table.parquet", "result.json", "arrays.safetensors"

_ARROW = {"string": pa.string(), "boolean": pa.bool_(), "Float64": pa.float64(), "Int64": pa.int64()}
SCHEMA = pa.schema([(name, _ARROW[dtype]) for name, dtype in COLUMNS.items()])


def encode_result(result: Result) -> dict[str, bytes]:
    """Return the files of a result: table, arrays (only where there are any), and everything else as JSON.

    Raises TypeError for array values or details that none of the three formats can hold (a programming error).
    """
    tensors, layout = _encode_arrays(result.arrays)
    texts = {"warnings": list(result.warnings), "details": json_ready(result.details), "arrays": layout}
    files = {TABLE: table_bytes(result.table), TEXTS: json_bytes(texts)}
    if tensors:
        files[ARRAYS] = save_tensors(tensors)
    return files


def decode_result(files: Mapping[str, bytes]) -> Result:
    """Return the result that `encode_result` turned into these files."""
    texts = json.loads(files[TEXTS])
    tensors = load_tensors(files[ARRAYS]) if ARRAYS in files else {}
    return Result(
        table=to_pandas(read_table(files[TABLE])),
        arrays={name: _decode_array(layout, tensors) for name, layout in texts["arrays"].items()},
        warnings=tuple(texts["warnings"]),
        details=texts["details"],
    )


def table_bytes(table: pd.DataFrame) -> bytes:
    """Return a long table as Parquet bytes with page checksums."""
    sink = io.BytesIO()
    pq.write_table(to_arrow(table), sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue()


def read_table(source: bytes | Path) -> pa.Table:
    """Return a long table from Parquet bytes or a file, page checksums checked."""
    opened = pa.BufferReader(source) if isinstance(source, bytes) else str(source)
    return pq.ParquetFile(opened, page_checksum_verification=True).read().select(list(COLUMNS))


def to_arrow(table: pd.DataFrame) -> pa.Table:
    """Return a long table as an arrow table with the fixed column types."""
    return pa.Table.from_pandas(table[list(COLUMNS)], schema=SCHEMA, preserve_index=False).replace_schema_metadata()


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return an arrow long table as a data frame with the column types of `tuneshift.result.COLUMNS`."""
    types: dict[pa.DataType, Any] = {arrow: pd.api.types.pandas_dtype(name) for name, arrow in _ARROW.items()}
    return table.to_pandas(types_mapper=types.get)


def json_bytes(value: Any) -> bytes:
    """Return JSON bytes, keys in order, nothing that is not JSON (NaN)."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()


def sha256(content: bytes) -> str:
    """Return the sha256 of bytes in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def json_ready(value: Any) -> Any:
    """Return details as plain JSON values: arrays become lists, paths texts, and what is no number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return json_ready(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [json_ready(item) for item in value]
    if isinstance(value, np.generic):
        return json_ready(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is pd.NA:
        return None
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a result's details cannot hold a {type(value).__name__}: {value!r}")


def _encode_arrays(arrays: Mapping[str, xr.DataArray]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    tensors: dict[str, np.ndarray] = {}
    layout: dict[str, Any] = {}
    for name, array in arrays.items():
        coords: dict[str, Any] = {}
        for coord_name, coord in array.coords.items():
            entry: dict[str, Any] = {"dims": list(coord.dims)}
            if coord.dtype.kind in "biuf":
                entry["tensor"] = f"{name}/{coord_name}"
                tensors[entry["tensor"]] = _contiguous(coord.values)
            elif coord.dtype.kind in "UOT":
                entry["texts"] = [str(text) for text in np.ravel(coord.values)]
            else:
                raise TypeError(f"coordinate {coord_name} of array {name} has type {coord.dtype}: use numbers or texts")
            coords[str(coord_name)] = entry
        if array.dtype.kind not in "biuf":
            raise TypeError(f"array {name} has type {array.dtype}: a result's arrays hold numbers")
        tensors[name] = _contiguous(array.values)
        layout[name] = {"tensor": name, "dims": [str(d) for d in array.dims], "coords": coords}
        layout[name]["attrs"] = json_ready(array.attrs)
    return tensors, layout


def _contiguous(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).reshape(values.shape)  # ascontiguousarray makes a number one-dimensional


def _decode_array(layout: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> xr.DataArray:
    coords = {}
    sizes = dict(zip(layout["dims"], tensors[layout["tensor"]].shape, strict=True))
    for name, entry in layout["coords"].items():
        if "tensor" in entry:
            values = tensors[entry["tensor"]]
        else:
            values = np.array(entry["texts"], dtype=object).reshape([sizes[d] for d in entry["dims"]])
            values = values.astype(str)
        coords[name] = (entry["dims"], values)
    return xr.DataArray(tensors[layout["tensor"]], dims=layout["dims"], coords=coords, attrs=layout["attrs"])
