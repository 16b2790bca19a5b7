"""Attribution: which prompt tokens drive which tokens of a response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.density import (
    N_LEVELS,
    THRESHOLD,
    P,
    attribution_levels,
    importance_density,
    instruction_score,
    scaled_density,
)
from tuneshift.inside.attribution.layout import Form, Spans, lay_out
from tuneshift.inside.attribution.reverse import reverse_attribution
from tuneshift.models import LanguageModel
from tuneshift.models.generation import Answer
from tuneshift.notebook import shaded


@dataclass(frozen=True)
class Attribution:
    """Gradient x input of every response token's probability (paper 2, equations 1 and 2).

    `raw` (P, R) float32: d p_m / d e_n . e_n of prompt token n and response token m; `probabilities` (R,) of the
    response tokens. The P prompt tokens are all that the model is given before the response; `own` (P,) marks those of
    the prompt's own text (the rest is its frame: beginning of sequence, blank line, chat template), `instruction` (P,)
    those of the instruction. `prompt_tokens` and `response_tokens` are texts.
    """

    raw: np.ndarray
    probabilities: np.ndarray
    prompt_tokens: tuple[str, ...]
    response_tokens: tuple[str, ...]
    own: np.ndarray
    instruction: np.ndarray

    @cached_property
    def levels(self) -> np.ndarray:
        """Levels 0..10 (P, R), int; see `attribution_levels`."""
        return attribution_levels(self.raw, N_LEVELS)

    @cached_property
    def density(self) -> np.ndarray:
        """Importance density (P,) with the published constants (b = 7, p = 4), not scaled."""
        return importance_density(self.levels)

    def densities(self) -> pd.Series:  # type: ignore[type-arg]
        """Return the importance density (P,) under its prompt tokens, in their order; a token may stand there twice."""
        return pd.Series(self.density, index=pd.Index(self.prompt_tokens, name="token"), name="density")

    def __repr__(self) -> str:
        """Return two lines: how many tokens of what, and the strongest of the prompt."""
        strongest = self.densities().sort_values(ascending=False, kind="stable").head(5)
        told = ", ".join(f"{str(token)!r} {value:.2f}" for token, value in strongest.items() if value > 0)
        return (
            f"Attribution of {len(self.response_tokens)} response tokens to {len(self.prompt_tokens)} prompt tokens\n"
            f"  strongest by importance density: {told or 'none'}"
        )

    def _repr_html_(self) -> str:
        """Prompt tokens on a ground as dark as their importance density, then the response."""
        response = "".join(escape(token) for token in self.response_tokens)
        return (
            f"<p><b>prompt</b> {shaded(self.prompt_tokens, scaled_density(self.density).tolist())}</p>"
            f"<p><b>response</b> <span style='white-space:pre-wrap'>{response}</span></p>"
        )

    def apart(self) -> Attribution:
        """Return the attribution to the prompt's own tokens alone, its frame kept apart.

        Levels are relative to the strongest prompt token, so this changes levels and densities of all others.
        """
        own = self.own
        tokens = tuple(token for token, mine in zip(self.prompt_tokens, own, strict=True) if mine)
        return replace(self, raw=self.raw[own], prompt_tokens=tokens, own=own[own], instruction=self.instruction[own])

    def instruction_score(self, *, threshold: int = THRESHOLD, p: float = P, scaled: bool = True) -> float:
        """Return the instruction score of this prompt: 0 for an empty response (methods, section 4)."""
        density = self.density if (threshold, p) == (THRESHOLD, P) else importance_density(self.levels, threshold, p)
        return instruction_score(scaled_density(density) if scaled else density, self.instruction)


def attribute(
    model: LanguageModel,
    prompt: str,
    response: str | Answer,
    *,
    form: Form = "plain",
    instruction: str | Spans | None = None,
    chunk: int = 16,
) -> Attribution:
    """Attribute a response to the tokens of its prompt, by gradient x input of each response token's probability.

    `response` is a text, or one of `model.answers(...)`, whose ids are then read as the model wrote them. `form` is
    "plain" (a blank line between prompt and response) or "chat" (inside the chat template); `instruction` names the
    instruction within the prompt, as its text or as (start, end) character offsets; `chunk` response tokens go through
    one batched backward pass. Returns an `Attribution`. Raises BadInput for an empty prompt, an instruction
    that the prompt does not contain, a missing chat template, or more tokens than the context holds.
    """
    spans = instruction_spans(prompt, instruction)
    layout = lay_out(model, prompt, response, form)
    raw, probabilities = reverse_attribution(model.torch_model, layout, chunk)
    return Attribution(
        raw,
        probabilities,
        token_texts(model, layout.ids[layout.prompt]),
        token_texts(model, layout.target_ids),
        layout.own,
        layout.marked(spans),
    )


def instruction_spans(prompt: str, instruction: str | Spans | None) -> Spans:
    """Return (start, end) character offsets of an instruction given by text or by offsets; none for None."""
    if instruction is None:
        return ()
    if isinstance(instruction, str):
        start = prompt.find(instruction)
        if start < 0 or not instruction:
            raise BadInput(f"the prompt does not contain the instruction {instruction[:60]!r}.")
        return ((start, start + len(instruction)),)
    for start, end in instruction:
        if not 0 <= start < end <= len(prompt):
            raise BadInput(f"instruction offsets {start} to {end} lie outside the prompt of {len(prompt)} characters.")
    return tuple((int(start), int(end)) for start, end in instruction)


def token_texts(model: LanguageModel, ids: np.ndarray) -> tuple[str, ...]:
    """Return each token as a person reads it, with the space that it brings along; special tokens by their names."""
    # Decoded alone, a token would lose its space in some tokenizers, as the first of a text does.
    anchor = list(model.tokenizer("a", add_special_tokens=False)["input_ids"])[-1:]
    before = model.tokenizer.decode(anchor, clean_up_tokenization_spaces=False)
    rows = [[*anchor, int(number)] for number in ids]
    texts = model.tokenizer.batch_decode(rows, clean_up_tokenization_spaces=False)
    return tuple(str(text)[len(before) :] for text in texts)
