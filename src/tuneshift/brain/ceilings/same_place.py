"""Three ceilings where targets of different people are the same place: all estimate the root of the reliability.

A response of variance one holds a share s that is common to all people. The most that any model of the stimulus can
correlate with it is sqrt(s). Every function takes responses by split, each (S, n_test, P), z-scored, NaN where missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuneshift.brain.ceilings.places import columnwise_r, mean_of
from tuneshift.numerics.resampling import mean_of_known

_RATES = np.logspace(-2, 2, 200)  # participants after which 1 - 1/e of the ceiling is reached
_FEW = 3  # participants of whom even one predicts the others
_HALVES = 50
_DRAWS = 5


def leave_one_out(r_and_noise: np.ndarray) -> np.ndarray:
    """Return the ceiling (S, P) from what `leave_one_out_r` gives (2, S, P) (methods, section 1, (a)).

    The correlation of a participant with the mean of m others, which is noisy itself, is s / sqrt(s + (1 - s) / m);
    solved for s, with the mean correlation over the participants of a place. All of them get sqrt(s), times how cleanly
    a participant correlates over all places, relative to everybody's (where that can be told from 0).
    """
    r, noise = r_and_noise
    here = np.isfinite(r)
    at_place, noise_at_place = mean_of_known(r), mean_of_known(np.where(here, noise, np.nan))
    others = 1 / np.where(noise_at_place > 0, noise_at_place, 1.0)
    level = signed_root(reliability(at_place, others))
    return np.where(here, level * _clean(r, at_place)[:, None], np.nan)


def leave_one_out_r(responses: Sequence[np.ndarray]) -> np.ndarray:
    """Return the correlation of each participant with the mean of the others, averaged over splits, and its noise.

    (2, S, P): r, and the mean of 1 / m over the stimuli, m being how many others have responses to each: whoever missed
    a run is missing from the mean there.
    """
    by_split, noise = [], []
    for each in responses:
        everybody = np.isfinite(each).any(axis=1)  # (S, P)
        scores, inverse = [], []
        there = np.isfinite(each)
        count = there.sum(axis=0)
        for person in range(len(each)):
            others = everybody.copy()
            others[person] = False
            scores.append(columnwise_r(each[person], mean_of(each, others)))
            inverse.append(mean_inverse(count - there[person], there[person]))
        by_split.append(np.stack(scores))
        noise.append(np.stack(inverse))
    return np.stack([mean_of_known(np.stack(both)) for both in (by_split, noise)])


def mean_inverse(count: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the mean of 1 / count (P,) over the stimuli (n, P) `where` there is somebody to be compared with."""
    with_others = where & (count > 0)
    inverse = np.where(with_others, 1 / np.maximum(count, 1), 0).sum(axis=0)
    n = with_others.sum(axis=0)
    return np.where(n > 0, inverse / np.maximum(n, 1), np.nan)


