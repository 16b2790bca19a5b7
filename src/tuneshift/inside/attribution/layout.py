"""Which tokens are the prompt, which the response, and which only hold them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.border import jointly, tokens_of
from tuneshift.models import LanguageModel
from tuneshift.models.chat_template import Framed, framed
from tuneshift.models.decoder_start import decoder_start
from tuneshift.models.generation import Answer
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


def lay_out(model: LanguageModel, prompt: str, response: str | Answer, form: Form = "plain") -> Layout:
    """Tokenise a prompt and its response: with a blank line between them, or inside the chat template.

    A response that a model wrote (`Answer`) keeps the ids it was written in, behind the prompt as it was read. One that
    is given as text is tokenised together with the prompt (see `border.jointly`); for an encoder-decoder model it is a
    text of its own, the decoder's. Raises BadInput for an empty prompt, a chat form without a template that shows the
    prompt once and as it is, or more tokens than the context holds.
    """
    if not prompt.strip():
        raise BadInput("the prompt is empty; attribution needs at least one word.")
    model.require_head("attribution")
    frame = _framed(model, prompt, form)
    if isinstance(response, Answer):
        given, answer = tokens_of(model.tokenizer, frame.text), list(response.ids)
    elif model.is_encoder_decoder:
        given, answer = tokens_of(model.tokenizer, frame.text), tokens_of(model.tokenizer, response).ids
    else:
        given, answer = jointly(model.tokenizer, frame.text, response)
    before, after = _around(model, form)
    ids = [*before, *given.ids, *after]
    own = np.pad(given.overlap(frame.start, frame.stop), (len(before), len(after)))
    offsets = np.clip(given.offsets, frame.start, frame.stop) - frame.origin
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
    return ([] if form == "chat" or model.start_token_id is None else [model.start_token_id]), []


def _framed(model: LanguageModel, prompt: str, form: Form) -> Framed:
    """What stands before the response, and where the prompt's own text is in it."""
    if form == "plain":
        return Framed(prompt + ("" if model.is_encoder_decoder else _BLANK_LINE), 0, len(prompt))
    return framed(model.tokenizer, prompt, f"model {model.name}")


def _check_length(n_tokens: int, model: LanguageModel) -> None:
    if n_tokens > model.context_length:
        raise BadInput(
            f"prompt and response have {n_tokens} tokens together, more than the context of {model.name} "
            f"({model.context_length}); shorten the response."
        )
