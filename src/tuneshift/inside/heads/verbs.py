"""Instruction verbs and ordinary verbs: which heads take up more of a verb after tuning (methods, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

INSTRUCTION_VERBS = (
    "translate", "explain", "summarize", "retrieve", "revise", "generate", "describe", "classify", "create",
    "evaluate", "correct", "develop", "identify", "analyze", "compose", "demonstrate", "interpret", "design", "solve",
    "follow", "clarify", "say", "help", "act", "recommend", "estimate", "edit", "format", "repeat", "write", "give",
    "find", "make", "have", "tell", "output", "predict", "detect",
)  # fmt: skip
"""The verbs of paper 2's lists, merged."""

CONTROL_VERBS = (
    "go", "come", "see", "know", "think", "look", "want", "use", "work", "call", "try", "ask", "need", "feel",
    "become", "leave", "put", "mean", "keep", "let", "begin", "seem", "turn", "start", "run", "move", "like", "live",
    "believe", "hold", "bring", "happen", "sit", "stand", "lose", "pay", "meet", "lead", "wait", "die", "fall",
    "speak", "hear", "show", "play",
)  # fmt: skip
"""Frequent verbs that few instructions begin with."""

FEWEST_KEY_HEADS = 4
"""Fewer say nothing about how heads differ: no interval."""

_N_BOOT = 2000


@dataclass(frozen=True)
class VerbGain:
    """Of the heads whose number of pairs with a verb changed, the share in which it rose; over one group of layers.

    `instruction` and `control` are means over verbs, with bootstrap intervals over key heads (query heads that share a
    key head are drawn together; NaN for fewer than 4 key heads); `difference` is instruction minus control.
    `shares` holds each verb's share, instruction verbs and control verbs (NaN where every head ties), `p` is the
    two-sided Welch test between verbs, `n_key_heads` the number of independent heads.
    """

    instruction: tuple[float, float, float]
    control: tuple[float, float, float]
    difference: tuple[float, float, float]
    p: float
    n_key_heads: int
    shares: tuple[np.ndarray, np.ndarray]


def verb_gain(
    base: np.ndarray, tuned: np.ndarray, instruction: Sequence[int], control: Sequence[int], queries_per_key: int
) -> VerbGain:
    """Compare the occurrences of verbs in head pairs, base and tuned each (n_layers, n_heads, n_verbs).

    `instruction` and `control` are places along the last axis. Ties are left out of the shares (methods, section 5).
    """
    change = np.sign(tuned - base)
    n_layers, n_heads, n_verbs = change.shape
    keyed = change.reshape(n_layers * n_heads // queries_per_key, queries_per_key, n_verbs)
    rose, moved = (keyed > 0).sum(axis=1).astype(float), (keyed != 0).sum(axis=1).astype(float)
    sides = tuple(_shares(rose.sum(axis=0), moved.sum(axis=0))[list(chosen)] for chosen in (instruction, control))
    draws = _draws(rose, moved, (list(instruction), list(control)))
    values = [_mean(shares) for shares in sides]
    return VerbGain(
        instruction=(values[0], *_interval(draws[0])),
        control=(values[1], *_interval(draws[1])),
        difference=(values[0] - values[1], *_interval(draws[0] - draws[1])),
        p=_welch(*sides),
        n_key_heads=len(keyed),
        shares=(sides[0], sides[1]),
    )


def _shares(rose: np.ndarray, moved: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: np.ndarray = rose / moved
    return shares


def _mean(shares: np.ndarray) -> float:
    known = shares[np.isfinite(shares)]
    return float(known.mean()) if len(known) else float("nan")


def _draws(rose: np.ndarray, moved: np.ndarray, sides: tuple[list[int], list[int]]) -> np.ndarray:
    """Return the two means in each bootstrap sample of key heads (2, n_boot), NaN for fewer than 4 key heads."""
    n = len(rose)
    if n < FEWEST_KEY_HEADS:
        return np.full((2, 1), np.nan)
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_N_BOOT).astype(float)
    shares = _shares(counts @ rose, counts @ moved)
    found = []
    for side in sides:
        known = np.isfinite(shares[:, side])
        total = np.where(known, shares[:, side], 0).sum(axis=1)
        found.append(_shares(total, known.sum(axis=1).astype(float)))
    return np.stack(found)


def _interval(draws: np.ndarray) -> tuple[float, float]:
    draws = draws[np.isfinite(draws)]
    if len(draws) < _N_BOOT // 2:
        return float("nan"), float("nan")
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _welch(first: np.ndarray, second: np.ndarray) -> float:
    first, second = (side[np.isfinite(side)] for side in (first, second))
    if len(first) < 2 or len(second) < 2 or (np.ptp(first) == 0 and np.ptp(second) == 0):
        return float("nan")
    return float(stats.ttest_ind(first, second, equal_var=False).pvalue)
