"""From a score per target to rows of the long table: participants, regions, means with intervals, best layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from tuneshift.brain.ceilings import Ceiling
from tuneshift.numerics.resampling import bootstrap_mean, jackknife_interval

Reduce = Callable[[np.ndarray], Any]
_STATISTICS: tuple[tuple[str, Reduce], ...] = (("mean", np.nanmean), ("median", np.nanmedian))


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
    ceiling: Ceiling,
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


def ceiling_row(setting: Setting, data: xr.DataArray, ceiling: Ceiling) -> dict[str, Any]:
    """Return the row of the noise ceiling itself, over all targets and participants, with its interval."""
    value, low, high = _ratio(None, ceiling, data, np.nanmean)
    n = int(np.isfinite(_over_participants(ceiling.values, data, np.nanmean)).sum())
    where = {"layer": None, "target": "mean", "participant": "mean"}
    return setting.row(**where, metric="ceiling", value=value, ci_low=low, ci_high=high, n=n)


def reliable(data: xr.DataArray, ceiling: Ceiling) -> bool:
    """Whether there is a ceiling that can be told from 0, so that a share of it means anything."""
    value, low, _ = _ratio(None, ceiling, data, np.nanmean)
    return bool(np.isfinite(value) and value > 0 and not low <= 0)


def control_rows(
    setting: Setting, data: xr.DataArray, values: np.ndarray, metric: str, layer: str | None, unit: str
) -> list[dict[str, Any]]:
    """Return the rows of a control (v,), by participant, region and over all; `layer` None where it has none."""
    nothing = Ceiling.unknown(len(values))
    return [{**row, "unit": unit} for row in _layer_rows(setting, data, values, nothing, layer, metric)]


def _layer_rows(
    setting: Setting, data: xr.DataArray, scores: np.ndarray, ceiling: Ceiling, layer: str | None, metric: str
) -> list[dict[str, Any]]:
    """Rows of one layer: each participant x region, each region, each participant, and all.

    A participant's score over several targets is their mean (target "mean") and, beside it, their median (target
    "median"); means over participants carry a bootstrap interval over participants and n = participants. The share of
    the ceiling divides by its mean over the same targets; its interval leaves out participants in turn, score and
    ceiling together. There is none where the ceiling cannot be told from 0.
    """
    participants, regions = data["participant"].values, data["region"].values
    rows = []
    names = list(dict.fromkeys(participants.tolist()))
    by_region: dict[str, list[float]] = {}
    region_ceilings: dict[str, list[float]] = {}
    for name in names:
        for region in dict.fromkeys(regions[participants == name].tolist()):
            which = (participants == name) & (regions == region)
            value, top = _nanmean(scores[which]), _nanmean(ceiling.values[which])
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
    shares = metric == "r" and ceiling.shares and reliable(data, ceiling)
    for statistic, reduce in _STATISTICS:
        people = _over_participants(scores, data, reduce)
        tops = _over_participants(ceiling.values, data, reduce)
        for name, value, top in zip(names, people, tops, strict=True):
            row = {"layer": layer, "target": statistic, "participant": name, "metric": metric}
            n = int((participants == name).sum())
            rows.append(setting.row(**row, value=value, ceiling=top, n=n))
            if shares and top > 0:
                share = {**row, "metric": "r_normalised", "unit": "share of ceiling"}
                rows.append(setting.row(**share, value=value / top, n=n))
        whole = _mean_row(setting, people, layer, statistic, metric, _nanmean(tops))
        rows.append(whole)
        if shares and _nanmean(tops) > 0:
            value, low, high = _ratio(scores, ceiling, data, reduce)
            ratio = {"metric": "r_normalised", "unit": "share of ceiling", "ceiling": None}
            rows.append({**whole, **ratio, "value": value, "ci_low": low, "ci_high": high})
    return rows


def _ratio(
    scores: np.ndarray | None, ceiling: Ceiling, data: xr.DataArray, reduce: Reduce
) -> tuple[float, float, float]:
    """Mean score over mean ceiling (the ceiling itself for None), with an interval that resamples both as one."""

    def of(ceilings: np.ndarray) -> float:
        tops = _over_participants(ceilings, data, reduce)
        if scores is None:
            return _nanmean(tops)
        people = _over_participants(np.where(np.isfinite(ceilings), scores, np.nan), data, reduce)
        return _nanmean(people) / _nanmean(tops)

    value = of(ceiling.values)
    return value, *jackknife_interval(np.array([of(fewer) for fewer in ceiling.without]), value)


def _mean_row(
    setting: Setting, values: np.ndarray, layer: str | None, target: str, metric: str, ceiling: float | None
) -> dict[str, Any]:
    low, high = bootstrap_mean(values, seed=setting.seed)
    return setting.row(
        layer=layer, target=target, participant="mean", metric=metric, value=_nanmean(values), ci_low=low, ci_high=high,
        ceiling=ceiling, n=int(np.isfinite(values).sum()),
    )  # fmt: skip


def _over_participants(scores: np.ndarray, data: xr.DataArray, reduce: Reduce) -> np.ndarray:
    participants = data["participant"].values
    out = []
    for name in dict.fromkeys(participants.tolist()):
        mine = scores[participants == name]
        out.append(float(reduce(mine)) if np.isfinite(mine).any() else float("nan"))
    return np.array(out)


def _nanmean(values: Any) -> float:
    values = np.asarray(values, dtype=float)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
