"""Rows of prompts and responses in the layouts that people have them in: which keys say what, and what contradicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tuneshift.errors import BadInput, nearest

KEYS = ("prompt", "instruction", "input", "instruction_spans", "response", "output", "task", "name")
"""What a row may hold; `response` and `output` are one thing, `instruction` and `input` are a prompt in two parts."""

_CONVERSATION = "it is a conversation: write the user's message under `prompt` and the assistant's under `response`"
_PREFERENCE = "it is a pair of answers: write the prompt under `prompt` and the answer that counts under `response`"
_BESIDE = "write what the model is to read, all of it, under `prompt`"
_ROWS = "it holds the rows: give that list alone, or its objects one a line"
_REMEDIES = {
    **dict.fromkeys(("messages", "conversations", "conversation", "dialog", "dialogue", "turns"), _CONVERSATION),
    **dict.fromkeys(("chosen", "rejected"), _PREFERENCE),
    **dict.fromkeys(("system", "system_prompt", "history"), _BESIDE),
    **dict.fromkeys(("data", "rows", "prompts", "examples", "train", "test"), _ROWS),
    **dict.fromkeys(("question", "query", "inputs", "source", "user"), "call it `prompt`"),
    **dict.fromkeys(("answer", "answers", "completion", "target", "targets", "assistant"), "call it `response`"),
    "context": "call it `input`",
}
"""Keys of other layouts that hold a part of what is asked or answered, and what to do with each."""


def remedy(key: str) -> str:
    """Return what to do with a key of another layout, "" where the key is in none that is known."""
    return _REMEDIES.get(key.lower(), "")


def unknown_key(key: str, where: str, known: Iterable[str] = KEYS) -> BadInput:
    """Return the error for a key that no row has."""
    told = remedy(key)
    if told:
        return BadInput(f"{where}: key {key!r} is one of another layout; {told}.")
    return BadInput(f"{where}: unknown key {key!r}{nearest(key, known)}; known are {', '.join(known)}.")


def text_of(row: Mapping[str, Any], key: str, where: str) -> str | None:
    """Return the text under a key, None where it is null or not there; BadInput where it is no text."""
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{where}: `{key}` must be a text, not {_shown(value)}.")
    return value


def prompt_of(row: Mapping[str, Any], where: str) -> str | None:
    """Return what is asked: `prompt`, or `instruction` and `input` joined by a blank line; None where neither is there.

    Raises BadInput for a prompt that is blank, or beside which stands an instruction or input that is no part of it.
    """
    prompt, instruction, beside = (text_of(row, key, where) for key in ("prompt", "instruction", "input"))
    if prompt is None:
        if instruction is None:
            return None
        prompt = "\n\n".join(part for part in (instruction, beside or "") if part)
    elif prompt.strip():
        # A prompt is taken as it stands: what is not in it would be left out without a word.
        if instruction and instruction not in prompt and not row.get("instruction_spans"):
            raise BadInput(f"{where}: the prompt does not contain its instruction {instruction[:60]!r}.")
        if beside and beside not in prompt:
            raise BadInput(
                f"{where}: `prompt` is the whole text, and does not contain the `input` beside it, {beside[:60]!r}; "
                "put it into `prompt`, or give `instruction` and `input` without `prompt`."
            )
    if not prompt.strip():
        raise BadInput(f"{where}: no `prompt` (or `instruction`); every row needs one that is not empty.")
    return prompt


def response_of(row: Mapping[str, Any], where: str) -> str | None:
    """Return what is answered, `response` or `output`, None where neither is there; BadInput where they differ."""
    response, output = text_of(row, "response", where), text_of(row, "output", where)
    if response is not None and output is not None and response != output:
        raise BadInput(
            f"{where}: `response` and `output` are two names of one thing and differ, {response[:40]!r} and "
            f"{output[:40]!r}; keep one of them."
        )
    return output if response is None else response


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
