"""HDF5 files (netCDF-4 is one) looked over before the library reads them, which trusts what a damaged file says.

Strings and references lie in heaps of objects, each of which says how long it is. Where one says 0, the library looks
for the next one for ever; where one says more than there is, it reads what is not the file's. And an array's shape is
believed before a byte of it is read.
"""

from __future__ import annotations

import io
import math
import mmap
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tuneshift.files.plain_files import LARGEST_RATIO

_HEAP = re.compile(rb"GCOL\x01\x00\x00\x00")
_HEAD = 16  # bytes before the first object of a heap, and before the contents of an object, where lengths are 8 bytes
_ALWAYS = 1 << 26  # bytes that an array may have without having been written: what was not holds its fill value
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"
_PATIENCE, _SPEED, _STARTED = 2.0, 1e7, 120.0  # seconds, bytes a second; seconds in which Python has surely begun

_READ_STRINGS = """
import faulthandler, io, sys, h5py
def read(name, held):
    list(held.attrs.values())
    if isinstance(held, h5py.Dataset) and held.dtype.hasobject:
        held[()]
raw = sys.stdin.buffer.read()
faulthandler.dump_traceback_later(float(sys.argv[1]), exit=True)
with h5py.File(io.BytesIO(raw), "r") as file:
    read("", file)
    file.visititems(read)
"""


def look_over(source: Path | io.BytesIO) -> None:
    """Raise ValueError in a few words where reading an HDF5 file would not end, or take memory for what is not there.

    Raises what h5py does (OSError, KeyError, RuntimeError, ...) where the file is none, or damaged elsewhere.
    """
    if isinstance(source, io.BytesIO):
        _look_over(source, source.getbuffer())
        return
    if not source.stat().st_size:
        raise ValueError("it is empty")
    with source.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        _look_over(source, raw)


def _look_over(source: Path | io.BytesIO, raw: mmap.mmap | memoryview) -> None:
    import h5py

    with h5py.File(source, "r") as held:  # which looks at no heap yet, and refuses files that are cut off
        broken = _endless_heaps(raw)
        # One that nothing refers to, as far as can be seen, was given up, or is referred to from compressed data.
        if broken and (any(_is_referred_to(raw, place) for place in broken) or not _strings_can_be_read(raw)):
            raise ValueError("its strings are damaged")
        _believable(held, "the file", len(raw))
        for name in held:
            there = held[name]
            _believable(there, name, len(raw))
            if isinstance(there, h5py.Dataset) and not _is_no_variable(there):
                compressed = there.id.get_create_plist().get_nfilters() > 0
                most = max(_ALWAYS, len(raw) * (LARGEST_RATIO if compressed else 1))
                _refuse_above(most, there.shape, there.dtype, f"`{name}`", len(raw))


def _believable(there: Any, name: str, n_bytes: int) -> None:
    """Attributes are written whole, so that none is larger than the file."""
    for key in there.attrs:
        held = there.attrs.get_id(key)
        _refuse_above(max(n_bytes, _HEAD), held.shape, held.dtype, f"attribute `{key}` of {name}", n_bytes)


def _refuse_above(most: int, shape: tuple[int, ...] | None, dtype: np.dtype, what: str, n_bytes: int) -> None:
    promised = math.prod(shape or ()) * dtype.itemsize
    if promised > most:
        raise ValueError(f"{what} says that it has {promised:,} bytes, more than a file of {n_bytes:,} can hold")


def _is_no_variable(dataset: Any) -> bool:
    name = dataset.attrs.get("NAME", b"")
    return isinstance(name, bytes) and name.startswith(_NO_VARIABLE)


def _endless_heaps(raw: mmap.mmap | memoryview) -> list[int]:
    """Return where heaps begin whose objects do not follow each other to its end; all are walked side by side."""
    held = np.frombuffer(raw, dtype=np.uint8)
    begin = np.array([found.start() for found in _HEAP.finditer(raw)], dtype=np.int64)
    begin = begin[begin + _HEAD <= len(held)]
    size = _fields(held, begin)[:, 1]
    wrong = (size < _HEAD) | (size > (len(held) - begin).astype(np.uint64))
    broken = begin[wrong].tolist()
    begin = begin[~wrong]
    end, at = begin + size[~wrong].astype(np.int64), begin + _HEAD
    while len(at):
        fields, room = _fields(held, np.minimum(at, len(held) - _HEAD)), (end - at).astype(np.uint64)
        number, length = fields[:, 0] & np.uint64(0xFFFF), fields[:, 1]
        free = number == 0  # free space says its length with its head, an object without
        step = np.where(free, length, _HEAD + (np.minimum(length, room) + np.uint64(7)) // np.uint64(8) * np.uint64(8))
        ended = room < _HEAD  # what is shorter than the head of an object is left free
        wrong = ~ended & ((length > room) | (step > room) | (step < _HEAD))
        broken += begin[wrong].tolist()
        go_on = ~ended & ~wrong
        begin, end, at = begin[go_on], end[go_on], (at + step.astype(np.int64))[go_on]
    return broken


def _is_referred_to(raw: mmap.mmap | memoryview, place: int) -> bool:
    return re.search(re.escape(place.to_bytes(8, "little")), raw) is not None


def _fields(held: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return two numbers of 8 bytes (n, 2) from each place."""
    return held[at[:, None] + np.arange(_HEAD)].view("<u8")


def _strings_can_be_read(raw: mmap.mmap | memoryview) -> bool:
    patience = _PATIENCE + len(raw) / _SPEED
    asked = [sys.executable, "-c", _READ_STRINGS, str(patience)]
    try:
        ended = subprocess.run(asked, input=raw, capture_output=True, timeout=_STARTED + patience, check=False)
    except (subprocess.TimeoutExpired, OSError):
        return False
    return ended.returncode == 0
