"""Gradients of response probabilities, backwards: one forward pass, then many vector-Jacobian products at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers import PreTrainedModel

from tuneshift.inside.attribution.layout import Layout


def reverse_attribution(model: PreTrainedModel, layout: Layout, chunk: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient x input (P, R) of the response's probabilities, and these probabilities (R,), both float32.

    I[n, m] = d p_m / d e_n . e_n with p_m = softmax(logits)[y_m] (paper 2, equation 1). Weights take no gradients;
    each chunk of response tokens reads only the positions its tokens can see and goes back in one batched pass. A
    float64 model gives float64.
    """
    raw, probabilities = empty_result(model, layout)
    with eager_attention(model):
        for start in range(0, len(layout.response), chunk):
            part = slice(start, min(start + chunk, len(layout.response)))
            embeddings, chosen = response_probabilities(model, layout, part)
            which = torch.eye(len(chosen), device=chosen.device, dtype=chosen.dtype)
            (gradients,) = torch.autograd.grad(chosen, embeddings, which, is_grads_batched=True)
            positions, type_ = torch.as_tensor(layout.prompt, device=embeddings.device), wide(embeddings.dtype)
            products = (gradients[:, 0, positions].to(type_) * embeddings[0, positions].to(type_)).sum(-1)  # (R', P)
            raw[:, part] = products.T.detach().cpu().numpy()
            probabilities[part] = chosen.detach().cpu().numpy()
    return raw, probabilities


def response_probabilities(
    model: PreTrainedModel, layout: Layout, part: slice, scale: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return input embeddings (1, T', d), which take gradients, and the probabilities of a part of the response.

    `scale` multiplies the embeddings (integrated gradients). Only positions that the last token of the part can see
    are read.
    """
    device = model.device
    ids = torch.as_tensor(layout.ids, device=device)[None]
    positions = layout.response[part]
    targets = torch.as_tensor(layout.target_ids[part], device=device)
    embed = model.get_input_embeddings()
    before = torch.as_tensor(positions - 1, device=device)
    if layout.decoder_ids is not None:
        embeddings = embed(ids).detach()
        embeddings = (embeddings if scale is None else embeddings * scale).requires_grad_(True)
        decoder = torch.as_tensor(layout.decoder_ids[: positions[-1]], device=device)[None]
        logits = model(inputs_embeds=embeddings, decoder_input_ids=decoder, use_cache=False).logits[0]
    else:
        embeddings = embed(ids[:, : positions[-1]]).detach()
        embeddings = (embeddings if scale is None else embeddings * scale).requires_grad_(True)
        logits = model(inputs_embeds=embeddings, use_cache=False).logits[0]
    return embeddings, chosen_probabilities(logits[before], targets)


def chosen_probabilities(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the probability (R,) that logits (R, V) give each target (R,), in float32 at least."""
    return logits.to(wide(logits.dtype)).softmax(-1).gather(1, targets[:, None])[:, 0]


def wide(type_: torch.dtype) -> torch.dtype:
    """Return the type to add up in: float32, or float64 for float64."""
    return torch.promote_types(type_, torch.float32)


def empty_result(model: PreTrainedModel, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return zeros for an attribution (P, R) and for probabilities (R,)."""
    type_ = np.float64 if model.dtype == torch.float64 else np.float32
    return np.zeros((len(layout.prompt), len(layout.response)), dtype=type_), np.zeros(len(layout.response), type_)


@contextmanager
def eager_attention(model: PreTrainedModel) -> Iterator[None]:
    """Compute attention with plain matrix products while inside: fused kernels have no batched backward pass."""
    before = model.config._attn_implementation
    try:
        model.set_attn_implementation("eager")
        yield
    finally:
        model.set_attn_implementation(before)
