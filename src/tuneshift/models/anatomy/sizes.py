"""What a configuration says of a model's sizes and of its rotary embeddings, under the names most of them share."""

from __future__ import annotations

from dataclasses import replace

from transformers import PretrainedConfig

from tuneshift.models.anatomy.anatomy import Anatomy, TensorNames


def sizes(config: PretrainedConfig, names: TensorNames) -> Anatomy:
    """Return an anatomy with the sizes that most configurations name alike."""
    heads = config.num_attention_heads
    return Anatomy(
        model_type=config.model_type,
        n_layers=config.num_hidden_layers,
        n_units=config.hidden_size,
        n_heads=heads,
        n_kv_heads=getattr(config, "num_key_value_heads", None) or heads,
        d_head=getattr(config, "head_dim", None) or config.hidden_size // heads,
        names=names,
        tied=bool(config.tie_word_embeddings),
    )


def rotary(anatomy: Anatomy, config: PretrainedConfig) -> Anatomy:
    """Return the anatomy with rotary embeddings, over all of a head's dimensions or the share that is configured."""
    parameters = getattr(config, "rope_parameters", None) or {}
    share = parameters.get("partial_rotary_factor") or getattr(config, "partial_rotary_factor", None) or 1.0
    return replace(anatomy, rotary_dims=int(anatomy.d_head * share))
