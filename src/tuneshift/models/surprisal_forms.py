"""Three ways to put a text before a model: bare, inside its chat template, or after an instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from transformers import PreTrainedTokenizerBase

from tuneshift.errors import BadInput, nearest
from tuneshift.models.chat_template import framed, template_names

Form = Literal["plain", "chat", "instructed"]
READING_INSTRUCTION = "Read this story as a person would."
_TEXT = 'A "text"\\, it\'s <any> & \u2402.'  # stands for the text: whatever a template would change stands in it


def form_prefix(
    tokenizer: PreTrainedTokenizerBase, form: Form, instruction: str | None = None, start: Sequence[int] = ()
) -> list[int] | None:
    """Return the tokens that stand before every window of the text, None for the plain form.

    - `plain`: the text alone (behind the start token, which the caller adds).
    - `chat`: the text is the user's message in the model's chat template.
    - `instructed`: the user's message is the instruction, an empty line and the text; for a model without a chat
      template the same words stand as plain text, behind `start`.

    Raises BadInput for an unknown form, for `chat` without a template, and for a template
    that raises, or does not show the text once and as it is.
    """
    if form not in get_args(Form):
        raise BadInput(f"form {form!r} is unknown{nearest(form, get_args(Form))}; use plain, chat or instructed.")
    if form == "plain":
        return None
    lead = "" if form == "chat" else f"{instruction or READING_INSTRUCTION}\n\n"
    if form == "instructed" and not template_names(tokenizer):
        return [*start, *tokenizer(lead, add_special_tokens=False)["input_ids"]]
    frame = framed(tokenizer, lead + _TEXT)
    before = frame.text[: frame.origin + len(lead)]
    return list(tokenizer(before, add_special_tokens=False)["input_ids"])
