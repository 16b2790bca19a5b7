"""Where in the brain a model predicts responses: held-out scores on a glass brain, for recordings with coordinates."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tuneshift.errors import MissingExtra
from tuneshift.findings.source import Cell
from tuneshift.report.blocks.section import Image, Leaf, Paragraph
from tuneshift.result import Result
from tuneshift.vocabulary.words import number

AXES = ("mni_x", "mni_y", "mni_z")
CUBE = 4.0
"""Edge, in mm, of the cubes within which voxels of different participants are one place."""

_COLOURS = "viridis_r"  # told apart with any colour vision, and dark on white where the score is high
_SCORES = {"rsa": "Spearman r of dissimilarities", "cka": "linear CKA"}
_INCHES = (10.0, 2.7)
_DOTS = 110  # per inch


@dataclass(frozen=True)
class Places:
    """Scores (m,) at MNI coordinates (m, 3) in mm, and the region of each."""

    scores: np.ndarray
    coordinates: np.ndarray
    regions: tuple[str, ...]


def glass_brains(setting: tuple[str, ...], cells: Sequence[tuple[Cell, Result]]) -> Iterator[Leaf]:
    """Yield one picture a model measured in this setting (data set, split, mapping), all with the same colours.

    A result without MNI coordinates (`mni_x`, `mni_y`, `mni_z` in mm along its targets) gives none. Without nilearn
    (extra `surface`), one sentence says what to install.
    """
    found = [(cell.model, places(result.arrays["r_nested"])) for cell, result in cells if _belongs(setting, result)]
    found = [(model, place) for model, place in found if len(place.scores)]
    if not found:
        return
    highest = float(np.quantile(np.concatenate([place.scores for _, place in found]), 0.98))
    label = _SCORES.get(setting[2].partition(",")[0], "Pearson r")
    where = ", ".join(part for part in setting if part)
    key = "-".join(setting).replace(" ", "-")
    for count, (model, place) in enumerate(found):
        try:
            picture = drawn(place, max(highest, 0.01), label)
        except MissingExtra as missing:
            yield Paragraph(f"The scores have places in the brain, but no picture of them could be drawn: {missing}")
            return
        yield Image(
            f"brain-places-{key}-{count}",
            f"Where {model} predicts responses ({where}): {label} on held-out text, in the layer chosen by nested "
            f"cross-validation, mean over participants with a voxel within the same {CUBE:g} mm. Seen through the head "
            "from the left, the back, the right and above; higher scores lie on top. All models of this setting share "
            f"the colours, which end at 0 and at the 98th percentile, {number(max(highest, 0.01))}.",
            _told(model, place, label),
            picture,
            model=model,
            dataset=setting[0],
        )


def places(scores: xr.DataArray) -> Places:
    """Return where scores (v,) lie, means over the targets of a participant within a cube, then over participants.

    Targets without a score or a coordinate are left out; the result is in ascending order of scores.
    """
    if not set(AXES) <= set(scores.coords):
        return Places(np.empty(0), np.empty((0, 3)), ())
    at = np.stack([scores[axis].values.astype(float) for axis in AXES], axis=1)
    kept = np.isfinite(at).all(axis=1) & np.isfinite(scores.values)
    at, values = at[kept], scores.values[kept]
    people, regions = scores["participant"].values[kept], scores["region"].values[kept]
    cubes, cube_of = np.unique(np.round(at / CUBE), axis=0, return_inverse=True)
    _, person_of = np.unique(people, return_inverse=True)
    pairs, pair_of = np.unique(np.stack([cube_of.ravel(), person_of]), axis=1, return_inverse=True)
    own = np.bincount(pair_of.ravel(), values) / np.bincount(pair_of.ravel())
    mean = np.bincount(pairs[0], own, len(cubes)) / np.bincount(pairs[0], minlength=len(cubes))
    count = np.bincount(cube_of.ravel(), minlength=len(cubes))
    middle = np.stack([np.bincount(cube_of.ravel(), axis, len(cubes)) / count for axis in at.T], axis=1)
    _, first = np.unique(cube_of.ravel(), return_index=True)
    order = np.argsort(mean, kind="stable")
    return Places(mean[order], middle[order], tuple(str(regions[first[i]]) for i in order))


def drawn(place: Places, highest: float, label: str) -> str:
    """Return a PNG of markers on nilearn's glass brain as a data URI; colours go from 0 to `highest`.

    Nothing is fetched: the outlines are part of nilearn. Raises MissingExtra where nilearn or matplotlib is absent.
    """
    try:
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize
        from matplotlib.figure import Figure
        from nilearn.plotting import plot_glass_brain
    except ImportError as error:
        raise MissingExtra("nilearn", "surface") from error
    figure = Figure(figsize=_INCHES, dpi=_DOTS, facecolor="white")
    shades = ScalarMappable(Normalize(0, highest), colormaps[_COLOURS])
    display = plot_glass_brain(None, display_mode="lyrz", figure=figure, axes=(0, 0, 0.9, 1), annotate=True)
    size = float(np.clip(2e4 / max(len(place.scores), 1), 4, 60))
    display.add_markers(place.coordinates, marker_color=list(shades.to_rgba(place.scores)), marker_size=size, alpha=0.9)
    bar = figure.colorbar(shades, cax=figure.add_axes((0.92, 0.12, 0.012, 0.76)), extend="both")
    bar.set_label(label)
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor="white")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def _belongs(setting: tuple[str, ...], result: Result) -> bool:
    if "r_nested" not in result.arrays or result.table.empty:
        return False
    first = result.table.iloc[0]
    same = tuple(str(first[name]) for name in ("measurement", "dataset", "split", "mapping"))
    return same == ("brain", *setting)


def _told(model: str, place: Places, label: str) -> str:
    """Say in words what the picture shows."""
    x, y, z = (f"{value:.0f}".replace("-", "\u2212") for value in place.coordinates[-1])
    region = f" ({place.regions[-1]})" if place.regions[-1] else ""
    return (
        f"{label} of {model} at {len(place.scores)} places: median {number(float(np.median(place.scores)))}, highest "
        f"{number(float(place.scores[-1]))} at MNI {x}, {y}, {z}{region}."
    )
