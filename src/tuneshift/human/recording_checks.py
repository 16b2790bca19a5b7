"""What can be wrong with a recording, whatever file it came from."""

from __future__ import annotations

import numpy as np

from tuneshift.human.problems import Problem, some
from tuneshift.human.recording import Recording, WordTrack

UNITS = ("z", "% signal", "a.u.", "V", "mV", "µV", "uV", "T", "pT", "fT", "dB", "high gamma")
"""Units of responses that reports know by name; any other is shown as it is written."""


def recording_problems(recording: Recording) -> list[Problem]:
    """Return what would spoil or weaken a measurement, worst first; an empty list for a sound recording.

    Fatal: no response at all, infinite responses, empty texts, passages that are missing for some stimuli, repeated
    target names, times that do not increase, words without a passage or outside the recording, a high-pass filter
    without a repetition time. Warnings: missing responses, constant targets, no passages, a unit unknown to reports.
    """
    found = [*_targets(recording), *_responses(recording)]
    if recording.words is None:
        found += _texts(recording)
    else:
        found += [*_times(recording), *_words(recording, recording.words)]
    found += _passages(recording)
    if recording.unit not in UNITS:
        found.append(Problem(f"unit {recording.unit!r} is none of {', '.join(UNITS)}; shown as it is", fatal=False))
    if recording.high_pass is not None and recording.repetition_time is None:
        found.append(Problem("`high_pass` is given without `repetition_time` (seconds), which the filter needs"))
    return sorted(found, key=lambda problem: not problem.fatal)


def _responses(recording: Recording) -> list[Problem]:
    values, names = recording.data.values, recording.data["target_name"].values.astype(object)
    finite = np.isfinite(values)
    if not finite.any():
        return [Problem("holds no response at all: every value is NaN")]
    found = []
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        found.append(
            Problem(f"response of stimulus {row + 1}, target {names[column]!r} is infinite ({len(infinite)} such)")
        )
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        found.append(
            Problem(f"{empty.sum()} of {len(names)} targets hold no response at all ({some(names[empty])})", False)
        )
    low = np.where(finite, values, np.inf).min(axis=0)
    constant = finite.any(axis=0) & (low == np.where(finite, values, -np.inf).max(axis=0))
    if constant.any():
        found.append(
            Problem(
                f"{constant.sum()} of {len(names)} targets never vary and will be left out ({some(names[constant])})",
                fatal=False,
            )
        )
    missing = np.isnan(values) & ~empty
    if missing.any():
        row, column = np.argwhere(missing)[0]
        found.append(
            Problem(
                f"{missing.sum()} responses are NaN (first: stimulus {row + 1}, target {names[column]!r}); each target "
                "is scored on those it has",
                fatal=False,
            )
        )
    return found


def _targets(recording: Recording) -> list[Problem]:
    found = []
    names = recording.data["target_name"].values.astype(object)
    unique, counts = np.unique(names.astype(str), return_counts=True)
    if (counts > 1).any():
        found.append(Problem(f"`target_name` must be unique, but {some(unique[counts > 1])} comes more than once"))
    nameless = np.flatnonzero(recording.data["participant"].values == "")
    if len(nameless):
        found.append(Problem(f"`participant` of target {names[nameless[0]]!r} is empty ({len(nameless)} such)"))
    shared = recording.space != "native" or "mni_x" in recording.data.coords
    if "voxel" in recording.data.coords and not shared and len(recording.participants) > 1:
        found.append(
            Problem(
                "has `voxel` numbers, but does not say that they are places in a common space (attribute `space`: mni, "
                "surface or shared), so voxels of different people are not matched",
                fatal=False,
            )
        )
    if len(recording.participants) == 1:
        found.append(Problem("holds one participant: no noise ceiling can be computed", fatal=False))
    return found


