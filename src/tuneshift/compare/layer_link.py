"""Where the two papers meet: does the layer whose inside moved most change its brain score most?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from tuneshift.compare.resampling import SEED
from tuneshift.compare.units import OVERALL, summaries

LINK_COLUMNS = (
    "model",
    "base_model",
    "dataset",
    "split",
    "mapping",
    "metric",
    "specification",
    "inside",
    "n_layers",
    "n_pairs",
    "spearman_r",
    "p",
)
N_PERMUTATIONS = 9999
FEWEST_LAYERS = 4
POOLED = "all pairs"


def link_layers(pairs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Correlate, over layers, |d(alignment)| from tuning with the size of the change inside (methods, section 7).

    `pairs` is a table of pairs (`compare.pairs`), of which the brain scores of every layer count (over all
    participants and targets); `table` is the long table, of which the rows of measurement `internals` count (one number
    a layer, rows of single heads or words left out). One row a pair, brain score and inside measure, and where there
    are several pairs one pooled row (`model` = "all pairs"). Columns `LINK_COLUMNS`; Spearman r, two-sided permutation
    p. Fewer than 4 layers give no row.
    """
    scores = pairs[(pairs["measurement"] == "brain").to_numpy(dtype=bool)]
    scores = scores[(scores["target"].isna() | scores["target"].isin(OVERALL)).to_numpy(dtype=bool)]
    inside = summaries(table[(table["measurement"] == "internals").to_numpy(dtype=bool)])
    inside = inside[(inside["target"].isna() | inside["target"].isin(OVERALL)).to_numpy(dtype=bool)]
    scores, inside = scores[_is_number(scores["layer"])], inside[_is_number(inside["layer"])]
    rows: list[dict[str, object]] = []
    pooled: dict[tuple[object, ...], list[tuple[np.ndarray, np.ndarray]]] = {}
    keys = ["dataset", "split", "mapping", "metric", "specification"]
    for (model, base, *found), by_layer in scores.groupby(["model", "base_model", *keys], dropna=False, sort=False):
        score = [None if _missing(part) else part for part in found]  # a missing value equals no other, not even itself
        own = inside[(inside["model"] == model).to_numpy(dtype=bool)]
        for metric, moved in own.groupby(["mapping", "metric"], dropna=False, sort=False):
            change, movement = _matched(by_layer, moved)
            if len(change) < FEWEST_LAYERS:
                continue
            measure = " ".join(str(part) for part in metric if not _missing(part))
            r, p = linked([(change, movement)])
            named = dict(zip(keys, score, strict=True)) | {"inside": measure, "n_layers": len(change), "n_pairs": 1}
            rows.append({"model": model, "base_model": base, **named, "spearman_r": r, "p": p})
            pooled.setdefault((*score, measure), []).append((change, movement))
    for (*score, inside_measure), several in pooled.items():
        if len(several) > 1:
            r, p = linked(several)
            counts = {"n_layers": sum(len(change) for change, _ in several), "n_pairs": len(several)}
            named = dict(zip(keys, score, strict=True)) | {"inside": inside_measure, **counts}
            rows.append({"model": POOLED, "base_model": None, **named, "spearman_r": r, "p": p})
    return pd.DataFrame(rows, columns=list(LINK_COLUMNS))


def linked(several: Sequence[tuple[np.ndarray, np.ndarray]], seed: int = SEED) -> tuple[float, float]:
    """Return Spearman r over layers, averaged over pairs, and its two-sided permutation p.

    Each pair is (change of alignment (n_layers,), movement inside (n_layers,)); layers are permuted within each pair
    only, since layers of different models are no exchange for one another. NaN where one of the two is constant.
    """
    generator = np.random.default_rng(seed)
    observed, null = [], []
    for change, movement in several:
        a, b = (_standard_ranks(values) for values in (change, movement))
        if a is None or b is None:
            continue
        observed.append(float(a @ b))
        null.append(generator.permuted(np.tile(a, (N_PERMUTATIONS, 1)), axis=1) @ b)
    if not observed:
        return float("nan"), float("nan")
    r, permuted = float(np.mean(observed)), np.mean(null, axis=0)
    p = (np.sum(np.abs(permuted) >= abs(r) - 1e-12) + 1) / (N_PERMUTATIONS + 1)
    return r, float(p)


def _standard_ranks(values: np.ndarray) -> np.ndarray | None:
    ranks = stats.rankdata(values)
    ranks -= ranks.mean()
    length = np.linalg.norm(ranks)
    return ranks / length if length > 0 else None


def _matched(by_layer: pd.DataFrame, moved: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    change = by_layer.groupby("layer")["difference"].mean().astype(float).abs()
    movement = moved.groupby("layer")["value"].mean().astype(float)
    both = pd.concat([change, movement], axis=1, join="inner").dropna()
    return both.iloc[:, 0].to_numpy(), both.iloc[:, 1].to_numpy()


def _missing(value: object) -> bool:
    return value is pd.NA or value != value


def _is_number(layers: pd.Series) -> np.ndarray:  # type: ignore[type-arg]
    found: np.ndarray = layers.astype("string").str.fullmatch(r"\d+").fillna(False).to_numpy(dtype=bool)
    return found
