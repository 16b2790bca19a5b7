"""Answers of one server and model, kept for as long as it is the same model that answers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tuneshift.endpoint import KeptAnswers
from tuneshift.reading.served.dialects import ServedTokens

_SAME = 0.02
"""Nats by which the same model may answer otherwise: in half precision, what else a server computes at once matters."""


class KeptWindows:
    """Windows by text, in a folder of their own for each answer to the probe: another model answers it otherwise.

    `changed` says that answers were kept under this address and name and none is this model's. A refusal as too long
    is kept too, beside the context length that the server stated then.
    """

    def __init__(self, folder: Path, url: str, model: str, dialect: str, context: int | None) -> None:
        self._home = folder / hashlib.sha256(json.dumps([url, model, dialect]).encode()).hexdigest()[:16]
        self._context = context
        self._kept = KeptAnswers(self._home)
        self.changed = False

    @property
    def damaged(self) -> int:
        """How many files could not be read, and were asked for again."""
        return self._kept.damaged

    def open(self, probe: ServedTokens) -> None:
        """Choose the folder that belongs to this answer to the probe, or begin one."""
        others = damaged = 0
        for place in sorted(self._home.glob("*/probe.json")):
            kept = KeptAnswers(place.parent)
            before = _tokens(kept.get(place))
            if before is not None and _same(before, probe):
                self._kept = kept
                break
            others += before is not None
            damaged += before is None
        else:
            name = hashlib.sha256(json.dumps(_plain(probe)).encode()).hexdigest()[:16]
            self._kept = KeptAnswers(self._home / name)
            self._kept.put(self._kept.folder / "probe.json", _plain(probe))
            self.changed = others > 0
        self._kept.damaged = damaged

    def get(self, text: str) -> ServedTokens | str | None:
        """Return what is kept of a text: its tokens, the server's word that it is too long, or None."""
        found = self._kept.get(self._kept.path(text))
        if isinstance(found, dict) and isinstance(found.get("too_long"), str):
            return found["too_long"] if found.get("context") == self._context else None
        tokens = _tokens(found)
        self._kept.damaged += found is not None and tokens is None
        return tokens

    def put(self, text: str, tokens: ServedTokens) -> None:
        """Keep the tokens of a text."""
        self._kept.put(self._kept.path(text), _plain(tokens))

    def put_too_long(self, text: str, said: str) -> None:
        """Keep the server's word that a text is too long."""
        self._kept.put(self._kept.path(text), {"too_long": said, "context": self._context})

    def spoilt(self) -> None:
        """Count an answer that could be read but is none to its text."""
        self._kept.damaged += 1


def _plain(tokens: ServedTokens) -> dict[str, Any]:
    return {"tokens": list(tokens.texts), "logprobs": list(tokens.logprobs)}


def _tokens(found: Any) -> ServedTokens | None:
    if not isinstance(found, dict):
        return None
    texts, values = found.get("tokens"), found.get("logprobs")
    if not isinstance(texts, list) or not isinstance(values, list) or len(texts) != len(values):
        return None
    if not all(isinstance(text, str | None) for text in texts):
        return None
    if not all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return None
    return ServedTokens(tuple(texts), tuple(values))


def _same(one: ServedTokens, other: ServedTokens) -> bool:
    """Whether two answers to one text come from the same model."""
    return one.texts == other.texts and all(
        a is b is None or (a is not None and b is not None and abs(a - b) <= _SAME)
        for a, b in zip(one.logprobs, other.logprobs, strict=True)
    )
