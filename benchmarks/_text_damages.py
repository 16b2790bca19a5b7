"""What disks, networks and editors do to the bytes and the lines of any text file."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import numpy as np


def byte_damaged(raw: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Return a copy with bits flipped, bytes cut, doubled, taken away or made zero, and which of these."""
    copy = bytearray(raw)
    way = str(rng.choice(["flip", "cut", "twice", "hole", "zeros", "moved"]))
    at = int(rng.integers(len(copy)))
    length = int(rng.integers(1, 200 if way in ("twice", "moved") else 40))
    if way == "flip":
        for place in rng.integers(0, len(copy), int(rng.integers(1, 4))):
            copy[place] ^= 1 << int(rng.integers(8))
    elif way == "cut":
        del copy[at:]
    elif way == "twice":
        copy[at:at] = copy[at : at + length]
    elif way == "hole":
        del copy[at : at + length]
    elif way == "zeros":
        copy[at : at + length] = bytes(len(copy[at : at + length]))
    else:
        piece = copy[at : at + length]
        del copy[at : at + length]
        to = int(rng.integers(len(copy) + 1))
        copy[to:to] = piece
    return bytes(copy), way


def line_damaged(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """Return a text with a line doubled, lost, moved, or a number, a quotation mark or a name written otherwise."""
    lines = text.split("\n")
    at = int(rng.integers(max(len(lines) - 1, 1)))
    way = str(rng.choice(list(_LINES)))
    if way in ("line doubled", "line lost", "lines swapped"):
        _LINES[way](lines, at)
        return "\n".join(lines), way
    where = range(len(lines)) if rng.random() < 0.5 else [at]
    for n in where:
        _LINES[way](lines, n)
    return "\n".join(lines), way


def as_written(text: str, rng: np.random.Generator) -> tuple[bytes, str, str]:
    """Return a text as another program writes it, how, and the suffix that goes behind the name (".gz" or "")."""
    way = str(rng.choice(["encoding", "line ends", "gzip", "plain"]))
    if way == "encoding":
        name = str(rng.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]))
        return text.encode(name), name, ""
    if way == "line ends":
        return text.replace("\n", str(rng.choice(["\r\n", "\r"]))).encode(), way, ""
    if way == "gzip":
        return gzip.compress(text.encode(), 1), way, ".gz"
    return text.encode(), way, ""


def _doubled(lines: list[str], at: int) -> None:
    lines.insert(at, lines[at])


def _lost(lines: list[str], at: int) -> None:
    del lines[at]


def _swapped(lines: list[str], at: int) -> None:
    if at + 1 < len(lines):
        lines[at], lines[at + 1] = lines[at + 1], lines[at]


def _each(pattern: str, new: str) -> Callable[[list[str], int], None]:
    def change(lines: list[str], at: int) -> None:
        lines[at] = re.sub(pattern, new, lines[at])

    return change


_LINES: dict[str, Callable[[list[str], int], None]] = {
    "line doubled": _doubled,
    "line lost": _lost,
    "lines swapped": _swapped,
    "decimal comma": _each(r"(\d)\.(\d)", r"\1,\2"),
    "thousands": _each(r"\b(\d)(\d\d\d)\b", r"\1,\2"),
    "number lost": _each(r"\b\d+\.\d+", ""),
    "NaN": _each(r"\b\d+\.\d+", "NaN"),
    "n/a": _each(r"\b\d+\.\d+", "n/a"),
    "null": _each(r"\b\d+\.\d+", "null"),
    "infinite": _each(r"\b\d+\.\d+", "Infinity"),
    "text for number": _each(r"\b(\d+\.\d+)", r'"\1"'),
    "unit": _each(r"\b(\d+\.\d+)", r"\1 ms"),
    "quotation mark lost": _each(r'"(\w)', r"\1"),
    "quotation marks lost": _each(r'"', ""),
    "typographic quotation marks": _each(r'"(\w+)"', r"“\1”"),
    "large letters": _each(r"[a-z]+(?=[\"' ]*[:=])", lambda found: found.group().upper()),  # type: ignore[arg-type]
    "another name": _each(r"(\w)(?=\"?\s*[:=])", r"\1x"),
    "blanks": _each(r"([:=,])", r" \1  "),
    "no blanks": _each(r"\s*([=])\s*", r"\1"),
    "tabs for blanks": _each(r"^ +", "\t"),
    "a letter lost": _each(r"(\w)\"", '\\1\ufffd"'),
    "comma lost": _each(r",$", ""),
}
