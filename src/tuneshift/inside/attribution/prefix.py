"""What was read before need not be read again: a model goes on from the keys and values that it keeps."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from tuneshift.inside.attribution.layout import Layout


def goes_on(model: PreTrainedModel, layout: Layout) -> bool:
    """Return whether a model can go on from keys and values of all positions, and the prompt comes first.

    Encoders read everything at once; sliding windows and recurrent layers keep other things than a key a position.
    """
    in_order = np.array_equal(np.append(layout.prompt, layout.response), np.arange(len(layout.ids)))
    if layout.decoder_ids is not None or not in_order:
        return False
    with torch.no_grad():
        one = model.get_input_embeddings()(torch.as_tensor(layout.ids[:1], device=model.device)[None])
        past = _kept(model.base_model(inputs_embeds=one, use_cache=True))
    return isinstance(past, DynamicCache) and all(type(layer) is DynamicLayer for layer in past.layers)


def keys_and_values(model: PreTrainedModel, embeddings: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return keys and values of each layer for embeddings (1, T, d), positions in the dimension before the last."""
    if not embeddings.shape[1]:
        return []
    cache = _kept(model.base_model(inputs_embeds=embeddings, use_cache=True))
    return [(layer.keys, layer.values) for layer in cache.layers]


def cache_of(layers: list[tuple[torch.Tensor, torch.Tensor]], n_positions: int) -> DynamicCache:
    """Return a cache of the first positions that a model may add to."""
    cache = DynamicCache()
    for number, (keys, values) in enumerate(layers):
        cache.update(keys[:, :, :n_positions], values[:, :, :n_positions], number)
    return cache


def going_on(model: torch.nn.Module, cache: DynamicCache) -> dict[str, Any]:
    """Return the arguments with which a model goes on from a cache, and adds to it.

    transformers is renaming `past_key_values` to `cache`; a model takes the one that its own signature names.
    """
    name = "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
    return {name: cache, "use_cache": True}


def _kept(output: Any) -> Any:
    """Return the keys and values that a model's output holds, under either name; None where it holds none."""
    cache = getattr(output, "cache", None)
    return getattr(output, "past_key_values", None) if cache is None else cache
