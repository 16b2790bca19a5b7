"""Praat TextGrids: the intervals of one tier, from either of the two text formats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.files.text_file import decode_text, unpacked

# What Praat reads of a text file: texts, flags and numbers that stand free; names, `=` and [numbers] are for people.
_TOKEN = re.compile(
    r'"((?:[^"]|"")*)"|(<\w+>)|(?:(?<=[\s=])|^)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?=\s|$)|\[[^\]\n]*\]',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Interval:
    """One labelled stretch of time, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Tier:
    """The `intervals` of one tier, and how the file was read (`said`, "" where it is plain UTF-8)."""

    intervals: list[Interval]
    said: str = ""


@dataclass(frozen=True)
class _Found:
    """What a file says of one tier of intervals: its name, how many there are, and those that can be read."""

    name: str
    said: int
    intervals: list[Interval]


def read_textgrid(path: str | Path, tier: str | None = None) -> list[Interval]:
    """Read the intervals of a tier (see `read_tier`)."""
    return read_tier(path, tier).intervals


def read_tier(path: str | Path, tier: str | None = None) -> Tier:
    """Read the intervals of `tier` of a TextGrid in one of Praat's text formats, long or short, in any encoding.

    Without `tier` the file must have one tier of intervals only. Raises BadInput where the file is no TextGrid, has no
    such tier or several, or its intervals are fewer than it says or go back in time.
    """
    raw = unpacked(Path(path))
    if raw.startswith(b"ooBinaryFile"):
        raise BadInput(f"{path} is a TextGrid in Praat's binary format: save it from Praat as a text file.")
    file = decode_text(raw, str(path))
    if file.text.lstrip().startswith('"Praat chronological TextGrid text file"'):
        raise BadInput(f"{path} is a chronological TextGrid: save it from Praat as a (short) text file.")
    tiers, left = _tiers(file.text)
    if not tiers:
        raise BadInput(f"{path} holds no interval tier: save it from Praat as a text file.")
    found = _chosen(path, tiers, tier)
    if left is not None:
        row = file.text.count("\n", 0, left.start()) + 1
        raise BadInput(
            f"{path}, row {row}: {left.group()!r:.60} stands behind what the tiers say they hold; is a piece of the "
            "file there twice? Open it in Praat and save it again."
        )
    if found.said != len(found.intervals):
        raise BadInput(
            f"{path}, tier {found.name!r}: says it has {found.said} intervals, but {len(found.intervals)} can be read."
        )
    for number, (before, after) in enumerate(pairwise(found.intervals), start=2):
        if after.start < before.end - 1e-6 or after.end < after.start:
            raise BadInput(f"{path}, tier {found.name!r}, interval {number} ({after.text!r}) goes back in time.")
    return Tier(found.intervals, file.said)


def _chosen(path: str | Path, tiers: Sequence[_Found], tier: str | None) -> _Found:
    listed = ", ".join(f"{found.name!r} ({found.said} intervals)" for found in tiers)
    if tier is None:
        if len(tiers) > 1:
            raise BadInput(
                f"{path} has {len(tiers)} tiers of intervals, {listed}: say which holds the words, as `tier: "
                f"{next((t.name for t in tiers if 'word' in t.name.lower()), tiers[0].name)}` beside `file` in the "
                "recipe's `words`."
            )
        return tiers[0]
    same = [found for found in tiers if found.name == tier] or [t for t in tiers if t.name.strip() == tier.strip()]
    if not same:
        raise BadInput(f"{path} has no tier {tier!r}; its tiers are {', '.join(repr(t.name) for t in tiers)}.")
    if len(same) > 1:
        raise BadInput(f"{path} has {len(same)} tiers called {tier!r}, {listed}; rename them in Praat.")
    return same[0]


def _tiers(text: str) -> tuple[list[_Found], re.Match[str] | None]:
    """Class, name, begin, end, how many, and so many intervals (or points), one tier after another.

    Also returns the first text, flag or number that no tier holds, None where there is none.
    """
    begin = text.find("<exists>")
    if begin < 0 or '"TextGrid"' not in text[:begin]:
        return [], None
    tokens = [token for token in _TOKEN.finditer(text, begin) if not token.group().startswith("[")]
    tiers: list[_Found] = []
    place = 2  # behind <exists> and the number of tiers
    while place + 4 < len(tokens):
        kind, name, count = tokens[place].group(1), tokens[place + 1].group(1), tokens[place + 4].group(3)
        if kind not in ("IntervalTier", "TextTier") or name is None or count is None or not count.isdigit():
            break
        width = 3 if kind == "IntervalTier" else 2
        end = place + 5 + width * int(count)
        rows = [tokens[i : i + width] for i in range(place + 5, min(end, len(tokens)), width)]
        if kind == "IntervalTier":
            intervals = [interval for interval in map(_interval, rows) if interval is not None]
            tiers.append(_Found(_unquoted(name), int(count), intervals))
        place = end
    return tiers, tokens[place] if place < len(tokens) else None


def _interval(row: list[re.Match[str]]) -> Interval | None:
    if len(row) < 3 or row[0].group(3) is None or row[1].group(3) is None or row[2].group(1) is None:
        return None
    return Interval(float(row[0].group(3)), float(row[1].group(3)), _unquoted(row[2].group(1)))


def _unquoted(text: str) -> str:
    return text.replace('""', '"')
