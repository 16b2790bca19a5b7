"""From files of scans and words to a Recording: participants side by side, passages one after another on one clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.recordings.recording import Recording, WordTrack
from tuneshift.human.recordings.recording_checks import recording_problems
from tuneshift.human.recordings.series.participant import ParticipantScans, read_participant
from tuneshift.human.recordings.series.patterns import filled, find_files
from tuneshift.human.recordings.series.recipe import SeriesRecipe, read_recipe
from tuneshift.human.recordings.series.region_names import read_region_names
from tuneshift.human.recordings.series.word_times import HeardWords, read_words
from tuneshift.human.recordings.series.words_beside_scans import words_beside_scans
from tuneshift.human.text.problems import some
from tuneshift.human.text.transcript import SpokenWord
from tuneshift.progress import Progress, silent

_PAUSE = 60.0  # seconds between passages: longer than any haemodynamic response lasts


def import_series(recipe: SeriesRecipe | str | Path, progress: Progress = silent) -> Recording:
    """Return the recording that a recipe (or its YAML file) describes: (scans, targets), with the words heard.

    Passages follow each other on one clock, with a minute between; a participant without a passage has NaN there.
    Raises BadInput with the first file, row or key that does not fit.
    """
    if not isinstance(recipe, SeriesRecipe):
        recipe = read_recipe(recipe)
    files = _files(recipe)
    passages = _passages(recipe, files)
    names = {} if recipe.region_names is None else read_region_names(recipe.folder / recipe.region_names)
    words = {passage: _words(recipe, passage) for passage in passages}
    people: list[ParticipantScans] = []
    dropped: list[str] = _without_runs(files, passages)
    for number, (name, by_passage) in enumerate(files.items()):
        progress("reading scans", number, len(files))
        mine = {passage: by_passage[passage] for passage in passages if passage in by_passage}
        read = read_participant(recipe, name, mine, names) if mine else f"participant {name} has none of the passages"
        if isinstance(read, str):
            dropped.append(read)
            continue
        people.append(read)
        dropped += read.dropped
    progress("reading scans", len(files), len(files))
    if not people:
        raise BadInput(f"recipe {recipe.name}: nothing is left to measure: {dropped[0]}.")
    repetition_time = _same_repetition_time(people)
    lengths = _lengths(recipe, people, passages, dropped)
    for passage in lengths:
        n_scans = max(len(person.passages[passage]) for person in people if passage in person.passages)
        dropped += words_beside_scans(recipe, passage, words[passage].words, n_scans, repetition_time)
    times, track = _on_one_clock(recipe, lengths, words, repetition_time)
    dropped += dict.fromkeys(sentence for passage in lengths for sentence in words[passage].said)
    recording = _recording(recipe, people, lengths, times, track, repetition_time, dropped)
    n_pauses = sum(words[passage].n_pauses for passage in lengths)
    if n_pauses:
        recording.notes["pauses"] = f"{n_pauses} marks of silence among the words are none"
    fatal = [problem.sentence for problem in recording_problems(recording) if problem.fatal]
    if fatal:
        raise BadInput(f"recipe {recipe.name}: {fatal[0]}.")
    return recording


def _files(recipe: SeriesRecipe) -> dict[str, dict[str, tuple[Path, ...]]]:
    """Return participant -> passage -> files (one a pattern), in natural order of the participants."""
    found = [find_files(recipe.folder, pattern) for pattern in recipe.series]
    for pattern, other in zip(recipe.series[1:], found[1:], strict=True):
        apart = sorted(set(found[0]) ^ set(other))
        if apart:
            who, passage = apart[0]
            raise BadInput(f"pattern {pattern!r} and the first do not both find participant {who!r}, {passage!r}.")
    out: dict[str, dict[str, tuple[Path, ...]]] = {}
    for participant, passage in sorted(found[0], key=lambda key: (_natural(key[0]), _natural(key[1]))):
        name = participant or "1"
        if recipe.participants is None or name in recipe.participants:
            paths = tuple(files[participant, passage] for files in found)
            out.setdefault(name, {})[passage or recipe.passage] = paths
    if recipe.renumber:
        out = _renumbered(recipe, out)
    missing = [name for name in recipe.participants or () if name not in out]
    if missing:
        raise BadInput(
            f"recipe {recipe.name}: pattern {recipe.series[0]!r} finds no file of participant {some(missing)}."
        )
    return out


def _passages(recipe: SeriesRecipe, files: Mapping[str, Mapping[str, object]]) -> list[str]:
    there = sorted({passage for by_passage in files.values() for passage in by_passage}, key=_natural)
    if recipe.passages is None:
        return there
    missing = [passage for passage in recipe.passages if passage not in there]
    if missing:
        raise BadInput(f"recipe {recipe.name}: no file holds passage {some(missing)}; there are {some(there, 8)}.")
    return [passage for passage in there if passage in recipe.passages]


def _renumbered(
    recipe: SeriesRecipe, files: dict[str, dict[str, tuple[Path, ...]]]
) -> dict[str, dict[str, tuple[Path, ...]]]:
    """Call each participant's runs 1, 2, ...; one who has fewer would get the words of other runs."""
    count = {name: len(mine) for name, mine in files.items()}
    if len(set(count.values())) > 1:
        least, most = min(count, key=lambda n: count[n]), max(count, key=lambda n: count[n])
        raise BadInput(
            f"recipe {recipe.name}, `renumber`: participant {least} has {count[least]} runs "
            f"({some(list(files[least]))}), {most} has {count[most]} ({some(list(files[most]), 8)}), and which are "
            "missing cannot be known; name the files alike and leave `renumber` out, or choose `participants`."
        )
    return {name: {str(n): paths for n, paths in enumerate(mine.values(), 1)} for name, mine in files.items()}


