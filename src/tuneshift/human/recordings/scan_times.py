"""When the scans of a recording were taken: the repetition time that `time` says, and what can be wrong with it."""

from __future__ import annotations

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.recording import Recording
from tuneshift.human.text.problems import Problem

_JITTER = 0.05  # by how much of the repetition time a step may differ from it
_PAUSE = 1.5  # times the repetition time: a longer step is a pause or a missing scan
SHORTEST, LONGEST = 0.2, 10.0
"""Seconds between scans: what is shorter or longer is in another unit."""

_FAR = 10.0  # seconds, or a tenth of the scans where that is more: a word that ends later is on another clock


def plausible(seconds: float) -> bool:
    """Whether this can be the time between two scans."""
    return bool(SHORTEST * (1 - 1e-6) <= seconds <= LONGEST * (1 + 1e-6))


def far_after(last_word: float, first_scan: float, last_scan: float) -> bool:
    """Whether the last word ends so long after the last scan that one of them must be in another unit."""
    return last_word > last_scan + max(_FAR, 0.1 * (last_scan - first_scan))


def _another_unit(seconds: float) -> str:
    """What a step between scans that cannot be seconds looks like."""
    other = "milliseconds" if seconds > LONGEST else "minutes or thousands of seconds"
    return f"times look like {other}, and must be seconds ({SHORTEST:g} to {LONGEST:g} between scans)"


def repetition_time_of(recording: Recording) -> float:
    """Return the repetition time (s) of a recording: its own, or the median step of `time` within runs.

    Steps that are longer by half and more are pauses or missing scans. Raises BadInput where there is no `time`, no
    step, or steps differ by more than a twentieth.
    """
    if recording.repetition_time is not None:
        return float(recording.repetition_time)
    problem = time_problem(recording)
    if problem is not None:
        raise BadInput(f"{recording.name}: {problem.sentence}.")
    step, regular = _step(recording)
    if step is None:
        raise BadInput(f"{recording.name}: `time` has no two scans of one run, so give `repetition_time` (seconds).")
    if not regular:
        raise BadInput(
            f"{recording.name}: `time` does not go in equal steps (median {step:g} s), so it says no repetition time; "
            "give `repetition_time` (seconds), or put the responses on a regular grid."
        )
    return step


def time_problem(recording: Recording) -> Problem | None:
    """Return the first thing that is wrong with `time` (stimulus,), None where nothing is."""
    if "time" not in recording.data.coords:
        return Problem("has no `time` (seconds) along `stimulus`")
    values = recording.data["time"].values
    if values.dtype.kind in "mM":
        what = "durations" if values.dtype.kind == "m" else "dates"
        return Problem(
            f"`time` holds {what} ({values.dtype}), not seconds: give (time - start) / np.timedelta64(1, 's'), on the "
            "clock of the words"
        )
    if values.dtype.kind not in "fiu":
        return Problem(f"`time` must be seconds, not {values.dtype}")
    times = values.astype(float)
    if not np.isfinite(times).all():
        return Problem(f"`time` of row {np.flatnonzero(~np.isfinite(times))[0] + 1} is not a finite number")
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        return _goes_back(recording, times, int(back[0]) + 1)
    step, _ = _step(recording)
    if step is not None and not plausible(step):
        return Problem(f"`time` goes in steps of {step:g}: {_another_unit(step)}")
    return None


def repetition_problem(recording: Recording) -> Problem | None:
    """Return what is wrong with the repetition time and the high-pass filter that needs it, None where nothing is."""
    repetition_time, cutoff = recording.repetition_time, recording.high_pass
    for name, seconds in (("repetition_time", repetition_time), ("high_pass", cutoff)):
        if seconds is not None and not (np.isfinite(seconds) and seconds > 0):
            return Problem(f"`{name}` is {seconds:g}; it must be a positive number of seconds")
    if repetition_time is not None and not plausible(repetition_time):
        return Problem(f"`repetition_time` is {repetition_time:g}: {_another_unit(repetition_time)}")
    if repetition_time is None and cutoff is not None:
        if "time" not in recording.data.coords:
            return Problem("`high_pass` is given without `repetition_time` (seconds), which the filter needs")
        try:
            repetition_time = repetition_time_of(recording)
        except BadInput as error:
            said = str(error).removeprefix(f"{recording.name}: ").rstrip(".")
            return Problem(f"`high_pass` is given without `repetition_time` (seconds), which the filter needs: {said}")
    if cutoff is not None and repetition_time is not None and cutoff < 2 * repetition_time:
        return Problem(
            f"`high_pass` is {cutoff:g} s, less than two scans of {repetition_time:g} s: it is the cut-off in seconds "
            "(128), not in Hz"
        )
    return None


def _step(recording: Recording) -> tuple[float | None, bool]:
    """The median step of `time` within runs, and whether steps are equal but for pauses."""
    data = recording.data
    times = data["time"].values.astype(float)
    steps = np.diff(times)
    label = next((name for name in ("run", "passage") if name in data.coords), None)
    if label is not None:
        runs = data[label].values.astype(str)
        within = steps[runs[1:] == runs[:-1]]
        steps = within if len(within) else steps[:0]
    if not len(steps):
        return None, False
    step = float(np.median(steps))
    near = np.abs(steps - step) <= _JITTER * step
    return step, bool((near | (steps > _PAUSE * step)).all())


def _goes_back(recording: Recording, times: np.ndarray, row: int) -> Problem:
    for name in ("run", "passage"):
        if name in recording.data.coords:
            labels = recording.data[name].values.astype(str)
            if labels[row] != labels[row - 1]:
                return Problem(
                    f"`time` must increase, but restarts at row {row + 1} ({times[row]:g} s), in {name} "
                    f"{str(labels[row])!r}; put runs one after another on one clock: add to the times of each run, "
                    "and of its words, what came before"
                )
    return Problem(
        f"`time` must increase, but row {row + 1} ({times[row]:g} s) does not come after row {row} "
        f"({times[row - 1]:g} s); put runs one after another on one clock"
    )
