"""Whether every tensor of a model came out of its files: a missing one would be random, and nothing would show it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from transformers import PreTrainedModel

from tuneshift.errors import BadInput

_PREFIXES = ("_orig_mod.", "module.", "model.", "base_model.model.", "transformer.", "_fsdp_wrapped_module.")
_WRITTEN_BY = {
    "_orig_mod.": " (`torch.compile` writes it)",
    "module.": " (`DataParallel` writes it)",
    "base_model.model.": " (peft writes it)",
    "_fsdp_wrapped_module.": " (FSDP writes it)",
}
_ADAPTER_PARTS = (".lora_A.", ".lora_B.", ".lora_embedding_", ".lora_magnitude_vector", ".ia3_l", ".hada_w", ".lokr_w")
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|block|blocks|layer)\.(\d+)\.")
_EXPERT = re.compile(r"(?<=\.experts\.)\d+(?=\.)")
_NAMED = 3
_REMEDY = "save it again from the model in memory with `save_pretrained`, or download it again"


def require_all(model: PreTrainedModel, info: Mapping[str, Any], name: str, missing: Collection[str]) -> None:
    """Raise BadInput where a loaded model's weights are not those of its files.

    `info` is what transformers says of loading; `missing` are the tensors that were in no file, tied ones and those of
    an output layer that is known to be missing left out. Refused are missing tensors, tensors of another shape, and
    files that hold more of the model than it has room for: layers beyond its last, an adapter that was not merged.
    """
    shapes = sorted((key, tuple(held), tuple(wanted)) for key, held, wanted in info["mismatched_keys"])
    if shapes:
        told = listed(f"{key} is {list(held)} where it should be {list(wanted)}" for key, held, wanted in shapes)
        raise BadInput(
            f"model {name!r}: {len(shapes)} of its {_count(model)} tensors have another shape in the files: {told}; "
            "its config.json belongs to other weights."
        )
    unexpected = sorted(info["unexpected_keys"])
    if missing:
        raise BadInput(
            f"model {name!r}: {len(missing)} of its {_count(model)} tensors are in none of its files "
            f"({listed(sorted(missing))}) and would be random{_cause(missing, unexpected)}; {_REMEDY}."
        )
    adapter = [key for key in unexpected if any(part in f".{key}." for part in _ADAPTER_PARTS)]
    if adapter:
        raise BadInput(
            f"model {name!r} holds {len(adapter)} tensors of an adapter that was never merged ({listed(adapter)}); "
            "merge it (peft's `merge_and_unload`), or save adapter and base apart and give the adapter's folder."
        )
    beyond = _layers_beyond(model, unexpected)
    if beyond:
        raise BadInput(
            f"model {name!r}: its files hold layers that its config.json does not have ({listed(beyond)}); correct "
            "the number of layers there."
        )


def said_of_unexpected(info: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a note that counts and names tensors which the files hold and the model has no place for."""
    unexpected = sorted(info["unexpected_keys"])
    if not unexpected:
        return ()
    return (
        f"{name}: its files hold {len(unexpected)} tensors that a language model has no place for "
        f"({listed(unexpected)}); they are not used.",
    )


def experts_missing(names: Collection[str]) -> list[str]:
    """Return the tensors of single experts that a checkpoint lacks, given those that it has for the others.

    Experts are stacked as they are loaded, which fails without saying which one is missing.
    """
    held: dict[str, set[int]] = {}
    for name in names:
        if (found := _EXPERT.search(name)) is not None:
            held.setdefault(_EXPERT.sub("{}", name, count=1), set()).add(int(found.group()))
    layers: dict[str, int] = {}
    for pattern, numbers in held.items():
        layer = pattern.partition(".experts.")[0]
        layers[layer] = max(layers.get(layer, 0), *numbers)
    return sorted(
        pattern.format(number)
        for pattern, numbers in held.items()
        for number in range(layers[pattern.partition(".experts.")[0]] + 1)
        if number not in numbers
    )


def listed(things: Iterable[str]) -> str:
    """Return the first few of a list, and how many more there are."""
    found = list(things)
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{', '.join(found[:_NAMED])}{more}"


def _count(model: PreTrainedModel) -> int:
    return len(model.state_dict())


def _cause(missing: Collection[str], unexpected: Collection[str]) -> str:
    """Say which prefix makes the names of the files those of the model, where one does for any."""
    for prefix in _PREFIXES:
        for text, changed in (
            (f"stand there with {prefix!r} before their names", {f"{prefix}{name}" for name in missing}),
            (f"stand there without {prefix!r}", {name.removeprefix(prefix) for name in missing} - set(missing)),
            (f"stand there with {prefix!r} within their names", {_within(name, prefix) for name in missing}),
        ):
            n = len(changed & set(unexpected))
            if n:
                return f": {n} of them {text}{_WRITTEN_BY.get(prefix, '')}"
    if unexpected:
        return f"; {len(unexpected)} tensors there have no place in it ({listed(sorted(unexpected))})"
    return ""


def _within(name: str, prefix: str) -> str:
    """A name with a prefix after its first part, as where only the body was compiled."""
    first, _, rest = name.partition(".")
    return f"{first}.{prefix}{rest}"


def _layers_beyond(model: PreTrainedModel, unexpected: Collection[str]) -> list[str]:
    """Unexpected tensors that are those of a further layer: the same names with a number that the model has."""
    patterns = {_LAYER.sub(".#.", f".{name}") for name in model.state_dict()}
    config = model.config.get_text_config()
    n_layers, n_foretelling = (
        int(getattr(config, name, None) or 0) for name in ("num_hidden_layers", "num_nextn_predict_layers")
    )
    foretelling = set(range(n_layers, n_layers + n_foretelling))  # blocks that guess further ahead (DeepSeek, GLM)
    numbered = [(name, found) for name in unexpected if (found := _LAYER.search(name)) is not None]
    return [
        name
        for name, found in numbered
        if int(found.group(1)) not in foretelling and _LAYER.sub(".#.", f".{name}") in patterns
    ]