def reliability(r: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share s of common variance from r = s / sqrt(s + (1 - s) / m), r with the mean of m others.

    s has the sign of r: kept, so that people with nothing in common have 0 on average, and not a little more.
    """
    square = r**2
    slope = square * (1 - 1 / others)
    return np.asarray(np.sign(r) * (slope + np.sqrt(slope**2 + 4 * square / others)) / 2)


def signed_root(share: np.ndarray) -> np.ndarray:
    """Return the square root with the sign kept."""
    return np.asarray(np.sign(share) * np.sqrt(np.abs(share)))


def _clean(r: np.ndarray, at_place: np.ndarray) -> np.ndarray:
    """How cleanly each participant (S,) correlates with the others, relative to everybody at the same places."""
    mine = mean_of_known(r, 1)
    expected = mean_of_known(np.where(np.isfinite(r), at_place, np.nan), 1)
    known = mine[np.isfinite(mine)]
    if len(known) < 3 or known.mean() < 2 * known.std(ddof=1) / np.sqrt(len(known)):
        return np.ones(len(r))
    return np.where(np.isfinite(mine), mine / np.where(expected > 0, expected, np.nan), 1.0)


def split_half(responses: Sequence[np.ndarray], seed: int = 0, n_halves: int = _HALVES) -> np.ndarray:
    """Return the ceiling (S, P) by split halves (methods 1, (b)); all participants of a place get the same.

    Participants are split in halves at random, the halves' mean responses correlated. By Spearman-Brown
    r = h s / (1 + (h - 1) s) for halves of h participants, solved for s; h is the harmonic mean over stimuli of how
    many of a half have responses there.
    """
    rng = np.random.default_rng(seed)
    n_people = len(responses[0])
    here = np.any([np.isfinite(each).any(axis=1) for each in responses], axis=0)
    half = here.sum(axis=0) // 2
    scores, noise = [], []
    for _ in range(n_halves):
        order = rng.permutation(n_people)
        rank = np.empty(here.shape, dtype=int)
        rank[order] = np.cumsum(here[order], axis=0) - 1  # among those who have the place
        first, second = here & (rank < half), here & (rank >= half) & (rank < 2 * half)
        by_split = [columnwise_r(mean_of(each, first), mean_of(each, second)) for each in responses]
        scores.append(mean_of_known(np.stack(by_split)))
        counts = [[(np.isfinite(each) & side[:, None]).sum(axis=0) for side in (first, second)] for each in responses]
        inverse = [mean_inverse(a, b > 0) + mean_inverse(b, a > 0) for a, b in counts]
        noise.append(mean_of_known(np.stack(inverse)) / 2)
    r, inverse_size = (mean_of_known(np.stack(each)) for each in (scores, noise))
    size = 1 / np.where(inverse_size > 0, inverse_size, 1.0)
    share = r / (size - r * (size - 1))
    return np.where(here & (half > 0), signed_root(share), np.nan)


def extrapolated(responses: Sequence[np.ndarray], seed: int = 0, n_draws: int = _DRAWS) -> np.ndarray:
    """Return v0 (S, P), Brain-Score's ceiling (Schrimpf et al. 2021; methods 1, (c)).

    Each participant is predicted by the mean of k = 2 .. S - 1 others (from 1, where up to three have the place), drawn
    five times among those who have it, and v0 (1 - exp(-k / tau)) is fitted to the scores. That curve levels off sooner
    than the truth does, s / sqrt(s + (1 - s) / k), so v0 is below sqrt(s): by .04 for s = .5 and 12 participants.
    """
    rng = np.random.default_rng(seed)
    n_people, _, n_places = responses[0].shape
    here = np.any([np.isfinite(each).any(axis=1) for each in responses], axis=0)
    owners = here.sum(axis=0)
    counts, scores = [], []
    there = [np.isfinite(each) for each in responses]
    for k in range(1, n_people):
        asked = (owners > k) & ((k > 1) | (owners <= _FEW))
        if not asked.any():
            continue
        draws, noise = [], []
        for _ in range(n_draws if k < n_people - 1 else 1):
            r = np.full((n_people, n_places), np.nan)
            for person in range(n_people):
                order = rng.permutation([other for other in range(n_people) if other != person])
                rank = np.full(here.shape, n_people)
                rank[order] = np.cumsum(here[order], axis=0) - 1
                given = here & (rank < k)
                by_split = [columnwise_r(each[person], mean_of(each, given)) for each in responses]
                r[person] = np.where(here[person] & asked, mean_of_known(np.stack(by_split)), np.nan)
                inverse = [mean_inverse((each & given[:, None]).sum(axis=0), each[person]) for each in there]
                noise.append(mean_of_known(np.stack(inverse)[:, asked]).mean())
            draws.append(r)
        counts.append(1 / np.nanmean(noise))  # k, or fewer where some of them missed stimuli
        scores.append(mean_of_known(np.stack(draws)))
    if not counts:
        return np.full((n_people, n_places), np.nan)
    flat = np.stack(scores).reshape(len(counts), -1)
    return saturation(np.array(counts, dtype=float), flat).reshape(n_people, n_places)


def saturation(counts: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return v0 (v,) of the least-squares fit of v0 (1 - exp(-k / tau)) to scores (n_counts, v), -1 <= v0 <= 1.

    For every tau of a fine grid the best v0 is known. Of a score at a single count v0 is that score; of none, NaN.
    """
    known = np.isfinite(scores)
    filled = np.where(known, scores, 0.0)
    best = np.full(scores.shape[1], np.inf)
    out = np.full(scores.shape[1], np.nan)
    for tau in _RATES:
        curve = known * (1 - np.exp(-counts / tau))[:, None]
        v0 = np.clip((curve * filled).sum(axis=0) / np.maximum((curve**2).sum(axis=0), 1e-12), -1, 1)
        error = ((filled - v0 * curve) ** 2).sum(axis=0)
        better = error < best - 1e-15
        out[better], best[better] = v0[better], error[better]
    out[~known.any(axis=0)] = np.nan
    return out
