"""Gradients of response probabilities, forwards: the value once, and one tangent for each prompt token beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

import tuneshift.inside.attribution.tangent_rules  # noqa: F401  (registers the rules)
from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.prefix import cache_of, goes_on, going_on, keys_and_values
from tuneshift.inside.attribution.reverse import (
    Point,
    eager_attention,
    empty_result,
    model_inputs,
    prompt_embeddings,
    require_embeddings,
    with_prompt,
)
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule, TangentTensor, with_tangents
from tuneshift.inside.attribution.target import Target, probability, wide


def forward_attribution(
    model: PreTrainedModel,
    layout: Layout,
    chunk: int = 16,
    *,
    target: Target | None = None,
    point: Point | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient x input (P, R) of the response's probabilities, and these probabilities (R,), both float32.

    The same numbers as `reverse_attribution`, with the same arguments: I[n, m] = d p_m / d e_n . e_n is the derivative
    of p_m in the scale of e_n, so one tangent e_n at position n gives row n. `chunk` tangents go through the model at
    once. Cheaper than backward passes where the prompt is much shorter than the response. Raises NoTangentRule where
    the model runs an operation whose derivative is not known.
    """
    target = target or probability(layout)
    raw, reached = empty_result(model, layout)
    if not raw.size:
        return raw, reached
    require_embeddings(model)
    stop = layout.response[-1]
    with eager_attention(model), torch.no_grad():
        at, along = point or (prompt_embeddings(model, layout),) * 2
        embeddings = with_prompt(model, layout, at, stop)
        last_start = (len(layout.prompt) - 1) // chunk * chunk
        prefix = keys_and_values(model, embeddings[:, :last_start]) if goes_on(model, layout) else []
        for start in range(0, len(layout.prompt), chunk):
            part = slice(start, start + chunk)
            read = start if prefix else 0  # no tangent reaches what stands before
            sources = torch.as_tensor(layout.prompt[part] - read, device=at.device)
            tangents = embeddings.new_zeros(len(sources), 1, embeddings.shape[1] - read, embeddings.shape[2])
            tangents[torch.arange(len(sources), device=at.device), 0, sources] = along[part].to(tangents.dtype)
            inputs = model_inputs(layout, with_tangents(embeddings[:, read:], tangents), stop)
            if read:
                inputs |= going_on(model, cache_of(prefix, read))
            slopes, states, numbers = _read_out(model, inputs, layout.response - 1 - read, target)
            products = torch.einsum("nmd,md->nm", *(x.to(wide(x.dtype)) for x in (states, slopes)))
            raw[part] = products.cpu().numpy()
            reached[:] = numbers.cpu().numpy()
    return raw, reached


def _read_out(
    model: PreTrainedModel, inputs: dict[str, Any], positions: np.ndarray, target: Target
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return d p_m / d last state (R, d), the tangents of that state (n, R, d), and p (R,).

    What follows the last state (output matrix, soft caps) treats each position alone, so it needs no tangents: one
    backward pass of sum(p) through it gives every position's own gradient, whatever the size of the vocabulary.
    """
    with _last_state(model, torch.as_tensor(positions, device=model.device)) as last, torch.no_grad():
        numbers = target(model(**inputs).logits[0], slice(0, len(positions)))
        (slopes,) = torch.autograd.grad(numbers.sum(), last.leaf)
    return slopes[0], last.tangents[:, 0], numbers.detach()


class _LastState:
    """The state that the output matrix reads: a leaf (1, R, d) that takes gradients, and its tangents (n, 1, R, d)."""

    leaf: torch.Tensor
    tangents: torch.Tensor


@contextmanager
def _last_state(model: PreTrainedModel, positions: torch.Tensor) -> Iterator[_LastState]:
    """Catch the last state at `positions` on its way into the output matrix; from there on gradients are recorded."""
    last = _LastState()

    def catch(module: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        state = inputs[0]
        if not isinstance(state, TangentTensor):
            raise NoTangentRule("the model's last state does not depend on its input embeddings")
        last.tangents = state.tangents.index_select(2, positions)
        last.leaf = state.value.index_select(1, positions).requires_grad_()
        torch.set_grad_enabled(True)
        return (last.leaf, *inputs[1:])

    output = model.get_output_embeddings()
    if output is None:
        raise NoTangentRule(f"{type(model).__name__} has no output embeddings")
    handle = output.register_forward_pre_hook(catch)
    try:
        yield last
    finally:
        handle.remove()
