"""Architectures with names and layouts of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from transformers import PretrainedConfig

from tuneshift.models.anatomy.anatomy import Anatomy, TensorNames
from tuneshift.models.anatomy.sizes import rotary, sizes

_FUSED = "self_attention.query_key_value.weight"
_GPT2 = TensorNames(
    input_embedding="transformer.wte.weight",
    block="transformer.h.{i}.",
    query="attn.c_attn.weight",
    key="attn.c_attn.weight",
    down="mlp.c_proj.weight",
    input_norm="ln_1.weight",
    final_norm="transformer.ln_f.weight",
)


_FALCON = TensorNames(
    input_embedding="transformer.word_embeddings.weight",
    block="transformer.h.{i}.",
    query=_FUSED,
    key=_FUSED,
    down="mlp.dense_4h_to_h.weight",
    input_norm="input_layernorm.weight",
    final_norm="transformer.ln_f.weight",
)


def _gpt2(config: PretrainedConfig) -> Anatomy:
    scale = None if config.scale_attn_weights else 1.0
    return replace(sizes(config, _GPT2), layout="stacked", conv1d=True, norm_centres=True, score_scale=scale)


def _gpt_bigcode(config: PretrainedConfig) -> Anatomy:
    """StarCoder: one key head behind the queries, or q, k and v of each head together."""
    anatomy = replace(sizes(config, _GPT2), norm_centres=True, score_scale=None if config.scale_attn_weights else 1.0)
    if config.multi_query:
        return replace(anatomy, layout="stacked", n_kv_heads=1)
    return replace(anatomy, layout="grouped")


def _gptj(config: PretrainedConfig) -> Anatomy:
    names = replace(_GPT2, query="attn.q_proj.weight", key="attn.k_proj.weight", down="mlp.fc_out.weight")
    anatomy = replace(sizes(config, names), norm_centres=True, rotary_neighbours=True)
    return replace(anatomy, rotary_dims=config.rotary_dim or anatomy.d_head)


def _gpt_neo(config: PretrainedConfig) -> Anatomy:
    """GPT-Neo: its attention does not divide scores by the root of a head's width."""
    names = replace(_GPT2, query="attn.attention.q_proj.weight", key="attn.attention.k_proj.weight")
    return replace(sizes(config, names), norm_centres=True, score_scale=1.0)


def _mpt(config: PretrainedConfig) -> Anatomy:
    names = TensorNames(
        input_embedding="transformer.wte.weight",
        block="transformer.blocks.{i}.",
        query="attn.Wqkv.weight",
        key="attn.Wqkv.weight",
        down="ffn.down_proj.weight",
        input_norm="norm_1.weight",
        final_norm="transformer.norm_f.weight",
    )
    scale = config.attn_config.softmax_scale
    return replace(sizes(config, names), layout="stacked", norm_centres=True, score_scale=scale)


def _gpt_neox(config: PretrainedConfig) -> Anatomy:
    names = TensorNames(
        input_embedding="gpt_neox.embed_in.weight",
        block="gpt_neox.layers.{i}.",
        query="attention.query_key_value.weight",
        key="attention.query_key_value.weight",
        down="mlp.dense_4h_to_h.weight",
        input_norm="input_layernorm.weight",
        final_norm="gpt_neox.final_layer_norm.weight",
    )
    return replace(rotary(sizes(config, names), config), layout="grouped", norm_centres=True)


def _falcon(config: PretrainedConfig) -> Anatomy:
    two_norms = config.new_decoder_architecture and config.num_ln_in_parallel_attn in (None, 2)
    names = replace(_FALCON, input_norm="ln_attn.weight") if two_norms else _FALCON
    heads = config.num_attention_heads
    key_heads = config.num_kv_heads if config.new_decoder_architecture else 1 if config.multi_query else heads
    anatomy = replace(sizes(config, names), n_kv_heads=key_heads, layout="grouped", norm_centres=True)
    return anatomy if config.alibi else rotary(anatomy, config)


def _bloom(config: PretrainedConfig) -> Anatomy:
    names = replace(_FALCON, embedding_norm="transformer.word_embeddings_layernorm.weight")
    return replace(sizes(config, names), layout="grouped", norm_centres=True)


def _opt(config: PretrainedConfig) -> Anatomy:
    narrow = config.word_embed_proj_dim != config.hidden_size
    names = TensorNames(
        input_embedding="model.decoder.embed_tokens.weight",
        block="model.decoder.layers.{i}.",
        query="self_attn.q_proj.weight",
        key="self_attn.k_proj.weight",
        down="fc2.weight",
        input_norm="self_attn_layer_norm.weight" if config.do_layer_norm_before else None,
        final_norm="model.decoder.final_layer_norm.weight" if config.do_layer_norm_before else None,
        input_projection="model.decoder.project_in.weight" if narrow else None,
        output_projection="model.decoder.project_out.weight" if narrow else None,
    )
    return replace(sizes(config, names), norm_centres=True)


def _t5(config: PretrainedConfig) -> Anatomy:
    """The encoder: it reads the prompt, and its states are what brain alignment uses."""
    names = TensorNames(
        input_embedding="shared.weight",
        block="encoder.block.{i}.layer.",
        query="0.SelfAttention.q.weight",
        key="0.SelfAttention.k.weight",
        down="1.DenseReluDense.wo.weight",
        input_norm="0.layer_norm.weight",
        final_norm="encoder.final_layer_norm.weight",
    )
    return replace(sizes(config, names), d_head=config.d_kv, score_scale=1.0)


FAMILIES: dict[str, Callable[[PretrainedConfig], Anatomy]] = {
    "bloom": _bloom,
    "falcon": _falcon,
    "gpt2": _gpt2,
    "gpt_bigcode": _gpt_bigcode,
    "gpt_neo": _gpt_neo,
    "gpt_neox": _gpt_neox,
    "gptj": _gptj,
    "mpt": _mpt,
    "mt5": _t5,
    "opt": _opt,
    "t5": _t5,
}
