"""How servers are asked for the log probabilities of a prompt, and what their answers look like."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuneshift.errors import BadInput

_ABSURD = -1000.0
"""Nats. float32 logits do not lie so far apart; -9999 is how some servers write minus infinity."""
_ROUNDING = 0.007
"""Nats (0.01 bits) above zero that rounding explains; a probability above one is what nothing else explains."""


class Unreadable(BadInput):
    """An answer that holds no log probabilities of the prompt; the message says in a clause what it holds instead."""


class NoJson(BadInput):
    """An answer that is no JSON; the message is its beginning, quoted."""


@dataclass(frozen=True)
class ServedTokens:
    """The tokens of a text as a server cut it: their `texts`, and `logprobs` in nats; None where it gives none.

    A server may put a start token before the text and a token that it wrote itself behind it.
    """

    texts: tuple[str | None, ...]
    logprobs: tuple[float | None, ...]


@dataclass(frozen=True)
class Dialect:
    """One form of question: the `fields` that it adds to a completion request, and how its answer is read."""

    name: str
    fields: Mapping[str, Any]
    read: Callable[[Mapping[str, Any]], ServedTokens]


def request(dialect: Dialect, model: str, text: str) -> dict[str, Any]:
    """Return the body of the request for the log probabilities of a text."""
    # A server that divides by the temperature or cuts a distribution short leaves it as it is with 1 and 1.
    return {"model": model, "prompt": text, "temperature": 1, "top_p": 1, **dialect.fields}


def tokens_of(dialect: Dialect, body: bytes) -> ServedTokens:
    """Return the tokens that an answer holds.

    Raises Unreadable for an answer of another shape, NoJson for one that is none.
    """
    answer = json_of(body)
    try:
        choice = answer["choices"][0]
        if not isinstance(choice, dict):
            raise TypeError
    except (KeyError, IndexError, TypeError):
        raise Unreadable(f"it answers with no completion but {beginning(body)}") from None
    # vLLM puts prompt_logprobs beside a completion's text, beside `choices` in a chat's.
    beside = {"prompt_logprobs": answer.get("prompt_logprobs"), "usage": answer.get("usage")}
    found = dialect.read(beside | {name: value for name, value in choice.items() if value is not None})
    if len(found.texts) != len(found.logprobs):
        raise Unreadable(f"it gives {len(found.texts)} tokens and {len(found.logprobs)} log probabilities")
    return found


def json_of(body: bytes) -> Any:
    """Return what an answer holds; NoJson where it is something else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoJson(beginning(body)) from None


def beginning(body: bytes) -> str:
    """Return the first words of an answer, quoted, as part of a sentence."""
    text = " ".join(body[:400].decode("utf-8", errors="replace").split())
    return f"{text[:80]!r}{'...' if len(text) > 80 else ''}" if text else "nothing"


def _echoed(choice: Mapping[str, Any]) -> ServedTokens:
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        raise Unreadable("its answer to `echo` has no log probabilities")
    if isinstance(found.get("content"), list):  # a list of tokens, as in answers of chats
        entries = found["content"]
        if not all(isinstance(entry, dict) for entry in entries):
            raise Unreadable("its log probabilities are no list of tokens")
        return ServedTokens(tuple(map(_spelled, entries)), tuple(_number(entry.get("logprob")) for entry in entries))
    texts, values = found.get("tokens"), found.get("token_logprobs")
    if not isinstance(texts, list) or not isinstance(values, list):
        raise Unreadable("its answer to `echo` has no list of tokens with log probabilities")
    usage = choice.get("usage")
    of_prompt = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    if isinstance(of_prompt, int) and len(texts) == len(values):  # what follows the prompt the server wrote itself
        texts, values = texts[:of_prompt], values[:of_prompt]
    return ServedTokens(tuple(map(_text, texts)), tuple(map(_number, values)))


def _prompted(choice: Mapping[str, Any]) -> ServedTokens:
    positions = choice.get("prompt_logprobs")
    if not isinstance(positions, list):
        raise Unreadable("it does not know `prompt_logprobs`")
    texts: list[str | None] = []
    values: list[float | None] = []
    for number, position in enumerate(positions):
        if position is None:  # nothing stands before the first token, so nothing is said of it, not even its text
            if number:
                raise Unreadable(f"it leaves token {number + 1} of the prompt out")
            texts.append(None)
            values.append(None)
            continue
        entry = _written(position)
        texts.append(_text(entry.get("decoded_token")))
        values.append(_number(entry.get("logprob")))
    return ServedTokens(tuple(texts), tuple(values))


def _written(position: Any) -> Mapping[str, Any]:
    """Return the entry of the prompt's own token; beside it may stand the most probable one, whose rank is 1."""
    entries = list(position.values()) if isinstance(position, dict) else []
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise Unreadable("its `prompt_logprobs` are no list of tokens")
    if len(entries) == 1:
        return dict(entries[0])
    ranks = [entry.get("rank") for entry in entries]
    if len(entries) > 2 or not all(isinstance(rank, int) for rank in ranks):
        raise Unreadable("its `prompt_logprobs` do not say which of several tokens is the prompt's")
    return dict(max(entries, key=lambda entry: entry["rank"]))


def _spelled(entry: Mapping[str, Any]) -> str:
    """Return a token's text, from its bytes where they are given: half a character has no text of its own."""
    raw = entry.get("bytes")
    if isinstance(raw, list) and raw and all(isinstance(b, int) and 0 <= b < 256 for b in raw):
        return bytes(raw).decode("utf-8", errors="replace")
    return _text(entry.get("token"))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"one of its tokens is {value!r:.40} in place of a text")
    return value


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"one of its log probabilities is {value!r:.40}")
    return float(value)


def require_logprob(value: float, token: str) -> float:
    """Return a log probability in nats; BadInput for one that is none (not a number, infinite, above 0, absurd)."""
    if math.isfinite(value) and _ABSURD < value <= _ROUNDING:
        return value
    why = "the log of a probability is never above 0" if value > 0 else "no model with a softmax gives that"
    raise BadInput(f"the log probability of token {token!r} is {value:g}; {why}")


DIALECTS = (
    Dialect("echo", {"echo": True, "logprobs": 1, "max_tokens": 0}, _echoed),
    Dialect("echo with a token more", {"echo": True, "logprobs": 1, "max_tokens": 1}, _echoed),
    Dialect("prompt_logprobs", {"prompt_logprobs": 0, "max_tokens": 1}, _prompted),
)
"""Every form of question, in the order in which a server is tried with them."""
