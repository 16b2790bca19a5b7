"""Words with their times, from a TextGrid or a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.files.text_file import plain_suffix, read_text
from tuneshift.human.recordings.series.recipe import PAUSES, WordFiles
from tuneshift.human.recordings.series.word_table import read_word_table
from tuneshift.human.text.problems import some
from tuneshift.human.text.textgrid import read_tier
from tuneshift.human.text.transcript import SpokenWord, as_printed


@dataclass(frozen=True)
class HeardWords:
    """`words` in order; `said`: what of the file was left out or filled in; `n_pauses` counts marks of silence."""

    words: list[SpokenWord]
    said: tuple[str, ...] = ()
    n_pauses: int = 0


def read_words(path: Path, files: WordFiles, printed: Path | None = None) -> HeardWords:
    """Return the words with onset and offset (s), `shift` added; marks in `silence` are left out and counted.

    Raises BadInput where a word has no times (unless they may be interpolated), words go back in time, one interval
    holds several words, or the printed text is another one.
    """
    said: list[str] = []
    if plain_suffix(path) == ".textgrid":
        tier = read_tier(path, files.tier)
        said += [f"{path.name}: {tier.said}"] if tier.said else []
        marked = [SpokenWord(i.text.strip(), i.start, i.end) for i in tier.intervals]
    else:
        marked, told = read_word_table(path, files.columns)
        said += told
    spoken, n_pauses, told = _without_marks(path, marked, files.silence)
    said += told
    if not spoken:
        raise BadInput(f"{path} holds no words.")
    several = next((word for word in spoken if len(word.text.split()) > 1), None)
    if several is not None:
        raise BadInput(
            f"{path}: {several.text!r:.80} at {several.onset:g} s is more than one word; give every word times of its "
            "own (another tier or column?), or name it in `silence` if it is a mark."
        )
    spoken, told = _timed(path, spoken, files.untimed)
    said += told
    for number, (before, after) in enumerate(pairwise(spoken), start=2):
        if after.onset < before.onset or after.offset < after.onset:
            raise BadInput(f"{path}: word {number} ({after.text!r}, {after.onset:g} s) goes back in time.")
    if spoken[0].offset < spoken[0].onset:
        raise BadInput(f"{path}: word 1 ({spoken[0].text!r}, {spoken[0].onset:g} s) goes back in time.")
    if printed is not None:
        file = read_text(printed)
        said += [f"{printed.name}: {file.said}"] if file.said else []
        spoken = as_printed(spoken, file.text, str(path))
    moved = [SpokenWord(w.text, w.onset + files.shift, w.offset + files.shift) for w in spoken]
    return HeardWords(moved, tuple(said), n_pauses)


def _without_marks(
    path: Path, marked: list[SpokenWord], silence: tuple[str, ...]
) -> tuple[list[SpokenWord], int, list[str]]:
    """Return the words, how many marks of pauses there were, and what other marks were left out or look like some."""
    marks = {mark.lower() for mark in silence}
    found = Counter(word.text.lower() for word in marked if word.text.lower() in marks)
    n_pauses = sum(count for mark, count in found.items() if mark in PAUSES)
    others = {mark: count for mark, count in found.items() if mark not in PAUSES}
    told = []
    if others:
        listed = some([f"{mark} {count}" for mark, count in others.items()], 8)
        told.append(f"{path.name}: {sum(others.values())} marks are no words and were left out ({listed})")
    spoken = [word for word in marked if word.text.lower() not in marks]
    bracketed = Counter(w.text for w in spoken if len(w.text) > 2 and w.text[0] + w.text[-1] in ("<>", "{}", "[]"))
    if bracketed:
        listed = some([f"{mark} {count}" for mark, count in bracketed.items()], 8)
        told.append(f"{path.name}: kept as words, though they look like marks: {listed} (`silence` leaves them out)")
    return spoken, n_pauses, told


def _timed(path: Path, words: list[SpokenWord], untimed: str) -> tuple[list[SpokenWord], list[str]]:
    """Give words without times an equal share of the time between those around them, and say how many there were.

    A word that has an onset keeps it, and ends where the next one begins.
    """
    onset = np.array([word.onset for word in words])
    offset = np.array([word.offset for word in words])
    bad = np.isnan(onset) | np.isnan(offset)
    if not bad.any():
        return words, []
    first = int(np.flatnonzero(bad)[0])
    if untimed == "refuse":
        raise BadInput(
            f"{path}: word {first + 1} ({words[first].text!r}) has no times ({int(bad.sum())} such); set "
            "`untimed: interpolate` in the recipe's `words` to place them between their neighbours."
        )
    if np.isnan(onset[0]) or bad[-1]:
        which = 0 if np.isnan(onset[0]) else -1
        raise BadInput(f"{path}: the first and the last word need times; {words[which].text!r} has none.")
    endless = np.flatnonzero(bad[:-1] & ~np.isnan(onset[:-1]) & ~np.isnan(onset[1:]))
    offset[endless], bad[endless] = onset[endless + 1], False
    n_placed = int(bad.sum())
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
    told = []
    if n_placed:
        told.append(
            f"{path.name}: {n_placed} words had no times of their own; they were placed between their neighbours"
        )
    if len(endless):
        told.append(f"{path.name}: {len(endless)} words had no end; they end where the next one begins")
    return [SpokenWord(w.text, float(a), float(b)) for w, a, b in zip(words, onset, offset, strict=True)], told
