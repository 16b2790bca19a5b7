"""Tiny random models of several architectures, and attribution as it was published: one backward pass a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import transformers as hf

from tuneshift.inside.attribution.layout import Layout

N_VOCABULARY = 60
_SIZES: dict[str, Any] = {
    "vocab_size": N_VOCABULARY,
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "intermediate_size": 48,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
_T5: dict[str, Any] = {
    "vocab_size": N_VOCABULARY,
    "d_model": 32,
    "d_kv": 8,
    "num_heads": 4,
    "num_layers": 2,
    "d_ff": 48,
}

FAMILIES: dict[str, Callable[[], hf.PreTrainedConfig]] = {
    "llama": lambda: hf.LlamaConfig(**_GROUPED),
    "mistral, sliding window": lambda: hf.MistralConfig(**_GROUPED, sliding_window=6),
    "qwen2": lambda: hf.Qwen2Config(**_GROUPED),
    "qwen3": lambda: hf.Qwen3Config(**_GROUPED, head_dim=16),
    "gemma": lambda: hf.GemmaConfig(**_GROUPED, head_dim=8),
    "gemma2, soft caps": lambda: hf.Gemma2Config(**_GROUPED, head_dim=8, final_logit_softcapping=2.0),
    "gemma3": lambda: hf.Gemma3TextConfig(**_GROUPED, head_dim=8),
    "gpt2": lambda: hf.GPT2Config(vocab_size=N_VOCABULARY, n_embd=32, n_head=4, n_layer=2, n_positions=64),
    "gpt_neox": lambda: hf.GPTNeoXConfig(**_SIZES),
    "opt": lambda: hf.OPTConfig(
        vocab_size=N_VOCABULARY,
        hidden_size=32,
        num_attention_heads=4,
        num_hidden_layers=2,
        ffn_dim=48,
        word_embed_proj_dim=16,
    ),
    "phi": lambda: hf.PhiConfig(**_SIZES),
    "phi3": lambda: hf.Phi3Config(**_GROUPED, pad_token_id=0),
    "falcon": lambda: hf.FalconConfig(**_SIZES),
    "falcon, alibi": lambda: hf.FalconConfig(**_SIZES, alibi=True),
    "bloom": lambda: hf.BloomConfig(vocab_size=N_VOCABULARY, hidden_size=32, n_head=4, n_layer=2),
    "t5": lambda: hf.T5Config(**_T5),
    "t5, gated, untied": lambda: hf.T5Config(**_T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
}
DOUBLE = ("gpt2", "falcon", "falcon, alibi")
"""Families whose code computes in the model's own type: others pass through float32 somewhere, whatever the weights."""


def tiny(family: str, seed: int = 0) -> Any:
    """A random model, gains and biases too, which fresh models set to 1 and 0."""
    config = FAMILIES[family]()
    auto = hf.AutoModelForSeq2SeqLM if config.is_encoder_decoder else hf.AutoModelForCausalLM
    torch.manual_seed(seed)
    model = auto.from_config(config).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.add_(torch.randn(parameter.shape) * 0.1)
    return model


def laid_out(
    n_prompt: int, n_response: int, *, encoder: bool = False, seed: int = 0, size: int = N_VOCABULARY
) -> Layout:
    """A prompt and a response of random tokens."""
    random = np.random.default_rng(seed)
    prompt, response = random.integers(3, N_VOCABULARY, n_prompt), random.integers(3, N_VOCABULARY, n_response)
    common = (np.arange(n_prompt), np.ones(n_prompt, dtype=bool), np.zeros((n_prompt, 2), dtype=int))
    if encoder:
        return Layout(prompt, *common, 1 + np.arange(n_response), np.concatenate([[0], response]))
    return Layout(np.concatenate([prompt, response]), *common, n_prompt + np.arange(n_response))


def published(model: Any, layout: Layout) -> np.ndarray:
    """The published way: for each response token a pass forward and one backward, with weight gradients, dp/de . e."""
    model = model.requires_grad_(True)
    model.set_attn_implementation("eager")
    rows = []
    embed = model.get_input_embeddings()
    for position, own in zip(layout.response, layout.target_ids, strict=True):
        embeddings = embed(torch.as_tensor(layout.ids)[None]).detach().requires_grad_()
        inputs = {"inputs_embeds": embeddings}
        if layout.decoder_ids is not None:
            inputs["decoder_input_ids"] = torch.as_tensor(layout.decoder_ids)[None]
        logits = model(**inputs).logits[0, position - 1]
        torch.softmax(logits, -1)[own].backward()
        rows.append((embeddings.grad * embeddings).sum(-1)[0, layout.prompt].detach().numpy())
        model.zero_grad()
    model.requires_grad_(False)
    return np.stack(rows, axis=1)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two matrices, relative to the largest number of the second."""
    return float(np.abs(a - b).max() / np.abs(b).max())
