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
from tuneshift.inside.concepts.rotation import Rotation, matched_components, principal_angles, random_rotation
from tuneshift.inside.pairing import as_weights, require_same_build
from tuneshift.measurement import of_model
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

    Rows by layer: `rotation_deg` of the first k components, in three ways (`mapping`): the mean and the largest
    principal angle between the subspaces, and the mean angle of components matched one to one; `concept_overlap`
    (Jaccard index of the words of matched components); `weight_change` (length of the difference of the weights over
    that of the base's). What rotations would be had tuning left nothing are the rows with target "random rotation",
    over all layers, their interval that of random draws. With a namer, `category_share` of the tuned model by group of
    layers, `category_share_change` and `category_share_p` (see `inside.concepts.categories`). Raises BadInput where
    the two are no pair, MeasurementFailed where the namer stays busy.
    """
    spec = spec or FeedforwardConcepts()
    first, second = as_weights(base), as_weights(tuned)
    require_same_build(first, second)
    listed = spec.word_list(first)
    n_layers, d = first.anatomy.n_layers, first.anatomy.n_units
    k = spec.subspace(d)
    rows: list[dict[str, Any]] = []
    browsable: list[dict[str, Any]] = []
    turned: list[Rotation] = []
    words: dict[tuple[str, Place], list[str]] = {}
    pairs = zip(
        *(concepts_by_layer(w, listed, spec.n_components, spec.top_words) for w in (first, second)), strict=True
    )
    for layer, (before, after) in enumerate(pairs, start=1):
        rotation, overlap = _compared(before, after, k)
        turned.append(rotation)
        rows += [
            spec.row(layer=layer, mapping=name, metric=metric, value=float(angle), n=k, unit="degrees")
            for (metric, name), angle in rotation.summaries().items()
        ]
        change = _weight_change(first, second, layer - 1)
        rows.append(spec.row(layer=layer, metric="concept_overlap", value=overlap, n=k, unit="Jaccard index"))
        rows.append(spec.row(layer=layer, metric="weight_change", value=change, unit="share"))
        for side, concepts in (("base", before), ("tuned", after)):
            browsable += browsable_layer(listed.words, concepts, layer, spec.kept_components, 30, side)
            words |= {(side, place): mine for place, mine in spec.words_to_name(listed, concepts, layer).items()}
        progress(f"feed-forward shift of {second.name}", layer, n_layers)
    random = random_rotation(k, d)
    rows += _random_rows(spec, random)
    warnings = (*listed.said, *_notes(k, random))
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
    found = Result.from_rows(
        rows,
        arrays=_arrays(turned),
        warnings=warnings,
        details={
            "concepts": {"components": browsable},
            "rotation": _for_pictures(turned, random),
            "words": len(listed),
        },
    )
    return of_model(found, tuned, base)


def _compared(before: LayerConcepts, after: LayerConcepts, k: int) -> tuple[Rotation, float]:
    mine, theirs = (side.components.directions[:k].cpu().numpy() for side in (before, after))
    places, matched = matched_components(mine, theirs)
    return Rotation(principal_angles(mine, theirs), matched), _word_overlap(before.words, after.words, places)


def _word_overlap(before: ComponentWords, after: ComponentWords, places: np.ndarray) -> float:
    shared = [len(np.intersect1d(before.places[i], after.places[j])) for i, j in enumerate(places)]
    size = before.places.shape[1]
    return float(np.mean([n / (2 * size - n) for n in shared]))


def _weight_change(base: Weights, tuned: Weights, layer: int) -> float:
    mine, theirs = (weights.anatomy.down_projection(weights.read, layer) for weights in (base, tuned))
    return float(torch.linalg.norm(theirs - mine) / torch.linalg.norm(mine).clamp_min(1e-30))


def _random_rows(spec: FeedforwardConcepts, random: Rotation) -> list[dict[str, Any]]:
    rows = []
    for (metric, name), draws in random.summaries().items():
        low, high = np.quantile(draws, [0.025, 0.975])
        place = {"mapping": name, "metric": metric, "n": len(draws), "unit": "degrees"}
        rows.append(spec.row(value=float(draws.mean()), ci_low=low, ci_high=high, **place) | {"target": RANDOM})
    return rows


def _for_pictures(turned: list[Rotation], random: Rotation) -> dict[str, list[float]]:
    return {
        "layers": list(range(1, len(turned) + 1)),
        "mean_deg": [float(rotation.principal.mean()) for rotation in turned],
        "max_deg": [float(rotation.principal.max()) for rotation in turned],
        "random_deg": [float(random.principal.mean())] * len(turned),
    }


def _arrays(turned: list[Rotation]) -> dict[str, xr.DataArray]:
    """Return every angle (layer, angle), principal angles smallest first, matched ones in the base's order."""
    found = {}
    for name, angles in (
        ("principal_angles", [rotation.principal for rotation in turned]),
        ("matched_angles", [rotation.matched for rotation in turned]),
    ):
        coords = {"layer": np.arange(1, len(turned) + 1), "angle": np.arange(len(angles[0]))}
        found[name] = xr.DataArray(np.stack(angles), dims=("layer", "angle"), coords=coords)
    return found


def _notes(k: int, random: Rotation) -> tuple[str, ...]:
    """Return a warning where even a random rotation would turn the subspaces little."""
    mean = random.principal.mean()
    if mean >= 30:
        return ()
    return (
        f"Subspaces of {k} components fill so much of the residual stream that a random rotation shows "
        f"{mean:.0f} degrees only; choose fewer (`rotation_components`).",
    )
