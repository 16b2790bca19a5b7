"""States of a model's body, as many as it has layers and all of one width, or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tuneshift.errors import MeasurementFailed


def body_states(body: torch.nn.Module, run: Callable[[], Any], n_layers: int) -> tuple[torch.Tensor, ...]:
    """Return the `n_layers` + 1 hidden states of what `run` reads, the last one before a projection that ends the body.

    OPT-350m projects its residual stream to narrower embeddings; the stream itself ends before that, and the
    projection is the first half of the output embeddings. Raises MeasurementFailed where the architecture gives no
    states, or not one a layer.
    """
    projection = getattr(getattr(body, "decoder", body), "project_out", None)
    before: list[torch.Tensor] = []
    handle = None
    if isinstance(projection, torch.nn.Module):
        handle = projection.register_forward_pre_hook(lambda _, inputs: before.append(inputs[0]))
    try:
        states = tuple(getattr(run(), "hidden_states", None) or ())
    finally:
        if handle is not None:
            handle.remove()
    if len(states) != n_layers + 1:
        raise MeasurementFailed(
            f"{type(body).__name__} gives {len(states)} hidden states where its {n_layers} layers have {n_layers + 1}: "
            "transformers does not return the states of this architecture layer by layer."
        )
    return (*states[:-1], before[-1]) if before else states
