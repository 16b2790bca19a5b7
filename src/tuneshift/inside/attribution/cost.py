"""Which way is cheaper, backwards or forwards, and how much fits into memory at once."""

from __future__ import annotations

import logging
import os
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from tuneshift.inside.attribution.forward import forward_attribution
from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.reverse import Point, reverse_attribution
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule
from tuneshift.inside.attribution.target import Target

Mode = Literal["reverse", "forward"]

_log = logging.getLogger(__name__)
_FORWARD_OVERHEAD = 1.15
"""Seconds of a tangent at one position over seconds of a backward pass at one position (benchmarks/attribution.py)."""
_SHARE_OF_MEMORY = 0.4
_MOST_ON_CPU = 16
_MOST_ON_GPU = 128


def gradient_times_input(
    model: PreTrainedModel,
    layout: Layout,
    *,
    mode: Mode | Literal["auto"] = "auto",
    chunk: int | None = None,
    target: Target | None = None,
    point: Point | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient x input (P, R) and the targets (R,), as `reverse_attribution` does, the cheaper way.

    `mode` "auto" takes the way with less to compute, and goes backwards where the model's operations have no tangent
    rule; `chunk` None takes as many tokens at once as fit into free memory. Raises NoTangentRule only where "forward"
    is asked for by name.
    """
    if not len(layout.response):
        return reverse_attribution(model, layout)
    chosen = choose_mode(layout, model) if mode == "auto" else mode
    if chosen == "forward":
        try:
            size = chunk or choose_chunk(layout, model, "forward")
            return forward_attribution(model, layout, size, target=target, point=point)
        except NoTangentRule as reason:
            if mode == "forward":
                raise
            _log.info("attribution goes backwards: %s", reason)
    size = chunk or choose_chunk(layout, model, "reverse")
    return reverse_attribution(model, layout, size, target=target, point=point)


def choose_mode(layout: Layout, model: PreTrainedModel) -> Mode:
    """Return the cheaper way: P tangents behind their tokens, or R backward passes over what their tokens can see."""
    backward, forward = position_passes(layout)
    return "forward" if forward * _FORWARD_OVERHEAD < backward else "reverse"


def position_passes(layout: Layout) -> tuple[float, float]:
    """Return how many positions all backward passes, and all tangents, go through; each costs about the same.

    Backwards, response token m goes through the P + m positions it can see; forwards, every tangent goes through all.
    An encoder's positions come on top of the decoder's.
    """
    n_prompt, n_response = len(layout.prompt), len(layout.response)
    encoder = n_prompt if layout.decoder_ids is not None else 0
    backward = float(np.sum(layout.response + encoder))
    forward = float(n_prompt * (layout.response[-1] + encoder)) if n_response else 0.0
    return backward, forward


def choose_chunk(layout: Layout, model: PreTrainedModel, mode: Mode) -> int:
    """Return how many response tokens (reverse) or prompt tokens (forward) to treat at once within free memory.

    On a CPU at most 16: more do not make its matrix products faster, but fall out of its caches.
    """
    most = len(layout.response if mode == "reverse" else layout.prompt)
    each, shared = bytes_needed(layout, model, mode)
    room = (free_memory(model.device) * _SHARE_OF_MEMORY - shared) / each
    limit = _MOST_ON_CPU if model.device.type == "cpu" else _MOST_ON_GPU
    chunk = int(np.clip(room, 1, min(limit, max(most, 1))))
    return int(np.ceil(most / np.ceil(most / chunk))) if most else 1  # chunks of nearly equal size


def bytes_needed(layout: Layout, model: PreTrainedModel, mode: Mode) -> tuple[float, float]:
    """Return bytes for each token treated at once, and bytes that all share.

    The largest tensors of a block: its feed-forward state, a few residual streams, and attention weights of all heads;
    going backwards, all blocks keep theirs, and logits their whole vocabulary.
    """
    config = model.config.get_text_config()
    width, layers = config.hidden_size, config.num_hidden_layers
    heads = getattr(config, "num_attention_heads", 0)  # recurrent and state-space models have none
    wide = getattr(config, "intermediate_size", None) or getattr(config, "d_ff", None) or 4 * width
    length = float(layout.response[-1]) + (len(layout.prompt) if layout.decoder_ids is not None else 0)
    size = torch.finfo(model.dtype).bits / 8
    block = size * length * (10 * width + 4 * wide + 4 * heads * length)
    vocabulary = size * len(layout.response) * config.vocab_size
    if mode == "forward":
        return block, block + 6 * vocabulary
    return block + 3 * vocabulary, 2 * layers * block + 3 * size * length * config.vocab_size


def free_memory(device: torch.device) -> float:
    """Return the bytes that a device can still give."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = dict(line.split(":", 1) for line in lines)
        return float(found["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):  # no Linux: half of what is built in
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
