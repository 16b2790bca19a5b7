"""How well mean reading times of half the readers agree with those of the other half."""

from __future__ import annotations

import numpy as np


def split_half(times: np.ndarray, n_splits: int = 100, seed: int = 0, *, log: bool = False) -> tuple[float | None, str]:
    """Return the split-half reliability of mean times (n_words, n_participants; NaN where skipped), and its source.

    The mean over random splits of 2 r / (1 + r) (Spearman-Brown), r the correlation of the halves' means over the
    words that both halves read (of the logarithms of these means with `log`). None with fewer than two participants,
    or where no split shares three words.
    """
    n = times.shape[1]
    if n < 2:
        return None, "unknown: one participant"
    rng = np.random.default_rng(seed)
    present, filled = np.isfinite(times), np.nan_to_num(times)
    values = []
    for _ in range(n_splits):
        first = np.zeros(n)
        first[rng.permutation(n)[: n // 2]] = 1.0
        halves = []
        for half in (first, 1.0 - first):
            count = present @ half
            mean = np.where(count > 0, filled @ half / np.maximum(count, 1), np.nan)
            halves.append(np.log(mean) if log else mean)
        both = np.isfinite(halves[0]) & np.isfinite(halves[1])
        if both.sum() < 3 or min(np.ptp(half[both]) for half in halves) == 0:
            continue
        r = float(np.corrcoef(halves[0][both], halves[1][both])[0, 1])
        values.append(2 * r / (1 + r) if r > -1 else -1.0)
    if not values:
        return None, "unknown: no two halves of the participants read the same words"
    said = f"split-half over {n} readers, Spearman-Brown, mean of {len(values)} random splits"
    return float(np.mean(values)), f"{said}, of log times" if log else said
