"""How tuning moved feed-forward layers: their subspaces turned, their components and words changed (section 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr

from tuneshift.inside.concepts.categories import Answers, Place, change_rows, share_rows
from tuneshift.inside.concepts.components import ComponentWords
from tuneshift.inside.concepts.concepts import LayerConcepts, browsable_layer, concepts_by_layer
from tuneshift.inside.concepts.measurement import FeedforwardConcepts, named, unnamed
from tuneshift.inside.concepts.rotation import matched_components, principal_angles, random_angles
from tuneshift.inside.pairing import as_weights, require_same_build
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent
from tuneshift.result import Result

RANDOM = "random rotation"


def concept_shift(
    base: LanguageModel | Weights,
    tuned: LanguageModel | Weights,
    spec: FeedforwardConcepts | None = None,
    *,
    progress: Progress = silent,
) -> Result:
    """Compare the feed-forward layers of a tuned model with those of its base, one layer of each in memory.

    Rows by layer: `rotation_deg` (mean principal angle between the subspaces of the first k components) and
    `rotation_max_deg` (the largest angle); `component_cosine` (mean |cosine| of components matched one to one);
    `concept_overlap` (Jaccard index of the words of matched components); `weight_change` (length of the difference of
    the weights over that of the base's). What rotations would be had tuning left nothing is the row with target
    "random rotation", over all layers, its interval that of random draws. With a namer, `category_share` of the tuned
    model by group of layers, `category_share_change` and `category_share_p` (see `inside.concepts.categories`).
    Raises BadInput where the two are no pair, MeasurementFailed where the namer stays busy.
    """
    spec = spec or FeedforwardConcepts()
    first, second = as_weights(base), as_weights(tuned)
    require_same_build(first, second)
    listed = spec.word_list(first)
    n_layers, d = first.anatomy.n_layers, first.anatomy.n_units
    k = spec.subspace(d)
    rows: list[dict[str, Any]] = []
    browsable: list[dict[str, Any]] = []
    angles = []
    words: dict[tuple[str, Place], list[str]] = {}
    pairs = zip(
        *(concepts_by_layer(w, listed, spec.n_components, spec.top_words) for w in (first, second)), strict=True
    )
    for layer, (before, after) in enumerate(pairs, start=1):
        turned, cosine, overlap = _compared(before, after, k)
        angles.append(turned)
        for metric, value, unit in (
            ("rotation_deg", turned.mean(), "degrees"),
            ("rotation_max_deg", turned.max(), "degrees"),
            ("component_cosine", cosine, "cosine"),
            ("concept_overlap", overlap, "Jaccard index"),
        ):
            rows.append(spec.row(layer=layer, metric=metric, value=value, n=k, unit=unit))
        change = _weight_change(first, second, layer - 1)
        rows.append(spec.row(layer=layer, metric="weight_change", value=change, unit="share"))
        for side, concepts in (("base", before), ("tuned", after)):
            browsable += browsable_layer(listed.words, concepts, layer, spec.kept_components, 30, side)
            words |= {(side, place): mine for place, mine in spec.words_to_name(listed, concepts, layer).items()}
        progress(f"feed-forward shift of {second.name}", layer, n_layers)
    random = random_angles(k, d)
    rows += _random_rows(spec, random)
    warnings = _notes(k, random)
    namer = spec.concept_namer()
    if namer is not None:
        said = namer.name(words, progress)
        answers: dict[str, Answers] = {
            side: {place: mine for (whose, place), mine in said.items() if whose == side} for side in ("base", "tuned")
        }
        rows += share_rows(answers["tuned"], n_layers, spec.row)
        rows += change_rows(answers["base"], answers["tuned"], n_layers, spec.row)
        browsable = named(browsable, answers)
        warnings += unnamed(answers)
    return Result.from_rows(
        rows,
        arrays={"principal_angles": _by_layer(np.stack(angles))},
        warnings=warnings,
        details={
            "concepts": {"components": browsable},
            "rotation": _rotation(np.stack(angles), random),
            "words": len(listed),
        },
    )


def _compared(before: LayerConcepts, after: LayerConcepts, k: int) -> tuple[np.ndarray, float, float]:
    mine, theirs = (side.components.directions[:k].cpu().numpy() for side in (before, after))
    places, cosines = matched_components(mine, theirs)
    return principal_angles(mine, theirs), float(cosines.mean()), _word_overlap(before.words, after.words, places)


def _word_overlap(before: ComponentWords, after: ComponentWords, places: np.ndarray) -> float:
    shared = [len(np.intersect1d(before.places[i], after.places[j])) for i, j in enumerate(places)]
    size = before.places.shape[1]
    return float(np.mean([n / (2 * size - n) for n in shared]))


def _weight_change(base: Weights, tuned: Weights, layer: int) -> float:
    mine, theirs = (weights.anatomy.down_projection(weights.read, layer) for weights in (base, tuned))
    return float(torch.linalg.norm(theirs - mine) / torch.linalg.norm(mine).clamp_min(1e-30))


def _random_rows(spec: FeedforwardConcepts, random: np.ndarray) -> list[dict[str, Any]]:
    rows = []
    for metric, draws in (("rotation_deg", random.mean(axis=1)), ("rotation_max_deg", random.max(axis=1))):
        low, high = np.quantile(draws, [0.025, 0.975])
        row = spec.row(metric=metric, value=draws.mean(), ci_low=low, ci_high=high, n=len(draws), unit="degrees")
        rows.append(row | {"target": RANDOM})
    return rows


def _rotation(angles: np.ndarray, random: np.ndarray) -> dict[str, list[float]]:
    n_layers = len(angles)
    return {
        "layers": list(range(1, n_layers + 1)),
        "mean_deg": angles.mean(axis=1).tolist(),
        "max_deg": angles.max(axis=1).tolist(),
        "random_deg": [float(random.mean())] * n_layers,
    }


def _by_layer(angles: np.ndarray) -> xr.DataArray:
    coords = {"layer": np.arange(1, len(angles) + 1), "angle": np.arange(angles.shape[1])}
    return xr.DataArray(angles, dims=("layer", "angle"), coords=coords)


def _notes(k: int, random: np.ndarray) -> tuple[str, ...]:
    if random.mean() >= 30:
        return ()
    return (
        f"Subspaces of {k} components fill so much of the residual stream that a random rotation shows "
        f"{random.mean():.0f} degrees only; choose fewer (`rotation_components`).",
    )
