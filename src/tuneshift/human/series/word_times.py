"""Words with their times, from a TextGrid or a table."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.own_table import SEPARATORS
from tuneshift.human.problems import some
from tuneshift.human.series.recipe import WordFiles
from tuneshift.human.textgrid import read_textgrid
from tuneshift.human.transcript import SpokenWord, as_printed

_WORD = ("word", "text", "token")
_ONSET = ("onset", "start", "begin", "onset_s", "xmin")
_OFFSET = ("offset", "end", "stop", "offset_s", "xmax")
_DURATION = ("duration", "length")


def read_words(path: Path, files: WordFiles, printed: Path | None = None) -> tuple[list[SpokenWord], int]:
    """Return the words with onset and offset (s), `shift` added, and how many of them had no times of their own.

    Raises BadInput where a word has no times (unless they may be interpolated), words go back in time, or the printed
    text is another one.
    """
    if path.suffix.lower() == ".textgrid":
        spoken = [SpokenWord(i.text.strip(), i.start, i.end) for i in read_textgrid(path, files.tier)]
    else:
        spoken = _from_table(path, files.columns)
    spoken = [word for word in spoken if word.text not in files.silence and word.text.lower() not in files.silence]
    if not spoken:
        raise BadInput(f"{path} holds no words.")
    spoken, n_untimed = _timed(path, spoken, files.untimed)
    for number, (before, after) in enumerate(pairwise(spoken), start=2):
        if after.onset < before.onset or after.offset < after.onset:
            raise BadInput(f"{path}: word {number} ({after.text!r}, {after.onset:g} s) goes back in time.")
    if printed is not None:
        try:
            text = printed.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise BadInput(f"{printed} cannot be read as text ({error}).") from error
        spoken = as_printed(spoken, text, str(path))
    return [SpokenWord(w.text, w.onset + files.shift, w.offset + files.shift) for w in spoken], n_untimed


def _from_table(path: Path, columns: tuple[str, ...] | None) -> list[SpokenWord]:
    separator = SEPARATORS.get(path.suffix.lower(), "\t")
    rows = _rows(path, separator)
    header = list(columns) if columns is not None else rows.pop(0)[1]
    header = [name.strip().lower() for name in header]
    word, onset = _column(path, header, _WORD), _column(path, header, _ONSET)
    has_offset = any(name in header for name in _OFFSET)
    end = _column(path, header, _OFFSET if has_offset else _DURATION)
    words = []
    for number, row in rows:
        if len(row) < len(header):
            raise BadInput(f"{path}, row {number}: has {len(row)} columns, not {len(header)}.")
        begin, stop = _seconds(path, number, row[onset]), _seconds(path, number, row[end])
        words.append(SpokenWord(row[word].strip(), begin, stop if has_offset else begin + stop))
    return words


def _rows(path: Path, separator: str) -> list[tuple[int, list[str]]]:
    import csv

    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [(n, row) for n, row in enumerate(csv.reader(stream, delimiter=separator), start=1) if any(row)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as a table of words ({error}).") from error
    if not rows:
        raise BadInput(f"{path} is empty.")
    return rows


def _column(path: Path, header: list[str], names: tuple[str, ...]) -> int:
    name = next((name for name in names if name in header), None)
    if name is None:
        raise BadInput(
            f"{path} has no column `{names[0]}`; it has {some(header, 8)} (without a header, name them in `columns`)."
        )
    return header.index(name)


def _seconds(path: Path, number: int, cell: str) -> float:
    text = cell.strip()
    if text.lower() in ("", "n/a", "na", "nan"):
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{path}, row {number}: {text!r} is no time in seconds.") from None
    if not np.isfinite(value):
        raise BadInput(f"{path}, row {number}: {text!r} is no time in seconds.")
    return value


def _timed(path: Path, words: list[SpokenWord], untimed: str) -> tuple[list[SpokenWord], int]:
    """Give words without times an equal share of the time between those around them."""
    onset = np.array([word.onset for word in words])
    offset = np.array([word.offset for word in words])
    bad = np.isnan(onset) | np.isnan(offset)
    if not bad.any():
        return words, 0
    first = int(np.flatnonzero(bad)[0])
    if untimed == "refuse":
        raise BadInput(
            f"{path}: word {first + 1} ({words[first].text!r}) has no times ({int(bad.sum())} such); set "
            "`untimed: interpolate` in the recipe's `words` to place them between their neighbours."
        )
    if bad[0] or bad[-1]:
        raise BadInput(f"{path}: the first and the last word need times; {words[0 if bad[0] else -1].text!r} has none.")
    place = 0
    while place < len(words):
        if not bad[place]:
            place += 1
            continue
        stop = place
        while bad[stop]:
            stop += 1
        edges = np.linspace(offset[place - 1], max(onset[stop], offset[place - 1]), stop - place + 1)
        onset[place:stop], offset[place:stop] = edges[:-1], edges[1:]
        place = stop
    return [SpokenWord(w.text, float(a), float(b)) for w, a, b in zip(words, onset, offset, strict=True)], int(
        bad.sum()
    )
