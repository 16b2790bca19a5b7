"""The best penalty of every target without computing every one: a sample shows how errors go together."""

from __future__ import annotations

import torch

from tuneshift.numerics.leave_out import Errors

PILOT = 256
"""Targets for which every penalty is computed, so that the others need not."""
_SPREADS = 4.0  # standard deviations that an estimate may be off by, at least
_WORST = 1.5  # times as far as the worst of the sample, at least: targets of another kind may be rare
_TIE = 3e-6  # relative difference up to which float32 cannot tell two errors apart
_SMALL_WORK = 5e9  # multiplications up to which looking for penalties takes longer than computing them


def best_penalties(training: torch.Tensor, errors: Errors, n_stimuli: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the index (v,) of the penalty with the smallest error, and that error (v,).

    `training` (v, n_alphas) are sums of squared training residuals, which cost next to nothing; `errors` computes the
    error of one penalty. The ratio of the two differs from penalty to penalty and hardly from target to target, so
    that one computed error foretells the others. How well, is measured: in a sample of targets every penalty is
    computed, and log(error_a / training_a) - log(error_b / training_b) found for every two. For all others the
    likeliest penalty is computed; one whose estimate, less what it may be off by, is above the smallest error found so
    far is out; of what is left the likeliest is next.
    """
    n_targets, n_alphas = training.shape
    if n_targets < 4 * PILOT or n_targets * n_alphas * n_stimuli**2 <= _SMALL_WORK:
        known = torch.stack([errors(index, None) for index in range(n_alphas)], dim=1)
    else:
        known = _searched(training, errors)
    return _told_apart(known, errors)


def _searched(training: torch.Tensor, errors: Errors) -> torch.Tensor:
    """Return errors (v, n_alphas) of the penalties that had to be computed, infinity for the others."""
    n_targets, n_alphas = training.shape
    every = range(n_alphas)
    expected = training.double().clamp(min=1e-300).log()
    pilot = torch.linspace(0, n_targets - 1, PILOT, device=training.device).long()
    known = torch.full_like(expected, torch.inf)  # as logarithms
    known[pilot] = torch.stack([errors(index, pilot) for index in every], dim=1).clamp(min=1e-300).log()
    ratio = known[pilot] - expected[pilot]
    apart = ratio[:, :, None] - ratio[:, None, :]  # (pilot, a, b)
    mean = apart.mean(0)
    doubt = torch.maximum(_SPREADS * apart.std(0), _WORST * (mean - apart.amin(0)))

    smallest = known.amin(1)
    lower = torch.full_like(expected, -torch.inf)
    likely = expected + ratio.mean(0)
    likely[pilot] = torch.inf
    open_rows = torch.isfinite(likely).any(1).nonzero()[:, 0]
    while len(open_rows):
        asked = likely[open_rows].argmin(1)
        for index in every:
            rows = open_rows[asked == index]
            if not len(rows):
                continue
            exact = errors(index, rows).clamp(min=1e-300).log()
            known[rows, index] = exact
            smallest[rows] = torch.minimum(smallest[rows], exact)
            estimate = exact[:, None] + expected[rows] - expected[rows, index, None] + mean[:, index]
            lower[rows] = torch.maximum(lower[rows], estimate - doubt[:, index])
            likely[rows] = torch.where(likely[rows].isinf(), torch.inf, estimate)
            likely[rows, index] = torch.inf  # done
        ruled_out = lower[open_rows] >= smallest[open_rows, None]
        likely[open_rows] = likely[open_rows].masked_fill(ruled_out, torch.inf)
        open_rows = open_rows[torch.isfinite(likely[open_rows]).any(1)]
    return known.exp()


def _told_apart(known: torch.Tensor, errors: Errors) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose the smallest of known errors (v, n_alphas); those that tie in float32 are computed again in float64."""
    smallest = known.amin(1, keepdim=True)
    tied = known <= smallest * (1 + _TIE)
    rows = (tied.sum(1) > 1).nonzero()[:, 0]
    if len(rows):
        precise = torch.full_like(known[rows], torch.inf)
        for index in range(known.shape[1]):
            some = tied[rows, index].nonzero()[:, 0]
            if len(some):
                precise[some, index] = errors(index, rows[some], precisely=True)
        known = known.clone()
        known[rows] = precise
    found, chosen = known.min(1)
    return chosen, found
