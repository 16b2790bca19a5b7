"""Tiny random models, one of every architecture that anatomy knows (and of every layout within one)."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

_GROUPED = {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2}
_LLAMA = {**_GROUPED, "num_key_value_heads": 2, "intermediate_size": 48}
_WIDE_HEADS = {**_LLAMA, "head_dim": 16}
_GPT2 = {"vocab_size": 64, "n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 32}
_OPT = {**_GROUPED, "ffn_dim": 48}
_T5 = {"vocab_size": 64, "d_model": 32, "d_kv": 12, "num_heads": 4, "num_layers": 2, "d_ff": 48}
_NEW_FALCON = {**_GROUPED, "new_decoder_architecture": True, "num_kv_heads": 2}

FAMILIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "bloom": (hf.BloomConfig, {"vocab_size": 64, "hidden_size": 32, "n_head": 4, "n_layer": 2}),
    "falcon, one key head": (hf.FalconConfig, _GROUPED),
    "falcon, a key head for each query": (hf.FalconConfig, {**_GROUPED, "multi_query": False, "bias": True}),
    "falcon, new, two norms": (hf.FalconConfig, _NEW_FALCON),
    "falcon, new, one norm": (hf.FalconConfig, {**_NEW_FALCON, "num_ln_in_parallel_attn": 1}),
    "gemma": (hf.GemmaConfig, _WIDE_HEADS),
    "gemma2": (hf.Gemma2Config, _WIDE_HEADS),
    "gemma3": (hf.Gemma3TextConfig, _WIDE_HEADS),
    "gpt2": (hf.GPT2Config, _GPT2),
    "gpt_neox": (hf.GPTNeoXConfig, {**_GROUPED, "intermediate_size": 48, "max_position_embeddings": 32}),
    "llama": (hf.LlamaConfig, _LLAMA),
    "llama, wide heads, biases": (hf.LlamaConfig, {**_WIDE_HEADS, "attention_bias": True, "tie_word_embeddings": True}),
    "mistral": (hf.MistralConfig, _LLAMA),
    "mt5": (hf.MT5Config, {**_T5, "tie_word_embeddings": False}),
    "opt": (hf.OPTConfig, {**_OPT, "word_embed_proj_dim": 32}),
    "opt, narrow embeddings": (hf.OPTConfig, {**_OPT, "word_embed_proj_dim": 16, "do_layer_norm_before": False}),
    "phi": (hf.PhiConfig, {**_GROUPED, "intermediate_size": 48}),
    "phi3": (hf.Phi3Config, {**_LLAMA, "pad_token_id": 0}),
    "qwen2": (hf.Qwen2Config, _LLAMA),
    "qwen3": (hf.Qwen3Config, _WIDE_HEADS),
    "t5": (hf.T5Config, _T5),
    "t5, gated, untied": (hf.T5Config, {**_T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
}


def tiny(family: str, **options: Any) -> Any:
    """A model whose every parameter is random: gains and biases too, which fresh models set to 1 and 0."""
    torch.manual_seed(5)
    build, settings = FAMILIES[family]
    config = build(**settings)
    auto = hf.AutoModelForSeq2SeqLM if config.is_encoder_decoder else hf.AutoModelForCausalLM
    model = auto.from_config(config, **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    return model
