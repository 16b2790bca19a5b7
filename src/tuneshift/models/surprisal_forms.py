"""Three ways to put a text before a model: bare, inside its chat template, or after an instruction."""

from __future__ import annotations

from typing import Literal, get_args

from transformers import PreTrainedTokenizerBase

from tuneshift.errors import BadInput, nearest

Form = Literal["plain", "chat", "instructed"]
READING_INSTRUCTION = "Read this story as a person would."
_TEXT = "\u2402TEXT\u2403"  # stands for the text while the template is rendered


def form_prefix(tokenizer: PreTrainedTokenizerBase, form: Form, instruction: str | None = None) -> list[int] | None:
    """Return the tokens that stand before every window of the text, None for the plain form.

    - `plain`: the text alone (behind a beginning-of-sequence token, which the caller adds).
    - `chat`: the text is the user's message in the model's chat template.
    - `instructed`: the user's message is the instruction, an empty line and the text; for a model without a chat
      template the same words stand as plain text.

    Raises BadInput for an unknown form, for `chat` without a template, and for a template that drops the message.
    """
    if form not in get_args(Form):
        raise BadInput(f"form {form!r} is unknown{nearest(form, get_args(Form))}; use plain, chat or instructed.")
    if form == "plain":
        return None
    template = tokenizer.chat_template
    if form == "chat" and template is None:
        raise BadInput("this model has no chat template; use the plain or the instructed form.")
    message = _TEXT if form == "chat" else f"{instruction or READING_INSTRUCTION}\n\n{_TEXT}"
    if template is None:
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        ids = tokenizer(message.removesuffix(_TEXT), add_special_tokens=False)["input_ids"]
        return [*([start] if start is not None else []), *ids]
    rendered = tokenizer.apply_chat_template([{"role": "user", "content": message}], tokenize=False)
    before, found, _ = str(rendered).partition(_TEXT)
    if not found:
        raise BadInput("this model's chat template does not show the user's message; use the plain form.")
    return list(tokenizer(before, add_special_tokens=False)["input_ids"])
