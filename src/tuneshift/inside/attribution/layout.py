"""Which tokens are the prompt, which the response, and which only hold them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.decoder_start import decoder_start
from tuneshift.models.states import is_causal

Form = Literal["plain", "chat"]
Spans = tuple[tuple[int, int], ...]
_BLANK_LINE = "\n\n"


@dataclass(frozen=True)
class Layout:
    """One prompt with its response as the model reads them.

    `ids` (T,): all tokens. `prompt` (P,): positions of everything the model is given before the response; `own` (P,)
    is true where a token belongs to the prompt's own text and false for its frame (beginning of sequence, blank line,
    chat template). `offsets` (P, 2): characters of the prompt's text that each own token covers. `response` (R,):
    positions of the response. For an encoder-decoder model `prompt` counts in `ids` (the encoder's), and `decoder_ids`
    holds the start token and the response.
    """

    ids: np.ndarray
    prompt: np.ndarray
    own: np.ndarray
    offsets: np.ndarray
    response: np.ndarray
    decoder_ids: np.ndarray | None = None

    @property
    def target_ids(self) -> np.ndarray:
        """The response's token ids (R,)."""
        return (self.ids if self.decoder_ids is None else self.decoder_ids)[self.response]

    def marked(self, spans: Spans) -> np.ndarray:
        """Return which prompt tokens (P,) overlap the character spans of an instruction."""
        mask = np.zeros(len(self.prompt), dtype=bool)
        for start, end in spans:
            mask |= self.own & (self.offsets[:, 0] < end) & (self.offsets[:, 1] > start)
        return mask


def lay_out(model: LanguageModel, prompt: str, response: str, form: Form = "plain") -> Layout:
    """Tokenise a prompt and its response: with a blank line between them, or inside the chat template.

    The response is tokenised on its own, as a model would write it behind the prompt. Raises BadInput for an empty
    prompt, a chat form without template, or more tokens than the context holds.
    """
    if not prompt.strip():
        raise BadInput("the prompt is empty; attribution needs at least one word.")
    text, start = _given(model, prompt, form)
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    given, offsets = list(encoded["input_ids"]), np.asarray(encoded["offset_mapping"]).reshape(-1, 2) - start
    own = (offsets[:, 0] < len(prompt)) & (offsets[:, 1] > 0) & (offsets[:, 1] > offsets[:, 0])
    offsets = np.clip(offsets, 0, len(prompt))
    answer = list(model.tokenizer(response, add_special_tokens=False, verbose=False)["input_ids"]) if response else []
    before, after = _around(model, form)
    ids = [*before, *given, *after]
    own = np.pad(own, (len(before), len(after)))
    offsets = np.pad(offsets, ((len(before), len(after)), (0, 0)))
    positions = np.arange(len(ids))
    if model.is_encoder_decoder:
        _check_length(max(len(ids), len(answer) + 1), model)
        decoder = np.asarray([decoder_start(model.torch_model, model.tokenizer), *answer])
        return Layout(np.asarray(ids), positions, own, offsets, 1 + np.arange(len(answer)), decoder)
    _check_length(len(ids) + len(answer), model)
    return Layout(np.asarray([*ids, *answer]), positions, own, offsets, len(ids) + np.arange(len(answer)))


def _around(model: LanguageModel, form: Form) -> tuple[list[int], list[int]]:
    """What the tokenizer would put before and after a text: a chat template brings its own.

    Raises BadInput for a masked model, which reads a text from both sides.
    """
    if not model.is_encoder_decoder and not is_causal(model.torch_model):
        raise BadInput(
            f"model {model.name} is a masked model: it fills gaps and writes no responses, so there is nothing to "
            "attribute; give a model that writes."
        )
    if model.is_encoder_decoder:
        return [], [model.tokenizer.eos_token_id]
    return ([] if form == "chat" or model.tokenizer.bos_token_id is None else [model.tokenizer.bos_token_id]), []


def _given(model: LanguageModel, prompt: str, form: Form) -> tuple[str, int]:
    """What stands before the response, and where the prompt's own text begins in it."""
    if form == "plain":
        return prompt + ("" if model.is_encoder_decoder else _BLANK_LINE), 0
    text = model.chat_prompt(prompt)
    start = text.find(prompt)
    if start < 0:
        stripped = prompt.strip()  # some templates strip what the user wrote
        start = text.find(stripped) - prompt.find(stripped)
        if text.find(stripped) < 0:
            raise BadInput(
                f"the chat template of {model.name} changes the prompt's text, so its tokens cannot be found."
            )
    return text, start


def _check_length(n_tokens: int, model: LanguageModel) -> None:
    if n_tokens > model.context_length:
        raise BadInput(
            f"prompt and response have {n_tokens} tokens together, more than the context of {model.name} "
            f"({model.context_length}); shorten the response."
        )
