"""What kind of language model a configuration describes, proved on the model by running it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto import modeling_auto

from tuneshift.errors import BadInput, MeasurementFailed, first_line
from tuneshift.models.embeddings import embedding_rows

Kind = Literal["causal", "masked", "encoder-decoder"]
_CLASSES = {
    "causal": AutoModelForCausalLM,
    "masked": AutoModelForMaskedLM,
    "encoder-decoder": AutoModelForSeq2SeqLM,
}
_KNOWN: dict[str, Any] = {
    "causal": modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    "masked": modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    "encoder-decoder": modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
}
_PROBE = 8  # tokens
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.05}
"""Of the largest number: other tokens may sum up in another order, but never more than that."""


def kind_of(config: PretrainedConfig) -> Kind:
    """Return the kind by family and, for families that may be either (BERT, RoBERTa, ELECTRA), by `is_decoder`.

    What a checkpoint calls its class says nothing here: `BertModel` and `BertForPreTraining` hold a masked model too.
    Raises BadInput for a family that is no language model.
    """
    if config.is_encoder_decoder:
        return "encoder-decoder"
    own = getattr(config, "auto_map", None) or {}
    able = {kind for kind in get_args(Kind) if config.model_type in _KNOWN[kind] or _CLASSES[kind].__name__ in own}
    if {"causal", "masked"} <= able:
        return "causal" if getattr(config, "is_decoder", False) else "masked"
    for kind in get_args(Kind):
        if kind in able:
            return kind  # type: ignore[no-any-return]
    raise BadInput(
        f"a model of type {config.model_type!r} is no language model that transformers knows; give one that reads and "
        "writes text."
    )


def auto_class(config: PretrainedConfig) -> Any:
    """Return the transformers auto class that loads a model with its output layer; BadInput as `kind_of`."""
    return _CLASSES[kind_of(config)]


def has_head(model: PreTrainedModel) -> bool:
    """Whether a model has an output layer; a body alone, as it may be saved, has hidden states only."""
    body_alone = model.base_model is model and not model.config.is_encoder_decoder
    return not (body_alone and model.get_output_embeddings() is None)


def require_head(model: PreTrainedModel, what: str) -> None:
    """Raise BadInput where a model was saved without its output layer, which `what` needs."""
    if not has_head(model):
        raise BadInput(
            f"this model was saved without its output layer ({type(model).__name__}), so it gives no probabilities and "
            f"{what} cannot be measured; give the checkpoint that holds it, or measure its hidden states (`brain`)."
        )


def require_kind(model: PreTrainedModel, name: str) -> None:
    """Prove by running that numbers come out and that a causal model's earlier outputs ignore its last token.

    Raises MeasurementFailed where outputs are not finite, BadInput where a model that should be causal looks ahead. (Of
    a masked model nothing is taken that later text could change: every part is read up to its end alone.)
    """
    first = _outputs(model, probe(model), name)
    if any(not torch.isfinite(tensor).all() for tensor in first):
        raise MeasurementFailed(
            f"model {name!r} gives numbers that are not finite; load it in float32 (--dtype float32), or download its "
            "weights again."
        )
    if kind_of(model.config) != "causal":
        return
    changed = probe(model)
    rows = embedding_rows(model)
    changed["input_ids"][0, -1] = (changed["input_ids"][0, -1] + rows // 2) % rows
    for one, other in zip(first, _outputs(model, changed, name), strict=True):
        before, after = one[0, :-1].float(), other[0, :-1].float()
        if (before - after).abs().max() > _TOLERANCE.get(model.dtype, 0.1) * before.abs().max() + 1e-9:
            raise BadInput(
                f"model {name!r} ({model.config.model_type}) is set up as a causal model but looks ahead: changing the "
                "last token changes what it says of those before; correct `is_decoder` (or `is_causal`, "
                "`use_bidirectional_attention`) in its config.json."
            )


def probe(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Return a few tokens (1, 8) of the vocabulary, as what a model is called with to see what it does."""
    ids = ((torch.arange(_PROBE) * 7 + 3) % embedding_rows(model))[None].to(model.device)
    return {"input_ids": ids, **({"decoder_input_ids": ids} if model.config.is_encoder_decoder else {})}


@torch.inference_mode()
def _outputs(model: PreTrainedModel, inputs: dict[str, torch.Tensor], name: str) -> list[torch.Tensor]:
    try:
        found = model(**inputs, output_hidden_states=True)
    except Exception as error:  # whatever a model that does not fit its configuration makes torch say
        raise MeasurementFailed(f"model {name!r} cannot read {_PROBE} tokens: {first_line(error)}") from error
    states: Any = getattr(found, "hidden_states", None) or getattr(found, "encoder_hidden_states", None) or ()
    last = [getattr(found, "logits", None), states[-1] if len(states) else None]
    return [tensor for tensor in last if isinstance(tensor, torch.Tensor)]
