"""What is attributed: a number for each response token, made of the model's logits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from tuneshift.inside.attribution.layout import Layout

Target = Callable[[torch.Tensor, slice], torch.Tensor]
"""From logits (R', V) of a part (slice) of the response to one number for each of its tokens (R',)."""


def probability(layout: Layout) -> Target:
    """Return the target of paper 2: the probability of each response token."""
    return lambda logits, part: log_chosen(logits, layout.target_ids[part]).exp()


def log_probability(layout: Layout) -> Target:
    """Return the log probability (nats) of each response token: it does not fade where the model is sure."""
    return lambda logits, part: log_chosen(logits, layout.target_ids[part])


def log_chosen(logits: torch.Tensor, ids: np.ndarray) -> torch.Tensor:
    """Return the log probability (R,) that logits (R, V) give each id (R,), in float32 at least."""
    index = torch.as_tensor(ids, device=logits.device)[:, None]
    return logits.to(wide(logits.dtype)).log_softmax(-1).gather(1, index)[:, 0]


def wide(type_: torch.dtype) -> torch.dtype:
    """Return the type to add up in: float32, or float64 for float64."""
    return torch.promote_types(type_, torch.float32)
