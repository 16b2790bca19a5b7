"""From logits to what a word's surprisal is made of, a few rows at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

# Logits looked at together. A processor's cache holds a quarter million, and what does not leave it is four times as
# quick; a graphics card wants more, and beyond this only memory is lost.
_AT_ONCE_CPU, _AT_ONCE_GPU = 2**18, 2**22
_BITS = 1 / math.log(2)


@dataclass(frozen=True)
class NextToken:
    """What a model says of the next token, one entry a row of logits; all in bits but `rank`.

    `surprisal`: -log2 p(target). `boundary`: -log2 P(the next token begins a word). `entropy`: of the distribution.
    `rank`: 1 where no token is more probable than the target.
    """

    surprisal: np.ndarray
    boundary: np.ndarray
    entropy: np.ndarray
    rank: np.ndarray


def score_next_tokens(logits: torch.Tensor, targets: torch.Tensor, begins: torch.Tensor) -> NextToken:
    """Score `targets` (n,) under `logits` (n, V); `begins` (V,) are the word-beginning tokens, as bool.

    The logits keep their place on the device; sums over the vocabulary are accumulated in float64.
    """
    step = max(1, (_AT_ONCE_CPU if logits.device.type == "cpu" else _AT_ONCE_GPU) // logits.shape[1])
    parts = [
        _scored(logits[i : i + step], targets[i : i + step], begins) for i in range(0, max(1, logits.shape[0]), step)
    ]
    columns = [torch.cat([part[k] for part in parts]).double().cpu().numpy() for k in range(4)]
    return NextToken(columns[0], columns[1], columns[2], columns[3].astype(np.int64))


def _scored(logits: torch.Tensor, targets: torch.Tensor, begins: torch.Tensor) -> tuple[torch.Tensor, ...]:
    logits = logits.float()
    target = logits.gather(1, targets[:, None])
    rank = (logits > target).sum(1) + 1
    peak = logits.amax(1, keepdim=True)
    shifted = logits - peak
    weights = shifted.exp()
    total = weights.sum(1, dtype=torch.float64)
    starting = (weights * begins).sum(1, dtype=torch.float64)
    # Logits of -inf (tokens that a model forbids) have no weight, and 0 x inf would make the sum undefined.
    spread = torch.where(weights > 0, weights * shifted, 0.0).sum(1, dtype=torch.float64)
    log_total = total.log()
    surprisal = log_total - (target - peak)[:, 0].double()
    return surprisal * _BITS, (log_total - starting.log()) * _BITS, (log_total - spread / total) * _BITS, rank
