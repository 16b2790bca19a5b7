"""Static word vectors from a text file such as GloVe's, read line by line: such files are larger than memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.files.plain_files import opened

_FEWEST = 10
_UTF_8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def read_vectors(path: Path, words: Sequence[str], said: list[str] | None = None) -> np.ndarray:
    """Return the vectors of words (n_words, n_dimensions) from a text file such as GloVe's: word, then numbers.

    NaN for words that the file does not have; how many they are is added to `said`, as are lines that are no UTF-8. A
    word stands for its form with a capital letter where the file lacks that. The file may be compressed. Raises
    BadInput that names the line.
    """
    wanted: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        wanted.setdefault(word.lower(), []).append(i)
    found: dict[int, tuple[bool, np.ndarray]] = {}
    width = 0
    broken: list[int] = []
    for number, line in _lines(path, broken):
        word, _, rest = line.rstrip().partition("\t" if "\t" in line else " ")
        if word.lower() not in wanted or (number == 1 and rest.strip().isdigit()):
            continue
        vector = _vector(path, number, rest)
        width = width or len(vector)
        if len(vector) != width or not width:
            raise BadInput(f"vectors file {path}, line {number}: {len(vector)} numbers where {width} stand above.")
        for i in wanted[word.lower()]:
            exact = word == words[i]
            if i not in found or (exact and not found[i][0]):
                found[i] = (exact, vector)
    if len(found) < _FEWEST:
        raise BadInput(
            f"vectors file {path} has vectors for {len(found)} of the {len(words)} words; is it the language?"
        )
    if said is not None:
        said += _told(path, len(words), len(found), broken)
    vectors = np.full((len(words), width), np.nan, dtype=np.float32)
    for i, (_, vector) in found.items():
        vectors[i] = vector
    return vectors


def _lines(path: Path, broken: list[int]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are UTF-8 with their numbers; those of the others go to `broken`."""
    try:
        with opened(Path(path)) as file:
            for number, raw in enumerate(file, start=1):
                if number == 1:
                    if raw.startswith(_OTHER_MARKS):
                        raise BadInput(f"vectors file {path} is UTF-16 or UTF-32; save it as UTF-8.")
                    raw = raw.removeprefix(_UTF_8_MARK)
                try:
                    yield number, raw.decode("utf-8")
                except UnicodeDecodeError:
                    broken.append(number)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"vectors file {path} cannot be read: {error}") from error


def _vector(path: Path, number: int, rest: str) -> np.ndarray:
    try:
        vector = np.array(rest.split(), dtype=np.float32)
    except ValueError as error:
        raise BadInput(f"vectors file {path}, line {number}: {rest[:40]!r} are no numbers.") from error
    if not np.isfinite(vector).all():
        raise BadInput(f"vectors file {path}, line {number}: {rest[:40]!r} holds NaN or an infinity.")
    return vector


def _told(path: Path, n_words: int, n_found: int, broken: Sequence[int]) -> list[str]:
    told = []
    if n_found < n_words:
        told.append(f"{Path(path).name} has no vector for {n_words - n_found} of {n_words} words; they have no pairs")
    if broken:
        told.append(f"{Path(path).name}: {len(broken)} lines are no UTF-8 and were left out (first: line {broken[0]})")
    return told
