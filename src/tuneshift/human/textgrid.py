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


@dataclass(frozen=True)
class Interval:
    """One labelled stretch of time, in seconds."""

    start: float
    end: float
    text: str


def read_textgrid(path: str | Path, tier: str | None = None) -> list[Interval]:
    """Read the intervals of `tier` (default: the first) of a TextGrid in Praat's long text format.

    Raises BadInput where the file is no TextGrid, has no such tier, or its intervals are fewer than it says or go
    back in time.
    """
    raw = Path(path).read_bytes()
    text = raw.decode("utf-16") if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else raw.decode("utf-8", errors="replace")
    tiers = {name.replace('""', '"'): body for name, body in _TIER.findall(text)}
    if not tiers:
        raise BadInput(f"{path} holds no interval tier: save it from Praat as a (long) text file.")
    name = next(iter(tiers)) if tier is None else tier
    if name not in tiers:
        raise BadInput(f"{path} has no tier {name!r}; its tiers are {', '.join(map(repr, tiers))}.")
    body = tiers[name]
    intervals = [Interval(float(a), float(b), t.replace('""', '"')) for a, b, t in _INTERVAL.findall(body)]
    said = _COUNT.search(body)
    if said is None or int(said.group(1)) != len(intervals):
        wanted = said.group(1) if said else "an unknown number of"
        raise BadInput(f"{path}, tier {name!r}: says it has {wanted} intervals, but {len(intervals)} can be read.")
    for number, (before, after) in enumerate(pairwise(intervals), start=2):
        if after.start < before.end - 1e-6 or after.end < after.start:
            raise BadInput(f"{path}, tier {name!r}, interval {number} ({after.text!r}) goes back in time.")
    return intervals
