"""What each reader and each story adds to a score of mean times, so that both count as samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.numerics.crossed import crossed


@dataclass(frozen=True)
class WordScore:
    """A score of words' mean times, cut by its influence function.

    `rows` (n,) are row numbers of `times.words`. `influence` (n,) is what one word's weight moves the score, adding up
    to 0; `by_time` (n,) what a word's mean time moves it, per unit of time: through it each reader has a part.
    """

    value: float
    rows: np.ndarray
    influence: np.ndarray
    by_time: np.ndarray

    def scaled(self, factor: float) -> WordScore:
        """Return the score in another unit."""
        return WordScore(factor * self.value, self.rows, factor * self.influence, factor * self.by_time)

    def __sub__(self, other: WordScore) -> WordScore:
        """Return the difference of two scores of the same words."""
        return WordScore(
            self.value - other.value, self.rows, self.influence - other.influence, self.by_time - other.by_time
        )


@dataclass(frozen=True)
class Groups:
    """What of the material was drawn together: numbers `of_word` (n_words,), their `names`, and what they are."""

    of_word: np.ndarray
    names: np.ndarray
    unit: str


def groups_of(times: ReadingTimes) -> Groups:
    """Return stories, or the sentences of a lone story."""
    documents = times.words["document"].to_numpy(str)
    names, first, numbers = np.unique(documents, return_index=True, return_inverse=True)
    if len(names) > 1:
        order = np.argsort(first)
        return Groups(np.argsort(order)[numbers], names[order], "story")
    names, numbers = np.unique(times.words["sentence"].to_numpy(int), return_inverse=True)
    return Groups(numbers, names.astype(str), "sentence")


def word_contributions(score: WordScore, times: ReadingTimes, groups: Groups) -> xr.DataArray:
    """Return contributions (participant, group) of a score, or (group,) where no reader's own times are known.

    Their sum over groups is a reader's own number, as if all had read like this one (to first order); its mean over
    readers the score. Groups none of whose words were scored are left out.
    """
    group = groups.of_word[score.rows]
    scored = np.unique(group)
    of_group = np.bincount(group, score.influence, minlength=len(groups.names))[scored] + score.value / len(scored)
    if times.by_participant is None:
        return _array(of_group, groups, scored, None)
    place = np.full(len(times.words), -1)
    place[score.rows] = np.arange(len(score.rows))
    table = times.by_participant.dropna(subset=["time"])
    at = place[table["row"].to_numpy()]
    time, names = table["time"].to_numpy(float)[at >= 0], table["participant"].to_numpy(str)[at >= 0]
    at = at[at >= 0]
    count = np.bincount(at, minlength=len(score.rows))
    mean = np.bincount(at, time, minlength=len(score.rows)) / np.maximum(count, 1)
    moved = score.by_time[at] * (time - mean[at]) / count[at]
    return shared_out(moved, names, group[at], of_group, groups, scored)


def shared_out(
    moved: np.ndarray, readers: np.ndarray, group: np.ndarray, of_group: np.ndarray, groups: Groups, scored: np.ndarray
) -> xr.DataArray:
    """Return contributions (participant, group): `of_group` (n_scored,) for everybody, and what each one's times move.

    `moved`, `readers` (names) and `group` (numbers of all groups) are one an observation; `moved` adds up to what the
    readers together change, beside `of_group`.
    """
    names, first, numbers = np.unique(readers, return_index=True, return_inverse=True)
    order = np.argsort(first)
    flat = np.argsort(order)[numbers] * len(groups.names) + group
    own = np.bincount(flat, moved, minlength=len(names) * len(groups.names)).reshape(len(names), -1)[:, scored]
    return _array(of_group + len(names) * own, groups, scored, names[order])


def interval(contributions: xr.DataArray) -> tuple[float, float]:
    """Return the 95% interval of a score over readers and stories; (NaN, NaN) where neither repeats."""
    values = contributions.values
    low, high = crossed(values[None] if values.ndim == 2 else values[None, None]).interval()
    return float(low[0]), float(high[0])


def _array(values: np.ndarray, groups: Groups, scored: np.ndarray, readers: np.ndarray | None) -> xr.DataArray:
    coords = {"group": ("group", groups.names[scored])}
    if readers is None:
        return xr.DataArray(values, dims=("group",), coords=coords, attrs={"unit": groups.unit})
    return xr.DataArray(
        values, dims=("participant", "group"), coords={"participant": ("participant", readers), **coords},
        attrs={"unit": groups.unit},
    )  # fmt: skip


def pearson_score(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> WordScore:
    """Return Pearson r of x with mean times y (n,).

    Source: Devlin, Gnanadesikan & Kettenring (1975), Biometrika 62, 531-545 (influence function of r).
    """
    zx, zy = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    r = float((zx * zy).mean())
    influence = (zx * zy - r * (zx**2 + zy**2) / 2) / len(x)
    return WordScore(r, rows, influence, (zx - r * zy) / (len(x) * y.std()))
