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
from tuneshift.inside.attribution.reverse import chosen_probabilities, eager_attention, empty_result, wide
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule, TangentTensor, with_tangents


def forward_attribution(model: PreTrainedModel, layout: Layout, chunk: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient x input (P, R) of the response's probabilities, and these probabilities (R,), both float32.

    The same numbers as `reverse_attribution`: I[n, m] = d p_m / d e_n . e_n is the derivative of p_m in the scale of
    e_n, so one tangent e_n at position n gives row n. `chunk` tangents go through the model at once. Cheaper than
    backward passes where the prompt is much shorter than the response. Raises NoTangentRule where the model runs an
    operation whose derivative is not known. A float64 model gives float64.
    """
    raw, probabilities = empty_result(model, layout)
    if not raw.size:
        return raw, probabilities
    device = model.device
    positions = torch.as_tensor(layout.response - 1, device=device)
    targets = torch.as_tensor(layout.target_ids, device=device)
    read = layout.ids if layout.decoder_ids is not None else layout.ids[: layout.response[-1]]
    with eager_attention(model), torch.no_grad():
        embeddings = model.get_input_embeddings()(torch.as_tensor(read, device=device)[None])
        for start in range(0, len(layout.prompt), chunk):
            sources = torch.as_tensor(layout.prompt[start : start + chunk], device=device)
            tangents = embeddings.new_zeros(len(sources), *embeddings.shape)
            tangents[torch.arange(len(sources)), 0, sources] = embeddings[0, sources]
            slopes, along, p = _read_out(model, with_tangents(embeddings, tangents), layout, positions, targets)
            products = torch.einsum("nmd,md->nm", *(x.to(wide(x.dtype)) for x in (along, slopes)))
            raw[start : start + chunk] = products.cpu().numpy()
            probabilities[:] = p.cpu().numpy()
    return raw, probabilities


def _read_out(
    model: PreTrainedModel, embeddings: TangentTensor, layout: Layout, positions: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return d p_m / d last state (R, d), the tangents of that state (n, R, d), and p (R,).

    What follows the last state (output matrix, soft caps) treats each position alone, so it needs no tangents: one
    backward pass of sum(p) through it gives every position's own gradient, whatever the size of the vocabulary.
    """
    inputs: dict[str, Any] = {"inputs_embeds": embeddings, "use_cache": False}
    if layout.decoder_ids is not None:
        decoder = layout.decoder_ids[: layout.response[-1]]
        inputs["decoder_input_ids"] = torch.as_tensor(decoder, device=positions.device)[None]
    with _last_state(model, positions) as last, torch.no_grad():
        p = chosen_probabilities(model(**inputs).logits[0], targets)
        (slopes,) = torch.autograd.grad(p.sum(), last.leaf)
    return slopes[0], last.tangents[:, 0], p.detach()


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
