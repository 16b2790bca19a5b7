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
_LOCAL_EXPERTS = {**_LLAMA, "num_local_experts": 3, "num_experts_per_tok": 2}
_PLAIN_ROTATION = {"rope_type": "default", "rope_theta": 10_000.0}
_EXPERTS = {**_LLAMA, "num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
_GRANITE = {"embedding_multiplier": 6.0, "residual_multiplier": 0.4, "attention_multiplier": 0.2}
_GRANITE |= {"logits_scaling": 3.0}
_NEO = {**_GROUPED, "attention_types": [[["global", "local"], 1]], "max_position_embeddings": 32}
_NEW_FALCON = {**_GROUPED, "new_decoder_architecture": True, "num_kv_heads": 2}

FAMILIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "bloom": (hf.BloomConfig, {"vocab_size": 64, "hidden_size": 32, "n_head": 4, "n_layer": 2}),
    "cohere": (hf.CohereConfig, _LLAMA),
    "cohere, normed queries, untied": (
        hf.CohereConfig,
        {**_LLAMA, "use_qk_norm": True, "logit_scale": 0.5, "tie_word_embeddings": False},
    ),
    "cohere2": (hf.Cohere2Config, {**_LLAMA, "layer_types": ["sliding_attention", "full_attention"]}),
    "exaone4": (hf.Exaone4Config, {**_LLAMA, "layer_types": ["sliding_attention", "full_attention"]}),
    "falcon, one key head": (hf.FalconConfig, _GROUPED),
    "falcon, a key head for each query": (hf.FalconConfig, {**_GROUPED, "multi_query": False, "bias": True}),
    "falcon, new, two norms": (hf.FalconConfig, _NEW_FALCON),
    "falcon, new, one norm": (hf.FalconConfig, {**_NEW_FALCON, "num_ln_in_parallel_attn": 1}),
    "gemma": (hf.GemmaConfig, _WIDE_HEADS),
    "gemma2": (hf.Gemma2Config, {**_WIDE_HEADS, "query_pre_attn_scalar": 9, "final_logit_softcapping": None}),
    "gemma3": (hf.Gemma3TextConfig, _WIDE_HEADS),
    "glm": (hf.GlmConfig, {**_LLAMA, "head_dim": 8, "pad_token_id": 0}),
    "glm4": (hf.Glm4Config, {**_LLAMA, "head_dim": 8, "pad_token_id": 0}),
    "gpt2": (hf.GPT2Config, _GPT2),
    "gpt_bigcode": (hf.GPTBigCodeConfig, _GPT2),
    "gpt_bigcode, a key head for each query": (hf.GPTBigCodeConfig, {**_GPT2, "multi_query": False}),
    "gpt_neo": (hf.GPTNeoConfig, {**_NEO, "num_heads": 4, "num_layers": 2, "intermediate_size": 48}),
    "gpt_neox": (hf.GPTNeoXConfig, {**_GROUPED, "intermediate_size": 48, "max_position_embeddings": 32}),
    "gpt_oss": (hf.GptOssConfig, {**_LOCAL_EXPERTS, "head_dim": 8, "rope_parameters": _PLAIN_ROTATION}),
    "gptj": (hf.GPTJConfig, {**_GPT2, "rotary_dim": 4}),
    "granite": (hf.GraniteConfig, {**_LLAMA, **_GRANITE}),
    "granitemoe": (hf.GraniteMoeConfig, {**_LOCAL_EXPERTS, **_GRANITE}),
    "helium": (hf.HeliumConfig, {**_LLAMA, "head_dim": 8}),
    "llama": (hf.LlamaConfig, _LLAMA),
    "llama, wide heads, biases": (hf.LlamaConfig, {**_WIDE_HEADS, "attention_bias": True, "tie_word_embeddings": True}),
    "mistral": (hf.MistralConfig, _LLAMA),
    "mixtral": (hf.MixtralConfig, _LOCAL_EXPERTS),
    "mpt": (hf.MptConfig, {"vocab_size": 64, "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 32}),
    "mt5": (hf.MT5Config, {**_T5, "tie_word_embeddings": False}),
    "olmo": (hf.OlmoConfig, _LLAMA),
    "olmo2": (hf.Olmo2Config, _LLAMA),
    "olmo3": (hf.Olmo3Config, {**_LLAMA, "layer_types": ["sliding_attention", "full_attention"]}),
    "olmoe": (hf.OlmoeConfig, {**_LLAMA, "num_experts": 3, "num_experts_per_tok": 2}),
    "opt": (hf.OPTConfig, {**_OPT, "word_embed_proj_dim": 32}),
    "opt, narrow embeddings": (hf.OPTConfig, {**_OPT, "word_embed_proj_dim": 16, "do_layer_norm_before": False}),
    "phi": (hf.PhiConfig, {**_GROUPED, "intermediate_size": 48}),
    "phi3": (hf.Phi3Config, {**_LLAMA, "pad_token_id": 0}),
    "phimoe": (hf.PhimoeConfig, _LOCAL_EXPERTS),
    "qwen2": (hf.Qwen2Config, _LLAMA),
    "qwen2_moe": (hf.Qwen2MoeConfig, {**_EXPERTS, "shared_expert_intermediate_size": 40}),
    "qwen3": (hf.Qwen3Config, _WIDE_HEADS),
    "qwen3_moe": (hf.Qwen3MoeConfig, {**_EXPERTS, "head_dim": 16}),
    "qwen3_moe, one block without experts": (hf.Qwen3MoeConfig, {**_EXPERTS, "mlp_only_layers": [1]}),
    "smollm3": (hf.SmolLM3Config, {**_LLAMA, "no_rope_layers": [1, 0], "pad_token_id": 0}),
    "stablelm": (hf.StableLmConfig, _LLAMA),
    "stablelm, normed heads": (hf.StableLmConfig, {**_LLAMA, "qk_layernorm": True, "use_parallel_residual": True}),
    "starcoder2": (hf.Starcoder2Config, _LLAMA),
    "t5": (hf.T5Config, _T5),
    "t5, gated, untied": (hf.T5Config, {**_T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
}


def tiny(family: str, **options: Any) -> Any:
    """A model whose every parameter is random: gains and biases too, which fresh models set to 1 and 0."""
    torch.manual_seed(5)
    build, settings = FAMILIES[family]
    tie = {name: options.pop(name) for name in ("tie_word_embeddings",) if name in options}
    config = build(**settings | tie)
    auto = hf.AutoModelForSeq2SeqLM if config.is_encoder_decoder else hf.AutoModelForCausalLM
    model = auto.from_config(config, **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    return model
