"""The best penalty of every target without computing every one: limits rule out those that cannot be the best."""

from __future__ import annotations

import torch

from tuneshift.numerics.foretelling import landmarks
from tuneshift.numerics.leave_out import ClosedForm, Errors, Refits, Targets

_TIE = 3e-6  # relative difference up to which float32 cannot tell two errors apart
_SMALL_WORK = 5e9  # multiplications up to which looking for penalties takes longer than computing them


def best_penalties(given: Targets, leave_out: ClosedForm | Refits) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the index (v,) of the penalty with the smallest error, and that error (v,).

    The errors of three penalties are computed for every target, and limit those of all others from below. A penalty
    whose limit is above the smallest error found so far is out; of what is left the likeliest is computed next. So the
    choice is that of computing every penalty, for targets of every kind, and does not depend on the other targets.
    """
    n_targets, n_alphas = given.responses.shape[1], len(leave_out.alphas)
    errors = leave_out.errors(given)
    small = n_targets * n_alphas * len(given.responses) ** 2 <= _SMALL_WORK
    if small or n_alphas < 5 or not leave_out.worth_foretelling(n_targets):
        known = torch.stack([errors(index, None) for index in range(n_alphas)], dim=1)
    else:
        known = _searched(given, leave_out, errors)
    return _told_apart(known, errors)


def _searched(given: Targets, leave_out: ClosedForm | Refits, errors: Errors) -> torch.Tensor:
    """Return errors (v, n_alphas) of the penalties that had to be computed, infinity for the others."""
    first = landmarks(leave_out.alphas)
    computed = torch.stack([errors(index, None) for index in first], dim=1)
    estimate, doubt = leave_out.limits(given, first, computed)
    known = torch.full_like(estimate, torch.inf)
    known[:, first] = computed
    smallest = computed.amin(1)
    lower = estimate - doubt
    likely = estimate.masked_fill(lower.isnan() | (estimate == torch.inf), -torch.inf)  # says nothing: is computed
    likely[:, first] = torch.inf
    while True:
        likely.masked_fill_(lower > smallest[:, None], torch.inf)
        open_rows = (likely < torch.inf).any(1).nonzero()[:, 0]
        if not len(open_rows):
            return known
        asked = likely[open_rows].argmin(1)
        for index in asked.unique().tolist():
            rows = open_rows[asked == index]
            known[rows, index] = errors(index, rows)
            likely[rows, index] = torch.inf
        smallest = torch.minimum(smallest, known.amin(1))


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
