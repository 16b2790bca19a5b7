"""Mixtures of experts: attention as elsewhere, and several feed-forward parts in a block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from transformers import PretrainedConfig

from tuneshift.models.anatomy.anatomy import Anatomy, TensorNames
from tuneshift.models.anatomy.llama_like import LLAMA, NORMED_HEADS, granite_scales, named

_DOWN = "mlp.experts.down_proj"


def _with_experts(config: PretrainedConfig, names: TensorNames, experts: str = _DOWN) -> Anatomy:
    number = getattr(config, "num_local_experts", None) or config.num_experts
    return replace(named(config, replace(names, experts=experts)), n_experts=int(number))


def _mixtral(config: PretrainedConfig) -> Anatomy:
    return _with_experts(config, LLAMA)


def _phimoe(config: PretrainedConfig) -> Anatomy:
    return replace(_mixtral(config), norm_centres=True)


def _olmoe(config: PretrainedConfig) -> Anatomy:
    return _with_experts(config, NORMED_HEADS)


def _qwen2_moe(config: PretrainedConfig) -> Anatomy:
    names = replace(LLAMA, shared_expert="mlp.shared_expert.down_proj.weight")
    return replace(_with_experts(config, names), dense_blocks=_dense_blocks(config))


def _qwen3_moe(config: PretrainedConfig) -> Anatomy:
    return replace(_olmoe(config), dense_blocks=_dense_blocks(config))


def _granitemoe(config: PretrainedConfig) -> Anatomy:
    return granite_scales(_with_experts(config, LLAMA, "block_sparse_moe.experts.down_proj"), config)


def _gpt_oss(config: PretrainedConfig) -> Anatomy:
    return replace(_mixtral(config), experts_inputs_first=True)


def _dense_blocks(config: PretrainedConfig) -> tuple[int, ...]:
    """Return the blocks without experts, of architectures that have them in every so many blocks."""
    return tuple(
        i
        for i in range(config.num_hidden_layers)
        if i in config.mlp_only_layers or not config.num_experts or (i + 1) % config.decoder_sparse_step
    )


EXPERTS: dict[str, Callable[[PretrainedConfig], Anatomy]] = {
    "gpt_oss": _gpt_oss,
    "granitemoe": _granitemoe,
    "mixtral": _mixtral,
    "olmoe": _olmoe,
    "phimoe": _phimoe,
    "qwen2_moe": _qwen2_moe,
    "qwen3_moe": _qwen3_moe,
}
