"""Architectures whose blocks are named as Llama's, each with what it does otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from transformers import PretrainedConfig

from tuneshift.models.anatomy.anatomy import Anatomy, TensorNames
from tuneshift.models.anatomy.sizes import rotary, sizes

LLAMA = TensorNames(
    input_embedding="model.embed_tokens.weight",
    block="model.layers.{i}.",
    query="self_attn.q_proj.weight",
    key="self_attn.k_proj.weight",
    down="mlp.down_proj.weight",
    input_norm="input_layernorm.weight",
    final_norm="model.norm.weight",
)
NORMED_HEADS = replace(LLAMA, query_norm="self_attn.q_norm.weight", key_norm="self_attn.k_norm.weight")
_NORMED_AFTERWARDS = replace(NORMED_HEADS, input_norm=None, write_norm="post_feedforward_layernorm.weight")


def llama(config: PretrainedConfig) -> Anatomy:
    """Llama, Mistral, Qwen 2."""
    return named(config, LLAMA)


def named(config: PretrainedConfig, names: TensorNames) -> Anatomy:
    """Return an anatomy with rotary embeddings and these names."""
    return rotary(sizes(config, names), config)


def granite_scales(anatomy: Anatomy, config: PretrainedConfig) -> Anatomy:
    """Return the anatomy with Granite's four factors."""
    return replace(
        anatomy,
        embedding_scale=float(config.embedding_multiplier),
        write_scale=float(config.residual_multiplier),
        logit_scale=1 / float(config.logits_scaling),
        score_scale=float(config.attention_multiplier),
    )


def _qwen3(config: PretrainedConfig) -> Anatomy:
    return named(config, NORMED_HEADS)


def _gemma(config: PretrainedConfig) -> Anatomy:
    return replace(llama(config), gain_offset=1.0, embedding_scale=float(config.hidden_size) ** 0.5)


def _gemma2(config: PretrainedConfig) -> Anatomy:
    names = replace(LLAMA, write_norm="post_feedforward_layernorm.weight")
    return replace(_gemma(config), names=names, score_scale=float(config.query_pre_attn_scalar) ** -0.5)


def _gemma3(config: PretrainedConfig) -> Anatomy:
    names = replace(NORMED_HEADS, write_norm="post_feedforward_layernorm.weight")
    return replace(_gemma2(config), names=names)


def _olmo(config: PretrainedConfig) -> Anatomy:
    names = replace(LLAMA, input_norm=None, final_norm=None)
    return replace(named(config, names), norm_without_gain=True, norm_centres=True)


def _olmo2(config: PretrainedConfig) -> Anatomy:
    """OLMo 2 and 3: blocks read the stream as it is, and norm what they write."""
    return named(config, _NORMED_AFTERWARDS)


def _exaone4(config: PretrainedConfig) -> Anatomy:
    """EXAONE 4: beside sliding windows, its global layers know no positions."""
    unrotated = _blocks_of(config, "full_attention") if config.sliding_window is not None else ()
    return replace(_olmo2(config), unrotated_blocks=unrotated)


def _smollm3(config: PretrainedConfig) -> Anatomy:
    unrotated = tuple(i for i, rotated in enumerate(config.no_rope_layers) if not rotated)
    return replace(llama(config), unrotated_blocks=unrotated)


def _cohere(config: PretrainedConfig) -> Anatomy:
    names = NORMED_HEADS if getattr(config, "use_qk_norm", False) else LLAMA
    return replace(
        named(config, names),
        norm_centres=True,
        head_norm_centres=True,
        rotary_neighbours=True,
        logit_scale=float(config.logit_scale),
    )


def _cohere2(config: PretrainedConfig) -> Anatomy:
    return replace(_cohere(config), unrotated_blocks=_blocks_of(config, "full_attention"))


def _stablelm(config: PretrainedConfig) -> Anatomy:
    names = LLAMA
    if config.qk_layernorm:
        one_by_one = "self_attn.{}_layernorm.norms.{{h}}.weight"
        names = replace(LLAMA, query_norm=one_by_one.format("q"), key_norm=one_by_one.format("k"))
    return replace(named(config, names), norm_centres=True, head_norm_centres=True)


def _starcoder2(config: PretrainedConfig) -> Anatomy:
    return replace(named(config, replace(LLAMA, down="mlp.c_proj.weight")), norm_centres=True)


def _granite(config: PretrainedConfig) -> Anatomy:
    return granite_scales(llama(config), config)


def _helium(config: PretrainedConfig) -> Anatomy:
    return replace(llama(config), rotary_neighbours=True)


def _glm4(config: PretrainedConfig) -> Anatomy:
    return replace(_helium(config), names=replace(LLAMA, write_norm="post_mlp_layernorm.weight"))


def _phi(config: PretrainedConfig) -> Anatomy:
    names = replace(LLAMA, down="mlp.fc2.weight", final_norm="model.final_layernorm.weight")
    return replace(named(config, names), norm_centres=True)


def _phi3(config: PretrainedConfig) -> Anatomy:
    fused = "self_attn.qkv_proj.weight"
    return replace(named(config, replace(LLAMA, query=fused, key=fused)), layout="stacked")


def _blocks_of(config: PretrainedConfig, kind: str) -> tuple[int, ...]:
    """Return the blocks whose attention is of this kind."""
    return tuple(i for i, mine in enumerate(config.layer_types) if mine == kind)


LLAMA_LIKE: dict[str, Callable[[PretrainedConfig], Anatomy]] = {
    "cohere": _cohere,
    "cohere2": _cohere2,
    "exaone4": _exaone4,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3_text": _gemma3,
    "glm": _helium,
    "glm4": _glm4,
    "granite": _granite,
    "helium": _helium,
    "llama": llama,
    "mistral": llama,
    "olmo": _olmo,
    "olmo2": _olmo2,
    "olmo3": _olmo2,
    "phi": _phi,
    "phi3": _phi3,
    "qwen2": llama,
    "qwen3": _qwen3,
    "smollm3": _smollm3,
    "stablelm": _stablelm,
    "starcoder2": _starcoder2,
}
