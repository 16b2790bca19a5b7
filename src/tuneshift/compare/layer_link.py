"""Where the two papers meet: does the layer whose inside moved most change its brain score most?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tuneshift.compare.correlations import root_of
from tuneshift.compare.layer_correlation import FEWEST_LAYERS, linked, linked_given_depth, one_over_pairs
from tuneshift.compare.resampling import adjusted
from tuneshift.compare.trajectories import Run, counted_once
from tuneshift.vocabulary import Metric, Vocabulary, ours
from tuneshift.vocabulary.rows import by_metric, over_all, untrained

SCORE_KEYS = ("measurement", "dataset", "split", "mapping", "metric", "specification")
"""What tells one score from another."""
_PAIR_KEYS = ("model", "base_model", *SCORE_KEYS)
_LINK_KEYS = (*_PAIR_KEYS, "inside")
POINT_COLUMNS = (*_LINK_KEYS, "layer", "change", "movement")
LINK_COLUMNS = (
    *_LINK_KEYS,
    "n_layers",
    "n_pairs",
    "n_bases",
    "spearman_r",
    "partial_r",
    "partial_low",
    "partial_high",
    "partial_p",
    "partial_q",
)
POOLED = "all pairs"


def link_layers(
    pairs: pd.DataFrame,
    table: pd.DataFrame,
    vocabulary: Vocabulary | None = None,
    bases: Mapping[str, str] | None = None,
    runs: Sequence[Run] = (),
) -> pd.DataFrame:
    """Correlate, over layers, |d(alignment)| from tuning with the size of the change inside (methods, sections 7, 8).

    `pairs` and `table` as in `link_points`; `bases` the base of each tuned model, by which a base that was itself tuned
    counts as what it was tuned from. One row a pair, brain score and inside measure, and where there are several pairs
    one pooled row (`model` = "all pairs"), in which the last checkpoint of each of `runs` stands for its run. Columns
    `LINK_COLUMNS`: Spearman r, and the same given depth (`partial_r`: both changes may simply grow with depth). A pair
    has no p. The pooled row has a 95% interval and p of `partial_r` over base models, from 3 of them on, and q, p
    adjusted (Benjamini-Hochberg) over the inside measures of one brain score. Fewer than 4 layers give no row, fewer
    than 6 no partial correlation.
    """
    return links_of_points(link_points(pairs, table, vocabulary), bases, runs)


def links_of_points(
    points: pd.DataFrame, bases: Mapping[str, str] | None = None, runs: Sequence[Run] = ()
) -> pd.DataFrame:
    """Return the links of points as `link_points` gives them; see `link_layers`."""
    rows: list[dict[str, object]] = []
    pooled: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    counted = set(counted_once(points, runs)["model"])
    for key, part in _grouped(points, _LINK_KEYS):
        if len(part) < FEWEST_LAYERS:
            continue
        rows.append(_row(key, part))
        if key[0] in counted:
            pooled.setdefault(key[2:], []).append(rows[-1])
    rows += [_over_pairs(key, mine, bases or {}) for key, mine in pooled.items() if len(mine) > 1]
    links = pd.DataFrame(rows, columns=list(LINK_COLUMNS))
    if len(links):
        links["partial_q"] = links.groupby(list(_PAIR_KEYS), dropna=False)["partial_p"].transform(
            lambda values: adjusted(values.to_numpy(dtype=float))
        )
    return links


def link_points(pairs: pd.DataFrame, table: pd.DataFrame, vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """Return the points behind the links, one row a pair, brain score, inside measure and layer.

    `pairs` is a table of pairs (`compare.pairs`), of which the scores of every layer count that the vocabulary links
    (over all participants and targets; untrained twins left out); `table` is the long table, of which the metrics count
    that say how far a layer moved (one number a layer, rows of single heads or words left out). Columns
    `POINT_COLUMNS`: `change` = |tuned - base| of the score, `movement` how far the inside measure lies from its value
    where nothing moved; of a similarity that is 1 minus it, and its name says so.
    """
    vocabulary = vocabulary or ours()
    scores = _of_layers(pairs, vocabulary, lambda metric: metric.linked)
    inside = _of_layers(table, vocabulary, lambda metric: metric.movement)
    found = []
    for key, by_layer in _grouped(scores, _PAIR_KEYS):
        own = inside[(inside["model"] == key[0]).to_numpy(dtype=bool)]
        n_mappings = own.groupby("metric")["mapping"].nunique(dropna=False).to_dict()
        for (kind, mapping, metric), moved in _grouped(own, ("measurement", "mapping", "metric")):
            unmoved = vocabulary.metric(kind, metric).unmoved
            part = _matched(by_layer, moved, unmoved)
            name = f"{mapping} {metric}" if mapping is not None and n_mappings[metric] > 1 else str(metric)
            named: dict[str, Any] = dict(zip(_PAIR_KEYS, key, strict=True))
            named["inside"] = f"{unmoved:g} - {name}" if unmoved else name
            found.append(part.assign(**named)[list(POINT_COLUMNS)])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(POINT_COLUMNS))


def _row(key: tuple[object, ...], part: pd.DataFrame) -> dict[str, object]:
    change, movement, depth = (part[name].to_numpy(dtype=float) for name in ("change", "movement", "layer"))
    return dict(zip(_LINK_KEYS, key, strict=True)) | {
        "n_layers": len(part),
        "n_pairs": 1,
        "n_bases": 1,
        "spearman_r": linked(change, movement),
        "partial_r": linked_given_depth(change, movement, depth),
    }


def _over_pairs(key: tuple[object, ...], mine: list[dict[str, Any]], bases: Mapping[str, str]) -> dict[str, object]:
    layers = [row["n_layers"] for row in mine]
    roots = [root_of(str(row["base_model"]), bases) for row in mine]
    plain, n_plain = one_over_pairs([row["spearman_r"] for row in mine], layers, roots)
    given, n_given = one_over_pairs([row["partial_r"] for row in mine], layers, roots)
    return dict(zip(_LINK_KEYS, (POOLED, None, *key), strict=True)) | {
        "n_layers": sum(layers),
        "n_pairs": len(mine),
        "n_bases": n_given or n_plain,
        "spearman_r": plain.r,
        "partial_r": given.r,
        "partial_low": given.low,
        "partial_high": given.high,
        "partial_p": given.p,
    }


def _matched(by_layer: pd.DataFrame, moved: pd.DataFrame, unmoved: float) -> pd.DataFrame:
    """Return layer, change and movement of the layers that both sides have, in order of depth."""
    change = by_layer.groupby("layer")["difference"].mean().astype(float).abs().rename("change")
    movement = moved.groupby("layer")["value"].mean().astype(float).rename("movement")
    both = pd.concat([change, unmoved - movement if unmoved else movement], axis=1, join="inner").dropna()
    return both.rename_axis("layer").reset_index().astype({"layer": int}).sort_values("layer", ignore_index=True)


def _grouped(frame: pd.DataFrame, keys: tuple[str, ...]) -> Iterator[tuple[tuple[object, ...], pd.DataFrame]]:
    """Yield (key, rows); a missing part of a key is None, since a missing value equals no other, not even itself."""
    for key, part in frame.groupby(list(keys), dropna=False, sort=False):
        yield tuple(None if _missing(value) else value for value in key), part


def _of_layers(table: pd.DataFrame, vocabulary: Vocabulary, wanted: Callable[[Metric], bool]) -> pd.DataFrame:
    """Return the rows of single layers over all targets, of the metrics that are wanted."""
    rows = table[by_metric(table, vocabulary, wanted) & ~untrained(table)]
    numbered = rows["layer"].astype("string").str.fullmatch(r"\d+").fillna(False).to_numpy(dtype=bool)
    rows = rows[numbered]
    return rows[over_all(rows)]


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value
