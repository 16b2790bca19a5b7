"""What can be wrong with a recording, whatever file it came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.human.recordings.own_recording import ALONG, STRINGS, target_names, text_values
from tuneshift.human.recordings.recording import SPACES, Recording, WordTrack
from tuneshift.human.recordings.scan_times import far_after, repetition_problem, repetition_time_of, time_problem
from tuneshift.human.text.problems import Problem, some

UNITS = ("z", "% signal", "a.u.", "V", "mV", "µV", "uV", "T", "pT", "fT", "dB", "high gamma")
"""Units of responses that reports know by name; any other is shown as it is written."""


_BLOCK = 4096  # targets that are looked at together: whole brains do not fit twice


def checked(recording: Recording) -> Recording:
    """Return a recording as measurements need it; for recordings from a file and from Python alike.

    Dimensions are (`stimulus`, `target`); labels are strings; `region` ("") and `target_name` are there; where there
    are words or a high-pass filter, the repetition time is that of `time` unless it is given (left out where steps
    differ and nothing filters).

    Raises BadInput with the first thing that a measurement cannot do without, in one sentence.
    """
    misplaced = _layout(recording)
    if misplaced is None:
        recording = _in_order(recording)
        fatal = [problem for problem in recording_problems(recording) if problem.fatal]
        misplaced = fatal[0] if fatal else None
    if misplaced is not None:
        raise BadInput(f"{recording.name}: {misplaced.sentence}.")
    if recording.repetition_time is None and (recording.is_time_series or recording.high_pass is not None):
        try:
            recording = replace(recording, repetition_time=repetition_time_of(recording))
        except BadInput:
            if recording.high_pass is not None:
                raise
    return recording


def _layout(recording: Recording) -> Problem | None:
    data = recording.data
    if set(data.dims) != {"stimulus", "target"}:
        return Problem(f"responses must be (stimulus, target), not ({', '.join(map(str, data.dims))})")
    for dimension in ("stimulus", "target"):
        if not data.sizes[dimension]:
            return Problem(f"holds no {dimension}: there is nothing to measure")
    if data.dtype.kind not in "fiu":
        return Problem(f"responses must be numbers, not {data.dtype}")
    if "participant" not in data.coords:
        return Problem("has no `participant` along `target`: whose brain is each target?")
    for name, dimension in ALONG.items():
        if name in data.coords and data[name].dims != (dimension,):
            return Problem(f"`{name}` must lie along ({dimension}), not ({', '.join(map(str, data[name].dims))})")
    if recording.space not in SPACES:
        return Problem(f"`space` is {recording.space!r}; it must be one of {', '.join(SPACES)}")
    track = recording.words
    if track is not None:
        lengths = {len(track.words), len(track.onset), len(track.offset), len(track.passage)}
        if len(lengths) > 1:
            return Problem("the words, their onsets, offsets and passages must be equally many")
        for name in ("onset", "offset"):
            if np.asarray(getattr(track, name)).dtype.kind not in "fiu":
                return Problem(f"the {name} of words must be seconds, not {np.asarray(getattr(track, name)).dtype}")
    return None


def _in_order(recording: Recording) -> Recording:
    data = recording.data.transpose("stimulus", "target")
    several = [str(d) for d in data.dims if isinstance(data.indexes.get(d), pd.MultiIndex)]
    if several:
        data = data.reset_index(several)
    strings = {
        name: (data[name].dims[0], text_values(data[name].values, always=True))
        for name in ALONG
        if name in STRINGS and name in data.coords and data[name].dtype.kind != "U"
    }
    data = data.assign_coords(strings)
    if "region" not in data.coords:
        data = data.assign_coords(region=("target", np.full(data.sizes["target"], "")))
    if "target_name" not in data.coords:
        names = target_names(data["participant"].values, data["region"].values)
        data = data.assign_coords(target_name=("target", names))
    return replace(recording, data=data)


def recording_problems(recording: Recording) -> list[Problem]:
    """Return what would spoil or weaken a measurement, worst first; an empty list for a sound recording.

    Fatal: no response at all, infinite responses, empty texts, passages that are missing for some stimuli, repeated
    target names, times that do not increase, words without a passage or outside the recording, a high-pass filter
    without a repetition time. Warnings: missing responses, constant targets, no passages, a unit unknown to reports.
    """
    found = [*_targets(recording), *_responses(recording)]
    if recording.words is None:
        found += _texts(recording)
    if recording.is_time_series or "time" in recording.data.coords:
        timed = recording.is_time_series or recording.high_pass is not None
        wrong = time_problem(recording)
        if wrong is not None and (timed or recording.data["time"].dtype.kind not in "fiu"):
            found.append(wrong)
        elif recording.words is not None:
            found += _words(recording, recording.words)
    found += _passages(recording)
    if recording.unit not in UNITS:
        found.append(Problem(f"unit {recording.unit!r} is none of {', '.join(UNITS)}; shown as it is", fatal=False))
    wrong = repetition_problem(recording)
    if wrong is not None and not any(problem.fatal for problem in found):
        found.append(wrong)
    return sorted(found, key=lambda problem: not problem.fatal)


def _responses(recording: Recording) -> list[Problem]:
    values, names = recording.data.values, recording.data["target_name"].values.astype(object)
    n_targets = len(names)
    known, missing, infinite = (np.zeros(n_targets, dtype=int) for _ in range(3))
    low, high = np.full(n_targets, np.inf), np.full(n_targets, -np.inf)
    for begin in range(0, n_targets, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        part = values[:, block]
        finite = np.isfinite(part)
        known[block] = finite.sum(axis=0)
        missing[block] = np.isnan(part).sum(axis=0)
        infinite[block] = np.isinf(part).sum(axis=0)
        low[block] = np.where(finite, part, np.inf).min(axis=0)
        high[block] = np.where(finite, part, -np.inf).max(axis=0)
    if not known.any():
        return [Problem("holds no response at all: every value is NaN")]
    found = []
    if infinite.any():
        column = np.flatnonzero(infinite)[0]
        row = np.flatnonzero(np.isinf(values[:, column]))[0]
        found.append(
            Problem(f"response of stimulus {row + 1}, target {names[column]!r} is infinite ({infinite.sum()} such)")
        )
    empty = missing == len(values)
    if empty.any():
        found.append(
            Problem(f"{empty.sum()} of {n_targets} targets hold no response at all ({some(names[empty])})", False)
        )
    constant = (known > 0) & (low == high)
    if constant.any():
        found.append(
            Problem(
                f"{constant.sum()} of {n_targets} targets never vary and will be left out ({some(names[constant])})",
                fatal=False,
            )
        )
    holes = np.where(empty, 0, missing)
    if holes.any():
        column = np.flatnonzero(holes)[0]
        row = np.flatnonzero(np.isnan(values[:, column]))[0]
        found.append(
            Problem(
                f"{holes.sum()} responses are NaN (first: stimulus {row + 1}, target {names[column]!r}); each target "
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
        return [Problem("has neither a `text` along `stimulus` nor words with their times")]
    texts = recording.data["text"].values
    empty = [row + 1 for row, text in enumerate(texts) if not str(text).strip()]
    if empty:
        return [Problem(f"`text` is empty at stimulus {some(empty)}: give what the participant read or heard")]
    lost = [row + 1 for row, text in enumerate(texts) if "\ufffd" in str(text)]
    if lost:
        return [Problem(f"`text` of stimulus {some(lost)} holds U+FFFD: a letter was lost in another encoding")]
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
    passages = text_values(recording.data["passage"].values, always=True)
    empty = [row + 1 for row, passage in enumerate(passages) if not str(passage)]
    if empty:
        return [Problem(f"`passage` is empty at stimulus {some(empty)}: every stimulus needs one")]
    n_passages = len(np.unique(passages))
    if n_passages < 5 and not recording.is_time_series:
        return [Problem(f"has {n_passages} passages: 5 or more are needed for grouped splits in 5 folds", fatal=False)]
    return []


def _words(recording: Recording, track: WordTrack) -> list[Problem]:
    onset, offset = np.asarray(track.onset, float), np.asarray(track.offset, float)
    if not track.words:
        return [Problem("holds no words, so there is nothing a model could read")]
    bad = np.flatnonzero(~np.isfinite(onset) | ~np.isfinite(offset))
    if len(bad):
        return [Problem(f"word {bad[0] + 1} ({track.words[bad[0]]!r}) has no onset or no offset ({len(bad)} such)")]
    found = []
    empty = [number + 1 for number, word in enumerate(track.words) if not str(word).strip()]
    if empty:
        found.append(Problem(f"word {some(empty)} is empty: leave pauses out of the words"))
    lost = [number + 1 for number, word in enumerate(track.words) if "\ufffd" in str(word)]
    if lost:
        found.append(Problem(f"word {some(lost)} holds U+FFFD: a letter was lost in another encoding"))
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
        unknown = sorted(set(map(str, track.passage)) - set(recording.data["passage"].values.astype(str).tolist()))
        if unknown:
            return [Problem(f"words belong to passage {some(unknown)}, which no row of the recording has")]
    if "time" in recording.data.coords and recording.data.sizes["stimulus"]:
        times = recording.data["time"].values.astype(float)
        heard = (offset > times.min() - 32) & (offset < times.max())
        if not heard.any():
            return [Problem("no word falls within the time of the recording; are both in seconds, on one clock?")]
        if far_after(float(offset.max()), float(times.min()), float(times.max())):
            return [
                Problem(
                    f"the last word ends at {offset.max():g} s, long after the last row ({times.max():g} s); are both "
                    "in seconds, on one clock?"
                )
            ]
        late = int((offset > times.max()).sum())
        if late:
            return [Problem(f"{late} words end after the last row of the recording and predict nothing", fatal=False)]
    return []
