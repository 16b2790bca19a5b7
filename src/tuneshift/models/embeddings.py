"""A model's input and output embeddings: how many rows they have, and whether they are one matrix."""

from __future__ import annotations

import torch
from transformers import PretrainedConfig, PreTrainedModel


def embedding_rows(model: PreTrainedModel) -> int:
    """Return how many tokens a model has embeddings for."""
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, torch.Tensor)
    return int(weight.shape[0])


def say_untied(config: PretrainedConfig) -> None:
    """Write into a configuration that the output embeddings are a matrix of their own."""
    for one in (config, config.get_text_config()):
        one.tie_word_embeddings = False