def _texts(recording: Recording) -> list[Problem]:
    if "text" not in recording.data.coords:
        return [Problem("has neither `text` along `stimulus` nor words with their times")]
    texts = recording.data["text"].values
    empty = [row + 1 for row, text in enumerate(texts) if not str(text).strip()]
    if empty:
        return [Problem(f"`text` is empty at stimulus {some(empty)}: give what the participant read or heard")]
    if "passage" not in recording.data.coords:
        return []
    seen: dict[tuple[str, str], int] = {}
    for row, key in enumerate(zip(recording.data["passage"].values.tolist(), texts.tolist(), strict=True)):
        if key in seen:
            where = f"stimuli {seen[key] + 1} and {row + 1} are the same text in passage {key[0]!r}"
            return [Problem(f"{where}: average repetitions first, or name the passages apart", fatal=False)]
        seen[key] = row
    return []


def _passages(recording: Recording) -> list[Problem]:
    if "passage" not in recording.data.coords:
        return [Problem("has no `passage` along `stimulus`: grouped splits need it, contiguous ones do not", False)]
    passages = recording.data["passage"].values
    empty = [row + 1 for row, passage in enumerate(passages) if not str(passage)]
    if empty:
        return [Problem(f"`passage` is empty at stimulus {some(empty)}: every stimulus needs one")]
    n_passages = len(np.unique(passages))
    if n_passages < 5 and not recording.is_time_series:
        return [Problem(f"has {n_passages} passages: 5 or more are needed for grouped splits in 5 folds", fatal=False)]
    return []


def _times(recording: Recording) -> list[Problem]:
    if "time" not in recording.data.coords:
        return [Problem("has words with times, but no `time` (seconds) along `stimulus`")]
    times = recording.data["time"].values.astype(float)
    if not np.isfinite(times).all():
        return [Problem(f"`time` of row {np.flatnonzero(~np.isfinite(times))[0] + 1} is not a finite number")]
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        row = back[0] + 1
        return [
            Problem(
                f"`time` must increase, but row {row + 1} ({times[row]:g} s) does not come after row {row} "
                f"({times[row - 1]:g} s); put runs one after another on one clock"
            )
        ]
    return []


def _words(recording: Recording, track: WordTrack) -> list[Problem]:
    onset, offset = np.asarray(track.onset, float), np.asarray(track.offset, float)
    if not track.words:
        return [Problem("holds no words, so there is nothing a model could read")]
    bad = np.flatnonzero(~np.isfinite(onset) | ~np.isfinite(offset))
    if len(bad):
        return [Problem(f"word {bad[0] + 1} ({track.words[bad[0]]!r}) has no onset or no offset ({len(bad)} such)")]
    found = []
    empty = [number + 1 for number, word in enumerate(track.words) if not word.strip()]
    if empty:
        found.append(Problem(f"word {some(empty)} is empty: leave pauses out of the words"))
    back = np.flatnonzero(np.diff(onset) < 0)
    if len(back):
        word = back[0] + 1
        found.append(
            Problem(
                f"words must be sorted by onset, but word {word + 1} ({track.words[word]!r}, {onset[word]:g} s) begins "
                f"before word {word} ({onset[word - 1]:g} s)"
            )
        )
    ends_early = np.flatnonzero(offset < onset)
    if len(ends_early):
        word = ends_early[0]
        found.append(Problem(f"word {word + 1} ({track.words[word]!r}) ends before it begins"))
    twice = np.flatnonzero((np.diff(onset) == 0) & (np.array(track.words[1:]) == np.array(track.words[:-1])))
    if len(twice):
        found.append(Problem(f"word {twice[0] + 2} ({track.words[twice[0] + 1]!r}) is there twice at the same onset"))
    return [*found, *_placed(recording, track, offset)]


def _placed(recording: Recording, track: WordTrack, offset: np.ndarray) -> list[Problem]:
    if "passage" in recording.data.coords:
        unknown = sorted(set(track.passage) - set(recording.data["passage"].values.tolist()))
        if unknown:
            return [Problem(f"words belong to passage {some(unknown)}, which no row of the recording has")]
    if "time" in recording.data.coords and recording.data.sizes["stimulus"]:
        times = recording.data["time"].values.astype(float)
        heard = (offset > times.min() - 32) & (offset < times.max())
        if not heard.any():
            return [Problem("no word falls within the time of the recording; are both in seconds, on one clock?")]
        late = int((offset > times.max()).sum())
        if late:
            return [Problem(f"{late} words end after the last row of the recording and predict nothing", fatal=False)]
    return []
