"""The repetition time that files of scans state, in any unit, held against what can be and what the recipe says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.human.recordings.scan_times import LONGEST, SHORTEST, plausible

_PER_SECOND = {"sec": 1.0, "msec": 1e3, "usec": 1e6}
_UNTOUCHED = (0.0, 1.0)  # what programs write, without a unit, that know nothing of time
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class StatedTime:
    """A time between scans as a file writes it; `unit` is sec, msec, usec, "unknown", or one that is no time (hz)."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}" if self.unit != "unknown" else f"{self.value:g} without a unit"


def repetition_time_of_files(
    name: str, wanted: float | None, stated: Mapping[Path, StatedTime]
) -> tuple[float, list[str]]:
    """Return the repetition time (s) of a participant's files, and in sentences what was taken for what it is not.

    `wanted` is that of the recipe. Raises BadInput where neither says one, where one cannot be that of scans, or where
    two of them disagree.
    """
    if wanted is not None and not plausible(wanted):
        raise BadInput(
            f"recipe {name}, `repetition_time`: {wanted:g} s cannot be the time between scans ({SHORTEST:g} to "
            f"{LONGEST:g} s){_perhaps(wanted)}."
        )
    first: tuple[float, Path] | None = None
    taken: dict[str, list[Path]] = {}
    for path, there in stated.items():
        seconds, why = _seconds(path, there, wanted)
        if why:
            taken.setdefault(why, []).append(path)
        if seconds is None:
            continue
        if first is not None and abs(seconds - first[0]) > _TOLERANCE:
            raise BadInput(
                f"{path} has a repetition time of {seconds:g} s, the first file ({first[1].name}) says {first[0]:g} s: "
                "import them apart, or mend the header that is wrong."
            )
        first = first or (seconds, path)
    if wanted is None and first is None:
        told = f": {next(iter(taken))} in {next(iter(taken.values()))[0]}" if taken else ""
        raise BadInput(f"recipe {name}: give `repetition_time` (seconds); the files of scans do not say it{told}.")
    found = wanted if wanted is not None else first[0] if first else math.nan
    return found, [
        f"{paths[0].name}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {why}"
        for why, paths in taken.items()
    ]


def _seconds(path: Path, there: StatedTime, wanted: float | None) -> tuple[float | None, str]:
    """Return the seconds that a file states (None: it states none), and what is to be said of it."""
    value, unit = there.value, there.unit
    if unit == "unknown" and value in _UNTOUCHED:
        return None, "" if value == 0 else f"the header's repetition time of {there} says nothing"
    per_second = _PER_SECOND.get(unit, 1.0 if unit == "unknown" else math.nan)
    seconds = value / per_second
    if plausible(seconds):
        if wanted is not None and abs(seconds - wanted) > _TOLERANCE:
            raise BadInput(
                f"{path} has a repetition time of {seconds:g} s, the recipe says {wanted:g} s: correct the one that is "
                "wrong."
            )
        return seconds, f"the header's repetition time of {there} is taken as seconds" if unit == "unknown" else ""
    if value == 0:
        return None, ""
    if wanted is None:
        raise BadInput(
            f"{path}: its header gives a repetition time of {there}, which cannot be the time between scans "
            f"({SHORTEST:g} to {LONGEST:g} s){_perhaps(value)}; say it in the recipe's `repetition_time` "
            "(seconds), or mend the header."
        )
    if any(abs(value / other - wanted) <= _TOLERANCE for other in _PER_SECOND.values()) or not _is_time(there):
        return None, f"the header's repetition time of {there} was taken as {wanted:g} s, as the recipe says"
    raise BadInput(
        f"{path}: its header gives a repetition time of {there}, which in no unit is the {wanted:g} s of the recipe: "
        "correct the one that is wrong."
    )


def _is_time(there: StatedTime) -> bool:
    """Whether a header states a time at all: hertz, and what is no positive number, are none."""
    return math.isfinite(there.value) and there.value > 0 and there.unit in (*_PER_SECOND, "unknown")


def _perhaps(value: float) -> str:
    for unit, per_second in (("milliseconds", 1e3), ("microseconds", 1e6), ("thousands of seconds", 1e-3)):
        if plausible(value / per_second):
            return f"; if these are {unit}, it is {value / per_second:g} s"
    return ""
