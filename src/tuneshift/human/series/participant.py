"""One participant's scans of all passages: read, cleaned, cut to what every passage has, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.series.confounds import read_confounds, without_confounds
from tuneshift.human.series.missing import missing_counts, usable_targets, without_infinite
from tuneshift.human.series.patterns import filled
from tuneshift.human.series.recipe import SeriesRecipe
from tuneshift.human.series.scans import Scans, read_scans


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
    read = {passage: _side_by_side(recipe, paths, names) for passage, paths in files.items()}
    read, dropped = _same_targets(name, read, files)
    first = next(iter(read.values()))
    n_targets = first.values.shape[1]
    scans, told = without_infinite(
        name, {passage: _after_discard(recipe, there.values, files[passage][0]) for passage, there in read.items()}
    )
    usable = usable_targets(name, scans)
    if isinstance(usable, str):
        return usable
    kept, lost = usable
    repetition_time = _repetition_time(recipe, read, files)
    passages = {
        passage: _cleaned(recipe, name, passage, values[:, kept], repetition_time) for passage, values in scans.items()
    }
    dropped += [*told, *lost, *missing_counts(name, passages)]
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


def _side_by_side(recipe: SeriesRecipe, paths: tuple[Path, ...], names: dict[int, str]) -> Scans:
    """Read the files of one passage (hemispheres, for one) and put their targets next to each other."""
    masks, atlases = (_one_a_pattern(recipe, what, len(paths)) for what in ("mask", "atlas"))
    parts = []
    for number, (path, mask, atlas) in enumerate(zip(paths, masks, atlases, strict=True)):
        scans = read_scans(path, recipe.array, mask, atlas, names)
        if "voxel" in scans.along:
            scans.along["voxel"] = scans.along["voxel"] + number * 10**8  # vertices of two files stay apart
        parts.append(scans)
    lengths = {len(part.values) for part in parts}
    if len(lengths) > 1:
        raise BadInput(f"{paths[0]} and {paths[1]} have {' and '.join(map(str, sorted(lengths)))} scans, not as many.")
    values = np.concatenate([part.values for part in parts], axis=1)
    regions = _regions(recipe, paths, parts, values.shape[1])
    shared = set.intersection(*(set(part.along) for part in parts))
    along = {key: np.concatenate([part.along[key] for part in parts]) for key in sorted(shared)}
    constant = sum(part.n_constant for part in parts)
    notes = tuple(note for part in parts for note in part.notes)
    return Scans(values, regions, along, parts[0].repetition_time, constant, notes)


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
    dropped = [f"participant {name}, {passage}: {note}" for passage, scans in read.items() for note in scans.notes]
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


def _repetition_time(recipe: SeriesRecipe, read: Mapping[str, Scans], files: Mapping[str, tuple[Path, ...]]) -> float:
    said = {passage: scans.repetition_time for passage, scans in read.items() if scans.repetition_time is not None}
    wanted = recipe.repetition_time or next(iter(said.values()), None)
    if wanted is None:
        raise BadInput(f"recipe {recipe.name}: give `repetition_time` (seconds); the files of scans do not say it.")
    for passage, there in said.items():
        if abs(there - wanted) > 1e-3 and abs(there / 1000 - wanted) > 1e-3:
            source = "recipe" if recipe.repetition_time else "first file"
            raise BadInput(f"{files[passage][0]} has a repetition time of {there:g} s, the {source} says {wanted:g} s.")
    return wanted


def _after_discard(recipe: SeriesRecipe, values: np.ndarray, path: Path) -> np.ndarray:
    if len(values) <= recipe.discard + 1:
        raise BadInput(f"{path} has {len(values)} scans, but the recipe discards {recipe.discard} of them.")
    return values[recipe.discard :]


def _cleaned(recipe: SeriesRecipe, name: str, passage: str, values: np.ndarray, repetition_time: float) -> np.ndarray:
    """Return scans (n, k) without confounds and z-scored, as the recipe says; missing ones count for nothing."""
    from tuneshift.numerics.haemodynamics import cleaned_stretch  # scipy.signal takes a second that `import` need not

    if recipe.confounds is not None:
        where = filled(recipe.folder, recipe.confounds.file, name, passage)
        n_scans = len(values) + recipe.discard
        confounds = read_confounds(where, recipe.confounds.columns, recipe.confounds.skip, n_scans)
        try:
            values = without_confounds(values, confounds[recipe.discard :], repetition_time, recipe.high_pass)
        except BadInput as error:
            raise BadInput(f"participant {name}, {passage}: {error}") from error
    return cleaned_stretch(values, repetition_time, None) if recipe.scale == "z" else values
