"""When two models can be compared weight by weight, and how their layers are grouped."""

from __future__ import annotations

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights


def as_weights(model: LanguageModel | Weights) -> Weights:
    """Return the weights of a loaded model, or the weights that were given; BadInput for an unknown architecture."""
    weights = model if isinstance(model, Weights) else Weights.of(model)
    _ = weights.anatomy  # said first: whatever else is wrong with such a model is beside the point
    return weights


def require_same_build(base: Weights, tuned: Weights) -> None:
    """Raise BadInput unless both have the same architecture, sizes and tokens (the tuned one may have added some)."""
    first, second = base.anatomy, tuned.anatomy
    for what in ("model_type", "n_layers", "n_units", "n_heads", "n_kv_heads", "d_head"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            raise BadInput(
                f"{tuned.name} is no tuned version of {base.name}: {what} is {other} there and {one} here; "
                "compare a model with the base it was tuned from."
            )
    theirs = tuned.tokenizer.get_vocab()
    for token, number in base.tokenizer.get_vocab().items():
        if theirs.get(token) != number:
            raise BadInput(
                f"the tokenizers of {base.name} and {tuned.name} differ: token {token!r} is number {number} in the one "
                f"and {theirs.get(token, 'absent')} in the other; compare a model with the base it was tuned from."
            )


def quarters(n_layers: int) -> list[range]:
    """Return up to four runs of layers, numbered from 1, as equal in length as can be."""
    parts = np.array_split(np.arange(1, n_layers + 1), 4)
    return [range(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def layers_label(layers: range) -> str:
    """Return "5-8", or "5-5" for one layer alone: a group is never mistaken for a single layer's row."""
    return f"{layers[0]}-{layers[-1]}"
