"""Architectures that keep a state from token to token, wholly or in some of their layers."""

from __future__ import annotations

from transformers import PretrainedConfig

RECURRENT = frozenset({"falcon_mamba", "mamba", "mamba2", "rwkv", "xlstm"})
"""Without any attention."""

HYBRID = frozenset(
    {"bamba", "falcon_h1", "granitemoehybrid", "jamba", "kimi_linear", "lfm2", "lfm2_moe", "minimax", "nemotron_h"}
    | {"olmo_hybrid", "qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "recurrent_gemma", "zamba", "zamba2"}
)
"""With attention in some layers."""

_PASS_OVER_PADDING = frozenset({"bamba", "falcon_mamba", "jamba", "mamba", "mamba2"})
"""Seen to give the same answers with padding before the prompt as without (docs/architectures.md)."""


def reads_padding(config: PretrainedConfig) -> bool:
    """Return whether what a mask calls padding may still change a model's state: attention alone can look past it."""
    return config.get_text_config().model_type in (RECURRENT | HYBRID) - _PASS_OVER_PADDING
