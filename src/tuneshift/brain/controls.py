"""Controls that make a score believable: surface, neighbourhood, unique variance, chance, and other stimuli."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import false_discovery_control

from tuneshift.brain.encoding import Encoding
from tuneshift.brain.layer_features import LayerFeatures
from tuneshift.brain.layer_scores import LayerScores
from tuneshift.brain.nuisance import nuisance_features, oasm
from tuneshift.brain.summary import Setting, control_rows
from tuneshift.brain.surrogates import BLOCK_STIMULI, exchangeable
from tuneshift.brain.unique_variance import unique_variance
from tuneshift.numerics.haemodynamics import RESPONSE_SECONDS
from tuneshift.numerics.permutation import TestPart, group_bootstrap, group_permutation
from tuneshift.numerics.resampling import mean_of_known
from tuneshift.progress import Progress, silent

_FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True)
class Controls:
    """Rows of the long table, arrays by target, and numbers for the methods section."""

    rows: list[dict[str, Any]]
    arrays: dict[str, xr.DataArray]
    details: dict[str, Any]


def measure_controls(
    features: LayerFeatures,
    encoding: Encoding,
    found: LayerScores,
    setting: Setting,
    n_resamples: int = 1000,
    progress: Progress = silent,
) -> Controls:
    """Return the controls of a model whose layers have been scored, all for the layer chosen in each fold.

    `r_nuisance`, the score of the text's surface alone; `r_oasm`, the score of knowing only which stimuli are
    neighbours; `unique_r2` and `unique_r2_extrapolated` (see `unique_variance`), with intervals over participants;
    `r_over_stimuli`, the score with an interval over groups of stimuli; `p_permutation` of the mean score by
    permuting whole groups; `share_significant`, of targets at a false discovery rate of 5% (Benjamini and Hochberg).
    """
    recording, data = features.recording, encoding.data
    nuisance = nuisance_features(recording, features.response)
    by_target = {
        "r_nuisance": mean_of_known(encoding.scores(nuisance)),
        "r_oasm": mean_of_known(encoding.scores(oasm(recording))),
    }
    of_layer: dict[int, np.ndarray] = {}

    def chosen(fold: int) -> np.ndarray:
        layer = found.chosen[fold]
        if layer not in of_layer:
            of_layer.clear()  # one layer in memory
            of_layer[layer] = features.layer(layer)
        return of_layer[layer]

    unique, limits = unique_variance(chosen, nuisance, encoding, progress)
    by_target |= {"unique_r2": unique, "unique_r2_extrapolated": limits.mean(axis=0)}
    rows: list[dict[str, Any]] = []
    for metric, values in by_target.items():
        layer = "nested" if metric.startswith("unique") else None
        rows += control_rows(setting, data, values, metric, layer, unit="r" if layer is None else "r2")
    either = [control_rows(setting, data, limit, "unique_r2_extrapolated", "nested", unit="r2") for limit in limits]
    rows = _spanning(rows, *either)

    parts = [_test_part(encoding, chosen(number), number) for number in range(len(encoding.splits))]
    scored = np.isfinite(found.layers).any(axis=0)
    parts = [TestPart(part.predicted[:, scored], part.observed[:, scored], part.groups) for part in parts]
    p, p_mean, _ = group_permutation(parts, n_resamples, setting.seed)
    q = false_discovery_control(p)
    low, high = group_bootstrap(parts, n_resamples, setting.seed)
    n_groups = sum(len(set(part.groups.tolist())) for part in parts)
    overall = {"layer": "nested", "target": "mean", "participant": "mean"}
    mean = {"value": float(np.nanmean(found.nested)), "ci_low": low, "ci_high": high}
    rows += [
        setting.row(**overall, **mean, metric="r_over_stimuli", n=n_groups),
        setting.row(**overall, metric="p_permutation", value=p_mean, n=n_resamples) | {"unit": "p"},
        setting.row(**overall, metric="share_significant", value=float((q < _FALSE_DISCOVERIES).mean()), n=len(q))
        | {"unit": "share"},
    ]  # fmt: skip
    arrays = {name: xr.DataArray(values, dims=("target",)) for name, values in by_target.items()}
    for name, some in (("p_permutation", p), ("q_permutation", q)):
        every = np.full(encoding.n_targets, np.nan)
        every[scored] = some
        arrays[name] = xr.DataArray(every, dims=("target",))
    details = {"nuisance_features": int(nuisance.shape[1]), "permutations": n_resamples, "stimulus_groups": n_groups}
    return Controls(rows, arrays, details)


def _spanning(
    rows: list[dict[str, Any]], first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Widen the intervals of extrapolated rows, so that they hold those of both limits."""
    kept = [row for row in rows if row["metric"] != "unique_r2_extrapolated"]
    middle = [row for row in rows if row["metric"] == "unique_r2_extrapolated"]
    for row, one, other in zip(middle, first, second, strict=True):
        ends = {}
        if "ci_low" in row:
            ends = {"ci_low": min(one["ci_low"], other["ci_low"]), "ci_high": max(one["ci_high"], other["ci_high"])}
        kept.append({**row, **ends})
    return kept


def _test_part(encoding: Encoding, values: np.ndarray, number: int) -> TestPart:
    """Predictions of a fold's test stimuli, with passages, or blocks of time, as the groups that change places."""
    split = encoding.splits[number]
    predicted, observed = encoding.predictions(values, split)
    n_rows, recording = len(split.test.rows), encoding.cut.recording
    groups = exchangeable(encoding.cut)[split.test.rows].astype(str)
    if encoding.cut.timed or len(set(groups.tolist())) < 2:
        length = BLOCK_STIMULI
        if encoding.cut.timed:
            length = int(np.ceil(RESPONSE_SECONDS / (recording.repetition_time or 1.0)))
        groups = (np.arange(n_rows) // min(length, max(1, n_rows // 2))).astype(str)
    return TestPart(predicted, observed, groups)
