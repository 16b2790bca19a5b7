"""Hand-made models of known weights, and the words they are asked about."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf

from tuneshift.inside.words import WordList, word_list
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights

_FAMILIES = Path(__file__).parents[1] / "models" / "families.py"


def families() -> Any:
    """The module of the models' tests that makes one tiny random model of every architecture."""
    spec = importlib.util.spec_from_file_location("families_of_all_architectures", _FAMILIES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weights_of(torch_model: Any, tokenizer: Any, name: str = "own") -> Weights:
    return Weights(name, torch_model.config, tokenizer, torch_model.state_dict(), torch.device("cpu"))


def sixty_words(tokenizer: Any) -> WordList:
    """Words for models of 64 tokens: one token each, but for one word of two."""
    listed = word_list(tokenizer)
    tokens = tuple((i,) for i in range(59))
    return WordList(listed.words[:60], (*tokens, (3, 7)))


def blank_llama(tokenizer: Any, *, layers: int = 2, d: int = 64, seed: int = 0) -> Any:
    """A Llama of 4 query heads and 2 key heads with small random weights; its tokens are those of the tokenizer."""
    config = hf.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=d,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=3 * d,
        num_hidden_layers=layers,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=0,
    )
    torch.manual_seed(seed)
    model = hf.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" not in name:
                parameter.copy_(torch.randn(parameter.shape) / parameter.shape[-1] ** 0.5)
    return model.requires_grad_(False)


def language_model(torch_model: Any, tokenizer: Any, name: str = "own") -> LanguageModel:
    return LanguageModel(name, torch_model, tokenizer, "test")


def changed(model: LanguageModel, edit: Callable[[Any], None], name: str = "tuned") -> LanguageModel:
    """A copy of a model whose weights `edit` changes in place."""
    twin = copy.deepcopy(model.torch_model)
    with torch.no_grad():
        edit(twin)
    return LanguageModel(name, twin, model.tokenizer, "test")


def turned_by(angle: float, k: int, layer: int) -> Callable[[Any], None]:
    """Turn the first k principal directions that a block writes by `angle` degrees, each towards one outside of them.

    The directions come from a plain SVD of the centred weights; each turn leaves everything outside its plane alone.
    """

    def edit(torch_model: Any) -> None:
        weights = torch_model.model.layers[layer - 1].mlp.down_proj.weight  # (d, n_neurons)
        centred = weights.double().T
        _, _, directions = np.linalg.svd((centred - centred.mean(0)).numpy())
        rotation = np.eye(len(directions))
        radians = np.radians(angle)
        for first, second in zip(directions[:k], directions[k : 2 * k], strict=True):
            plane = np.outer(second, first) - np.outer(first, second)
            both = np.outer(first, first) + np.outer(second, second)
            rotation = rotation @ (np.eye(len(directions)) + np.sin(radians) * plane + (np.cos(radians) - 1) * both)
        weights.copy_(torch.from_numpy(rotation @ weights.double().numpy()).float())

    return edit