def _without_runs(files: Mapping[str, Mapping[str, object]], passages: list[str]) -> list[str]:
    """Say which participants have no file of which passages."""
    told = []
    for name, mine in files.items():
        lost = [passage for passage in passages if passage not in mine]
        if lost and len(lost) < len(passages):
            told.append(
                f"participant {name} has no file of {len(lost)} of {len(passages)} passages "
                f"({some(lost, 12)}): missing there"
            )
    return told


def _natural(name: str) -> list[tuple[int, int, str]]:
    """run 2 comes before run 10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _words(recipe: SeriesRecipe, passage: str) -> HeardWords:
    for pattern in (recipe.words.file, recipe.words.printed or ""):
        if "{participant}" in pattern:
            raise BadInput(
                f"pattern {pattern!r}: everybody heard the same words, so {{participant}} has no place in it."
            )
    path = filled(recipe.folder, recipe.words.file, "", passage)
    printed = filled(recipe.folder, recipe.words.printed, "", passage) if recipe.words.printed else None
    return read_words(path, recipe.words, printed)


def _same_repetition_time(people: list[ParticipantScans]) -> float:
    for other in people[1:]:
        if abs(other.repetition_time - people[0].repetition_time) > 1e-3:
            raise BadInput(
                f"participant {other.name} has a repetition time of {other.repetition_time:g} s, {people[0].name} of "
                f"{people[0].repetition_time:g} s: import them apart."
            )
    return people[0].repetition_time


def _lengths(
    recipe: SeriesRecipe, people: list[ParticipantScans], passages: list[str], dropped: list[str]
) -> dict[str, int]:
    lengths = {}
    for passage in passages:
        found = {person.name: len(person.passages[passage]) for person in people if passage in person.passages}
        if not found:
            dropped.append(f"passage {passage} was left out: no participant is left who heard it")
            continue
        lengths[passage] = min(found.values())
        if len(set(found.values())) > 1:
            least, most = min(found, key=lambda n: found[n]), max(found, key=lambda n: found[n])
            if not recipe.shortest:
                raise BadInput(
                    f"passage {passage!r}: {least} has {found[least]} scans, {most} {found[most]}; set "
                    "`shortest: true` in the recipe to leave out what comes after the shortest."
                )
            n_lost = sum(found.values()) - len(found) * found[least]
            dropped.append(
                f"{n_lost} scans of passage {passage}, after the first {found[least]}, were left out: {least} has "
                "no more"
            )
    return lengths


def _on_one_clock(
    recipe: SeriesRecipe,
    lengths: Mapping[str, int],
    words: Mapping[str, HeardWords],
    repetition_time: float,
) -> tuple[np.ndarray, WordTrack]:
    """Return the time of every scan and all words; the first passage keeps its own clock."""
    times: list[np.ndarray] = []
    spoken: list[tuple[SpokenWord, float, str]] = []
    shift = 0.0
    for passage, n_scans in lengths.items():
        own = recipe.first_scan + repetition_time * (recipe.discard + np.arange(n_scans))
        heard = words[passage].words
        if times:
            earliest = min(own[0], heard[0].onset)
            shift = np.ceil(max(times[-1][-1] + repetition_time, _end(spoken)) + _PAUSE - earliest)
        times.append(own + shift)
        spoken += [(word, shift, passage) for word in heard]
    return np.concatenate(times), WordTrack(
        words=tuple(word.text for word, *_ in spoken),
        onset=np.array([word.onset + shift for word, shift, _ in spoken]),
        offset=np.array([word.offset + shift for word, shift, _ in spoken]),
        passage=tuple(passage for *_, passage in spoken),
    )


def _end(spoken: list[tuple[SpokenWord, float, str]]) -> float:
    return max(word.offset + shift for word, shift, _ in spoken)


def _recording(
    recipe: SeriesRecipe,
    people: list[ParticipantScans],
    lengths: Mapping[str, int],
    times: np.ndarray,
    track: WordTrack,
    repetition_time: float,
    dropped: list[str],
) -> Recording:
    begins = dict(zip(lengths, np.cumsum([0, *lengths.values()])[:-1].tolist(), strict=True))
    widths = [len(person.regions) for person in people]
    values = np.full((len(times), sum(widths)), np.nan)
    for person, right in zip(people, np.cumsum(widths).tolist(), strict=True):
        columns = slice(right - len(person.regions), right)
        for passage, scans in person.passages.items():
            if passage in lengths:
                rows = slice(begins[passage], begins[passage] + lengths[passage])
                values[rows, columns] = scans[: lengths[passage]]
    shared = set.intersection(*(set(person.along) for person in people))
    if recipe.space == "mni" and "voxel" in shared and not {"x_mm", "structure"} & shared:
        raise BadInput(
            f"recipe {recipe.name}: `space` is mni, but the headers say no place of voxels (qform and sform code 0), "
            "or the files are surfaces; mend them, or say `native` or `surface`."
        )
    if recipe.space != "surface":  # a voxel's number is no place: grids differ, and in native space brains do
        shared -= {"voxel"}
    renamed = {f"{axis}_mm": f"mni_{axis}" if recipe.space == "mni" else f"{axis}_mm" for axis in "xyz"}
    along = {renamed.get(k, k): ("target", np.concatenate([p.along[k] for p in people])) for k in sorted(shared)}
    notes = {}
    if recipe.confounds is not None:
        chosen = ", ".join(recipe.confounds.columns) if recipe.confounds.columns else "all columns"
        notes["confounds"] = f"regressed out: {chosen} of {recipe.confounds.file}"
    if recipe.scale == "z":
        notes["scale"] = "z-scored within each passage"
    return Recording(
        name=recipe.name,
        data=xr.DataArray(
            values,
            dims=("stimulus", "target"),
            coords={
                "time": ("stimulus", times),
                "passage": ("stimulus", np.repeat(list(lengths), list(lengths.values()))),
                "participant": ("target", np.repeat([p.name for p in people], widths)),
                "region": ("target", np.concatenate([p.regions for p in people])),
                "target_name": ("target", np.concatenate([p.target_names for p in people])),
                **along,
            },
        ),
        unit="z" if recipe.scale == "z" else recipe.unit,
        words=track,
        dropped=tuple(dropped),
        repetition_time=repetition_time,
        high_pass=recipe.high_pass,
        space=recipe.space,
        notes=notes,
    )
