"""Files as they are inside: compressed by gzip or not, whatever their suffix says, and in any case."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import IO, cast

GZIP = b"\x1f\x8b"
LARGEST_RATIO = 1032  # of deflate: more cannot come out of a byte


def plain_name(path: Path) -> str:
    """Return the name of a file in lower case, without `.gz`."""
    return path.name.lower().removesuffix(".gz")


def is_compressed(path: Path) -> bool:
    """Whether a file is compressed by gzip, by its first bytes; raises OSError where it cannot be opened."""
    with path.open("rb") as stream:
        return stream.read(2) == GZIP


def opened(path: Path) -> IO[bytes]:
    """Open a file for reading what it holds uncompressed; raises OSError where it cannot be opened."""
    if is_compressed(path):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def whole(path: Path) -> io.BytesIO:
    """Return what a file holds, uncompressed, in memory; raises OSError, EOFError or zlib.error where it is damaged."""
    with opened(path) as stream:
        return io.BytesIO(stream.read())


def rest_of(stream: IO[bytes]) -> int:
    """Read a stream to its end, where gzip compares its checksum, and return how many bytes were left."""
    n_left = 0
    while block := stream.read(1 << 20):
        n_left += len(block)
    return n_left
