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
from tuneshift.inside.attribution.reverse import eager_attention
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule, TangentTensor


def forward_attribution(model: PreTrainedModel, layout: Layout, chunk: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient x input (P, R) of the response's probabilities, and these probabilities (R,), both float32.

    The same numbers as `reverse_attribution`: I[n, m] = d p_m / d e_n . e_n is the derivative of p_m in the scale of
    e_n, so one tangent e_n at position n gives row n. `chunk` tangents go through the model at once. Cheaper than
    backward passes where the prompt is much shorter than the response. Raises NoTangentRule where the model runs an
    operation whose derivative is not known.
    """
    raw = np.zeros((len(layout.prompt), len(layout.response)), dtype=np.float32)
    probabilities = np.zeros(len(layout.response), dtype=np.float32)
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
            state, logits = _run(model, TangentTensor(embeddings, tangents), layout)
            with torch.enable_grad():
                p = logits()[0, positions].float().softmax(-1).gather(1, targets[:, None])[:, 0]
                # what follows the last state treats each position alone, so one pass gives each probability's own slope
                (slopes,) = torch.autograd.grad(p.sum(), state.leaf)
            products = (state.tangents[:, 0, positions].float() * slopes[0, positions].float()).sum(-1)
            raw[start : start + chunk] = products.cpu().numpy()
            probabilities[:] = p.detach().cpu().numpy()
    return raw, probabilities
