"""What stands before a chunk of prompt tokens does not depend on them: its keys and values are computed once."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer


class Prefix:
    """Keys and values of the first positions, from which any shorter beginning can be taken."""

    def __init__(self, model: PreTrainedModel, embeddings: torch.Tensor, n_positions: int) -> None:
        """Read the first `n_positions` of embeddings (1, T, d), where the model can go on from them."""
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        if n_positions and not model.config.is_encoder_decoder:
            past = model.base_model(inputs_embeds=embeddings[:, :n_positions], use_cache=True).past_key_values
            # sliding windows and recurrent layers keep other things than one key a position
            layers: list[Any] = past.layers if isinstance(past, DynamicCache) else []
            if all(type(layer) is DynamicLayer for layer in layers):
                self._layers = [(layer.keys, layer.values) for layer in layers]

    def usable(self, n_positions: int) -> int:
        """Return how many of the first positions need not be read again: all of them, or none."""
        return n_positions if self._layers else 0

    def cache(self, n_positions: int) -> DynamicCache:
        """Return a cache of the first positions that a model may add to."""
        cache = DynamicCache()
        for number, (keys, values) in enumerate(self._layers):
            cache.update(keys[:, :, :n_positions], values[:, :, :n_positions], number)
        return cache
