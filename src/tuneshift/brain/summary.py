"""From a score per target to rows of the long table: participants, regions, means with intervals, best layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tuneshift.numerics.resampling import bootstrap_mean


@dataclass(frozen=True)
class Setting:
    """What all rows of one measurement share."""

    dataset: str
    split: str
    mapping: str
    seed: int = 0

    def row(self, **values: Any) -> dict[str, Any]:
        """Return a row with these values."""
        return {
            "measurement": "brain",
            "dataset": self.dataset,
            "split": self.split,
            "mapping": self.mapping,
            "unit": "r",
            **values,
        }


def score_rows(
    setting: Setting,
    data: xr.DataArray,
    scores: np.ndarray,
    ceiling: np.ndarray,
    *,
    metric: str = "r",
    nested: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of scores (L + 1, v): see `_layer_rows`; `nested` (v,) adds the honest best layer.

    The optimistic maximum over layers of the mean stands beside it as layer "best".
    """
    rows: list[dict[str, Any]] = []
    means = []
    for layer, layer_scores in enumerate(scores):
        rows += _layer_rows(setting, data, layer_scores, ceiling, str(layer), metric)
        means.append(_nanmean(_over_participants(layer_scores, data, np.nanmean)))
    if nested is not None:
        rows += _layer_rows(setting, data, nested, ceiling, "nested", metric)
        top = str(int(np.nanargmax(means))) if np.isfinite(means).any() else None
        best = [row for row in rows if row["layer"] == top and row["participant"] == "mean"]
        rows += [{**row, "layer": "best"} for row in best if row["target"] == "mean"]
    return rows


def control_rows(
    setting: Setting, data: xr.DataArray, values: np.ndarray, metric: str, layer: str | None, unit: str
) -> list[dict[str, Any]]:
    """Return the rows of a control (v,), by participant, region and over all; `layer` None where it has none."""
    nothing = np.full(len(values), np.nan)
    return [{**row, "unit": unit} for row in _layer_rows(setting, data, values, nothing, layer, metric)]


def _layer_rows(
    setting: Setting, data: xr.DataArray, scores: np.ndarray, ceiling: np.ndarray, layer: str | None, metric: str
) -> list[dict[str, Any]]:
    """Rows of one layer: each participant x region, each region, each participant, and all.

    A participant's score over several targets is their mean (target "mean") and, beside it, their median (target
    "median"); means over participants carry a bootstrap interval over participants and n = participants.
    """
    participants, regions = data["participant"].values, data["region"].values
    rows = []
    names = list(dict.fromkeys(participants.tolist()))
    by_region: dict[str, list[float]] = {}
    region_ceilings: dict[str, list[float]] = {}
    for name in names:
        for region in dict.fromkeys(regions[participants == name].tolist()):
            which = (participants == name) & (regions == region)
            value, top = _nanmean(scores[which]), _nanmean(ceiling[which])
            by_region.setdefault(region, []).append(value)
            region_ceilings.setdefault(region, []).append(top)
            if region:
                rows.append(
                    setting.row(layer=layer, target=region, participant=name, metric=metric, value=value,
                                ceiling=top, n=int(which.sum()))
                )  # fmt: skip
    for region, values in by_region.items():
        if region:
            top = _nanmean(region_ceilings[region])
            rows.append(_mean_row(setting, np.array(values), layer, region, metric, top))
    for statistic, reduce in (("mean", np.nanmean), ("median", np.nanmedian)):
        people = _over_participants(scores, data, reduce)
        tops = _over_participants(ceiling, data, reduce)
        for name, value, top in zip(names, people, tops, strict=True):
            row = {"layer": layer, "target": statistic, "participant": name, "metric": metric}
            n = int((participants == name).sum())
            rows.append(setting.row(**row, value=value, ceiling=top, n=n))
            if metric == "r" and top > 0:
                share = {**row, "metric": "r_normalised", "unit": "share of ceiling"}
                rows.append(setting.row(**share, value=value / top, n=n))
        rows.append(_mean_row(setting, people, layer, statistic, metric, _nanmean(tops)))
        if metric == "r" and _nanmean(tops) > 0:
            ratio = _mean_row(setting, people / _nanmean(tops), layer, statistic, "r_normalised", None)
            rows.append({**ratio, "unit": "share of ceiling"})
    return rows


def _mean_row(
    setting: Setting, values: np.ndarray, layer: str | None, target: str, metric: str, ceiling: float | None
) -> dict[str, Any]:
    low, high = bootstrap_mean(values, seed=setting.seed)
    return setting.row(
        layer=layer, target=target, participant="mean", metric=metric, value=_nanmean(values), ci_low=low, ci_high=high,
        ceiling=ceiling, n=int(np.isfinite(values).sum()),
    )  # fmt: skip


def _over_participants(scores: np.ndarray, data: xr.DataArray, reduce: Any) -> np.ndarray:
    participants = data["participant"].values
    out = []
    for name in dict.fromkeys(participants.tolist()):
        mine = scores[participants == name]
        out.append(float(reduce(mine)) if np.isfinite(mine).any() else float("nan"))
    return np.array(out)


def _nanmean(values: Any) -> float:
    values = np.asarray(values, dtype=float)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
