"""Where the two papers meet: does the layer whose inside moved most change its brain score most?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tuneshift.compare.layer_permutation import FEWEST_LAYERS, linked, linked_given_depth
from tuneshift.compare.resampling import adjusted
from tuneshift.compare.units import OVERALL, summaries

SCORE_KEYS = ("dataset", "split", "mapping", "metric", "specification")
"""What tells one brain score from another."""
_PAIR_KEYS = ("model", "base_model", *SCORE_KEYS)
_LINK_KEYS = (*_PAIR_KEYS, "inside")
POINT_COLUMNS = (*_LINK_KEYS, "layer", "change", "movement")
LINK_COLUMNS = (
    *_LINK_KEYS,
    "n_layers",
    "n_pairs",
    "spearman_r",
    "p",
    "q",
    "partial_r",
    "partial_p",
    "partial_q",
)
POOLED = "all pairs"
SIMILARITIES = ("head_overlap", "concept_overlap", "state_cka", "state_cosine")
"""Measures that are 1 where nothing moved: the movement is 1 minus them, and their name in the table says so."""
_SAME_SCORE = ("r_normalised", "r_untrained")
"""A score divided by one ceiling has the order of the score; tuning does not touch the untrained twin."""


def link_layers(pairs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Correlate, over layers, |d(alignment)| from tuning with the size of the change inside (methods, section 7).

    `pairs` and `table` as in `link_points`. One row a pair, brain score and inside measure, and where there are several
    pairs one pooled row (`model` = "all pairs"). Columns `LINK_COLUMNS`: Spearman r with its two-sided permutation p,
    the same given depth (`partial_r`, `partial_p`: both changes may simply grow with depth), and q, p adjusted
    (Benjamini-Hochberg) over the inside measures of one brain score and pair. Fewer than 4 layers give no row, fewer
    than 6 no partial correlation.
    """
    return links_of_points(link_points(pairs, table))


def links_of_points(points: pd.DataFrame) -> pd.DataFrame:
    """Return the links of points as `link_points` gives them; see `link_layers`."""
    rows: list[dict[str, object]] = []
    pooled: dict[tuple[object, ...], list[pd.DataFrame]] = {}
    for key, part in _grouped(points, _LINK_KEYS):
        if len(part) < FEWEST_LAYERS:
            continue
        rows.append(_row(key, [part]))
        pooled.setdefault(key[2:], []).append(part)
    rows += [_row((POOLED, None, *key), parts) for key, parts in pooled.items() if len(parts) > 1]
    links = pd.DataFrame(rows, columns=list(LINK_COLUMNS))
    for p, q in (("p", "q"), ("partial_p", "partial_q")):
        if len(links):
            links[q] = links.groupby(list(_PAIR_KEYS), dropna=False)[p].transform(
                lambda values: adjusted(values.to_numpy())
            )
    return links


def link_points(pairs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the points behind the links, one row a pair, brain score, inside measure and layer.

    `pairs` is a table of pairs (`compare.pairs`), of which the brain scores of every layer count (over all participants
    and targets; normalised scores and untrained twins left out); `table` is the long table, of which the rows of
    measurement `internals` count (one number a layer, rows of single heads or words left out). Columns `POINT_COLUMNS`:
    `change` = |tuned - base| of the score, `movement` the inside measure, where it is a similarity 1 minus it.
    """
    scores = pairs[(pairs["measurement"] == "brain").to_numpy(dtype=bool)]
    scores = _of_layers(scores[~scores["metric"].isin(_SAME_SCORE).to_numpy(dtype=bool)])
    inside = _of_layers(summaries(table[(table["measurement"] == "internals").to_numpy(dtype=bool)]))
    found = []
    for key, by_layer in _grouped(scores, _PAIR_KEYS):
        own = inside[(inside["model"] == key[0]).to_numpy(dtype=bool)]
        for (mapping, metric), moved in _grouped(own, ("mapping", "metric")):
            part = _matched(by_layer, moved, metric in SIMILARITIES)
            name = " ".join(str(word) for word in (mapping, metric) if word is not None)
            named: dict[str, Any] = dict(zip(_PAIR_KEYS, key, strict=True))
            named["inside"] = f"1 - {name}" if metric in SIMILARITIES else name
            found.append(part.assign(**named)[list(POINT_COLUMNS)])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(POINT_COLUMNS))


def _row(key: tuple[object, ...], parts: list[pd.DataFrame]) -> dict[str, object]:
    columns = [tuple(part[name].to_numpy(dtype=float) for name in ("change", "movement", "layer")) for part in parts]
    r, p = linked([(change, movement) for change, movement, _ in columns])
    partial_r, partial_p = linked_given_depth([(change, movement, depth) for change, movement, depth in columns])
    return dict(zip(_LINK_KEYS, key, strict=True)) | {
        "n_layers": sum(len(part) for part in parts),
        "n_pairs": len(parts),
        "spearman_r": r,
        "p": p,
        "partial_r": partial_r,
        "partial_p": partial_p,
    }


def _matched(by_layer: pd.DataFrame, moved: pd.DataFrame, similarity: bool) -> pd.DataFrame:
    """Return layer, change and movement of the layers that both sides have, in order of depth."""
    change = by_layer.groupby("layer")["difference"].mean().astype(float).abs().rename("change")
    movement = moved.groupby("layer")["value"].mean().astype(float).rename("movement")
    both = pd.concat([change, 1 - movement if similarity else movement], axis=1, join="inner").dropna()
    return both.rename_axis("layer").reset_index().astype({"layer": int}).sort_values("layer", ignore_index=True)


def _grouped(frame: pd.DataFrame, keys: tuple[str, ...]) -> Iterator[tuple[tuple[object, ...], pd.DataFrame]]:
    """Yield (key, rows); a missing part of a key is None, since a missing value equals no other, not even itself."""
    for key, part in frame.groupby(list(keys), dropna=False, sort=False):
        yield tuple(None if _missing(value) else value for value in key), part


def _of_layers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of single layers over all targets."""
    whole = (table["target"].isna() | table["target"].isin(OVERALL)).to_numpy(dtype=bool)
    numbered: np.ndarray = table["layer"].astype("string").str.fullmatch(r"\d+").fillna(False).to_numpy(dtype=bool)
    return table[whole & numbered]


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value
