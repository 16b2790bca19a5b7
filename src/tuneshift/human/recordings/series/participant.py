"""One participant's scans of all passages: read, cleaned, cut to what every passage has, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.series.confounds import read_confounds, without_confounds
from tuneshift.human.recordings.series.missing import (
    missing_counts,
    usable_targets,
    without_flat_runs,
    without_infinite,
)
from tuneshift.human.recordings.series.patterns import filled
from tuneshift.human.recordings.series.recipe import SeriesRecipe
from tuneshift.human.recordings.series.scan_file import Scans
from tuneshift.human.recordings.series.scans import read_scans
from tuneshift.human.recordings.series.stated_time import StatedTime, repetition_time_of_files


@dataclass(frozen=True)
class ParticipantScans:
    """`passages` maps each passage to (scans, targets); targets are the same in all of them."""

    name: str
    passages: dict[str, np.ndarray]
    regions: np.ndarray
    target_names: np.ndarray
    along: dict[str, np.ndarray]
    repetition_time: float
    dropped: tuple[str, ...]


def read_participant(
    recipe: SeriesRecipe, name: str, files: Mapping[str, tuple[Path, ...]], names: dict[int, str]
) -> ParticipantScans | str:
    """Return a participant's scans of each passage, or why the participant was left out.

    Scans without any number, and gaps of targets that hold numbers in at least half of the scans, are missing (NaN);
    infinite values count as missing. Other targets, and those that never vary, are left out. All is counted.
    """
    stated: dict[Path, StatedTime] = {}
    read = {passage: _side_by_side(recipe, paths, names, stated) for passage, paths in files.items()}
    repetition_time, said = repetition_time_of_files(recipe.name, recipe.repetition_time, stated)
    read, dropped = _same_targets(name, read, files)
    dropped += [f"participant {name}: {sentence}" for sentence in said]
    first = next(iter(read.values()))
    n_targets = first.values.shape[1]
    scans, told = without_infinite(
        name, {passage: _after_discard(recipe, there.values, files[passage][0]) for passage, there in read.items()}
    )
    scans, flat = without_flat_runs(name, scans)
    usable = usable_targets(name, scans)
    if isinstance(usable, str):
        return usable
    kept, lost = usable
    filled_in: list[str] = []
    passages = {
        passage: _cleaned(recipe, name, passage, values[:, kept], repetition_time, filled_in)
        for passage, values in scans.items()
    }
    dropped += [*told, *flat, *lost, *filled_in, *missing_counts(name, passages)]
    regions = first.regions if first.regions is not None else np.full(n_targets, "")
    numbered = first.along["voxel"] if "voxel" in first.along else np.arange(1, n_targets + 1)
    labels = regions if len(set(regions.tolist())) == n_targets else numbered
    return ParticipantScans(
        name=name,
        passages=passages,
        regions=regions[kept].astype(str),
        target_names=np.array([f"{name} {label}" for label in labels[kept]]),
        along={key: values[kept] for key, values in first.along.items()},
        repetition_time=repetition_time,
        dropped=tuple(dropped),
    )


def _side_by_side(
    recipe: SeriesRecipe, paths: tuple[Path, ...], names: dict[int, str], stated: dict[Path, StatedTime]
) -> Scans:
    """Read the files of one passage (hemispheres, for one) and put their targets next to each other.

    What each file says of the repetition time goes into `stated`.
    """
    masks, atlases = (_one_a_pattern(recipe, what, len(paths)) for what in ("mask", "atlas"))
    parts = []
    for number, (path, mask, atlas) in enumerate(zip(paths, masks, atlases, strict=True)):
        scans = read_scans(path, recipe.array, mask, atlas, names)
        if len(scans.values) < 2:
            raise BadInput(f"{path} has {len(scans.values)} scans; a time series needs two and more.")
        if "voxel" in scans.along:
            scans.along["voxel"] = scans.along["voxel"] + number * 10**8  # vertices of two files stay apart
        parts.append(scans)
        if scans.stated is not None:
            stated[path] = scans.stated
    lengths = {len(part.values) for part in parts}
    if len(lengths) > 1:
        raise BadInput(f"{paths[0]} and {paths[1]} have {' and '.join(map(str, sorted(lengths)))} scans, not as many.")
    values = np.concatenate([part.values for part in parts], axis=1)
    regions = _regions(recipe, paths, parts, values.shape[1])
    shared = set.intersection(*(set(part.along) for part in parts))
    along = {key: np.concatenate([part.along[key] for part in parts]) for key in sorted(shared)}
    constant = sum(part.n_constant for part in parts)
    notes = tuple(note for part in parts for note in part.notes)
    grid = " beside ".join(str(part.grid) for part in parts) if all(part.grid for part in parts) else None
    return Scans(values, regions, along, None, constant, notes, grid)


def _one_a_pattern(recipe: SeriesRecipe, what: str, n_patterns: int) -> list[Path | None]:
    given: tuple[str, ...] | None = getattr(recipe, what)
    if given is None:
        return [None] * n_patterns
    if len(given) != n_patterns:
        raise BadInput(f"recipe {recipe.name}: gives {len(given)} `{what}` for {n_patterns} patterns of `series`.")
    return [recipe.folder / path for path in given]


def _regions(recipe: SeriesRecipe, paths: tuple[Path, ...], parts: list[Scans], n_targets: int) -> np.ndarray | None:
    if recipe.regions is not None:
        if len(recipe.regions) != n_targets:
            raise BadInput(f"{paths[0]} has {n_targets} columns, but the recipe names {len(recipe.regions)} `regions`.")
        return np.array(recipe.regions)
    if all(part.regions is not None for part in parts):
        return np.concatenate([part.regions for part in parts if part.regions is not None])
    return None


def _same_targets(
    name: str, read: dict[str, Scans], files: Mapping[str, tuple[Path, ...]]
) -> tuple[dict[str, Scans], list[str]]:
    """Keep the voxels (or regions) that all passages have; files without either must have as many columns."""
    passages = list(read)
    first = read[passages[0]]
    said: dict[str, list[str]] = {}
    for passage, scans in read.items():
        for note in scans.notes:
            said.setdefault(note, []).append(passage)
    dropped = [f"participant {name}, {_together(where, passages)}: {note}" for note, where in said.items()]
    for passage in passages[1:]:
        if read[passage].grid != first.grid:
            raise BadInput(
                f"{files[passage][0]} has other places than {files[passages[0]][0]} ({read[passage].grid}, not "
                f"{first.grid}): bring one participant's files to one grid first."
            )
    n_constant = first.n_constant
    if "voxel" in first.along:
        common = set.intersection(*(set(scans.along["voxel"].tolist()) for scans in read.values()))
        n_constant += len(first.along["voxel"]) - len(common)
        if len(common) < len(first.along["voxel"]):
            read = {p: _chosen(s, np.isin(s.along["voxel"], list(common))) for p, s in read.items()}
        if not common:
            raise BadInput(f"participant {name}: no voxel varies in all of {len(passages)} passages.")
    if n_constant:
        dropped.append(f"{n_constant} voxels of participant {name} were left out: they never vary (no mask given)")
    if "voxel" in first.along:
        return read, dropped
    for passage in passages[1:]:
        other = read[passage]
        if other.values.shape[1] != first.values.shape[1]:
            raise BadInput(
                f"{files[passage][0]} has {other.values.shape[1]} targets, {files[passages[0]][0]} has "
                f"{first.values.shape[1]}: one participant's files must have the same."
            )
        if first.regions is not None and other.regions is not None and (first.regions != other.regions).any():
            column = int(np.flatnonzero(first.regions != other.regions)[0])
            raise BadInput(
                f"{files[passage][0]}: column {column + 1} is {other.regions[column]!r}, in {files[passages[0]][0]} "
                f"{first.regions[column]!r}."
            )
    return read, dropped


def _chosen(scans: Scans, kept: np.ndarray) -> Scans:
    along = {key: values[kept] for key, values in scans.along.items()}
    return replace(scans, values=scans.values[:, kept], along=along)


def _together(some_passages: list[str], passages: list[str]) -> str:
    """What is said of every passage is said once."""
    several = len(passages) > 1 and len(some_passages) == len(passages)
    return f"all {len(passages)} passages" if several else ", ".join(some_passages)


def _after_discard(recipe: SeriesRecipe, values: np.ndarray, path: Path) -> np.ndarray:
    if len(values) <= recipe.discard + 1:
        told = f", but the recipe discards {recipe.discard} of them" if recipe.discard else ""
        raise BadInput(f"{path} has {len(values)} scans{told}; a time series needs two that are left.")
    return values[recipe.discard :]


def _cleaned(
    recipe: SeriesRecipe, name: str, passage: str, values: np.ndarray, repetition_time: float, told: list[str]
) -> np.ndarray:
    """Return scans (n, k) without confounds and z-scored, as the recipe says; missing ones count for nothing.

    What is to be said of the confounds goes into `told`.
    """
    from tuneshift.numerics.haemodynamics import cleaned_stretch  # scipy.signal takes a second that `import` need not

    if recipe.confounds is not None:
        where = filled(recipe.folder, recipe.confounds.file, name, passage)
        recorded = np.concatenate([np.ones(recipe.discard, dtype=bool), np.isfinite(values).any(axis=1)])
        confounds, said = read_confounds(where, recipe.confounds.columns, recipe.confounds.skip, recorded)
        told += [f"participant {name}, {passage}: {sentence}" for sentence in said]
        try:
            values = without_confounds(values, confounds[recipe.discard :], repetition_time, recipe.high_pass)
        except BadInput as error:
            raise BadInput(f"participant {name}, {passage}: {error}") from error
    return cleaned_stretch(values, repetition_time, None) if recipe.scale == "z" else values
