"""Praat TextGrids: the intervals of one tier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tuneshift.errors import BadInput

_TIER = re.compile(r'class = "IntervalTier"\s+name = "((?:[^"]|"")*)"(.*?)(?=item \[\d+\]:|\Z)', re.DOTALL)
_INTERVAL = re.compile(r'xmin = (\S+)\s+xmax = (\S+)\s+text = "((?:[^"]|"")*)"')
_COUNT = re.compile(r"intervals: size = (\d+)")
_SHORT = re.compile(r'"((?:[^"]|"")*)"|(<exists>)|(?<![^\s])([-+]?\d[\d.eE+-]*)(?![^\s])')


@dataclass(frozen=True)
class Interval:
    """One labelled stretch of time, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class _Tier:
    """What a file says of one tier of intervals: how many there are, and those that can be read."""

    said: int | None
    intervals: list[Interval]


def read_textgrid(path: str | Path, tier: str | None = None) -> list[Interval]:
    """Read the intervals of `tier` (default: the first) of a TextGrid in one of Praat's text formats, long or short.

    Raises BadInput where the file is no TextGrid, has no such tier, or its intervals are fewer than it says or go
    back in time.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BadInput(f"TextGrid {path} cannot be read ({error.strerror}).") from error
    encoding = "utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8-sig"
    text = raw.decode(encoding, errors="replace")
    tiers = _long(text) or _short(text)
    if not tiers:
        raise BadInput(f"{path} holds no interval tier: save it from Praat as a text file.")
    name = next(iter(tiers)) if tier is None else tier
    if name not in tiers:
        raise BadInput(f"{path} has no tier {name!r}; its tiers are {', '.join(map(repr, tiers))}.")
    found = tiers[name]
    if found.said is None or found.said != len(found.intervals):
        wanted = "an unknown number of" if found.said is None else found.said
        raise BadInput(
            f"{path}, tier {name!r}: says it has {wanted} intervals, but {len(found.intervals)} can be read."
        )
    for number, (before, after) in enumerate(pairwise(found.intervals), start=2):
        if after.start < before.end - 1e-6 or after.end < after.start:
            raise BadInput(f"{path}, tier {name!r}, interval {number} ({after.text!r}) goes back in time.")
    return found.intervals


def _long(text: str) -> dict[str, _Tier]:
    tiers = {}
    for name, body in _TIER.findall(text):
        said = _COUNT.search(body)
        intervals = [Interval(float(a), float(b), _unquoted(t)) for a, b, t in _INTERVAL.findall(body)]
        tiers[_unquoted(name)] = _Tier(int(said.group(1)) if said else None, intervals)
    return tiers


def _short(text: str) -> dict[str, _Tier]:
    """Values without their names, one after another: class, name, begin, end, how many, and so many intervals."""
    begin = text.find("<exists>")
    if begin < 0 or '"TextGrid"' not in text[:begin]:
        return {}
    tokens = list(_SHORT.finditer(text, begin))
    tiers: dict[str, _Tier] = {}
    place = 2  # behind <exists> and the number of tiers
    while place + 4 < len(tokens):
        kind, name = tokens[place].group(1), tokens[place + 1].group(1)
        count = tokens[place + 4].group(3)
        if kind not in ("IntervalTier", "TextTier") or name is None or count is None or not count.isdigit():
            break
        width = 3 if kind == "IntervalTier" else 2
        rows = [
            tokens[i : i + width] for i in range(place + 5, min(place + 5 + width * int(count), len(tokens)), width)
        ]
        if kind == "IntervalTier":
            tiers[_unquoted(name)] = _Tier(int(count), [row for row in map(_interval, rows) if row is not None])
        place += 5 + width * int(count)
    return tiers


def _interval(row: list[re.Match[str]]) -> Interval | None:
    if len(row) < 3 or row[0].group(3) is None or row[1].group(3) is None or row[2].group(1) is None:
        return None
    return Interval(float(row[0].group(3)), float(row[1].group(3)), _unquoted(row[2].group(1)))


def _unquoted(text: str) -> str:
    return text.replace('""', '"')
