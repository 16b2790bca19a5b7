"""Contrastive attribution: why this word rather than that one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.cost import Mode, gradient_times_input
from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.occlusion import target_numbers
from tuneshift.inside.attribution.reverse import prompt_embeddings, vocabulary_size
from tuneshift.inside.attribution.target import Target, log_chosen


@dataclass(frozen=True)
class Contrast:
    """Gradient x input `raw` (P, R) of log p(response token) - log p(foil), in nats.

    A positive entry: this prompt token speaks for the word that stands there and against its foil. `foil_ids` (R,) are
    the words it might have been; `difference` (R,) the log odds (nats) between the two.
    """

    raw: np.ndarray
    foil_ids: np.ndarray
    difference: np.ndarray


def contrastive_attribution(
    model: PreTrainedModel,
    layout: Layout,
    foil_ids: Sequence[int] | np.ndarray | None = None,
    *,
    mode: Mode | Literal["auto"] = "auto",
    chunk: int | None = None,
) -> Contrast:
    """Attribute each response token against a foil: the same place, another word (Yin and Neubig 2022, equation 4).

    `foil_ids` (R,) are token ids; by default the most probable token other than the one that stands there. Raises
    BadInput where their number is not the response's, or an id is outside the vocabulary.
    """
    foils = likeliest_others(model, layout) if foil_ids is None else np.asarray(foil_ids)
    size = vocabulary_size(model)
    if foils.shape != layout.response.shape:
        raise BadInput(f"{len(foils)} foils were given for a response of {len(layout.response)} tokens.")
    if foils.size and not (foils.min() >= 0 and foils.max() < size):
        raise BadInput(f"foils must be token ids from 0 to {size - 1}; found {foils.min()} to {foils.max()}.")
    raw, difference = gradient_times_input(model, layout, mode=mode, chunk=chunk, target=log_odds(layout, foils))
    return Contrast(raw, foils, difference)


def log_odds(layout: Layout, foil_ids: np.ndarray) -> Target:
    """Return the target log p(response token) - log p(foil), foils (R,)."""

    def target(logits: torch.Tensor, part: slice) -> torch.Tensor:
        return log_chosen(logits, layout.target_ids[part]) - log_chosen(logits, foil_ids[part])

    return target


def likeliest_others(model: PreTrainedModel, layout: Layout) -> np.ndarray:
    """Return the most probable token (R,) at each response position other than the response's own."""

    def target(logits: torch.Tensor, part: slice) -> torch.Tensor:
        own = torch.as_tensor(layout.target_ids[part], device=logits.device)[:, None]
        return logits.scatter(1, own, -torch.inf).argmax(-1)

    return target_numbers(model, layout, prompt_embeddings(model, layout), target)
