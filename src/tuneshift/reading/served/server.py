"""A conversation with one server: which model it serves, in which form it answers, and what it says of a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from tuneshift.endpoint import Busy, Refused, Service, checked_address
from tuneshift.errors import BadInput, MeasurementFailed, nearest
from tuneshift.reading.served.dialects import (
    DIALECTS,
    Dialect,
    NoJson,
    ServedTokens,
    Unreadable,
    json_of,
    request,
    tokens_of,
)
from tuneshift.reading.served.matching import Mismatch, WordScores, word_scores
from tuneshift.reading.served.word_windows import TooLong

T = TypeVar("T")

KEY_VARIABLES = ("TUNESHIFT_API_KEY", "OPENAI_API_KEY")
"""Where the key is looked for; it is sent to the server and written nowhere."""

PROBE = "When the tide had gone out, the children found 7 shells, a rusty key and a letter from the year 1892."
"""The text that every server is asked about first: in which form it answers, and whether it is the model it was."""

_NAME = "the endpoint"
_TOO_LONG = re.compile(
    r"context[ _]?(length|size|window)|too long|too many (input )?tokens|longer than|must have less than"
    r"|max\w*[ _](model|context|sequence|input|prompt)\w*[ _]len|exceed\w*[^.]{0,60}(context|tokens|length)",
    re.IGNORECASE,
)
_LARGEST_ANSWER = 1 << 28
_STATED = ("max_model_len", "context_length", "context_window", "max_context_length")


class Server:
    """One model at one address that ends in /v1; `model` None is the only one that the server lists.

    `context` is how many tokens the model reads at once, where the server states it. `service` are options of
    `tuneshift.endpoint.Service`. Raises BadInput for an address that is none, a name that is not served, and a server
    that gives no log probabilities of a prompt; MeasurementFailed where it does not answer.
    """

    def __init__(self, url: str, model: str | None, service: Mapping[str, Any]) -> None:
        address = checked_address(url, _NAME, KEY_VARIABLES[0])
        self.url = re.sub(r"/(chat/)?completions$", "", address)
        advice = "see that the server runs and is not overloaded, then run the same again: windows so far are kept"
        options = {"timeout": 600.0, "largest": _LARGEST_ANSWER, **service}
        self._service = Service(_NAME, KEY_VARIABLES, advice=advice, final=_TOO_LONG, **options)
        self._is_known = False
        listed = self._listed(model)
        self._names = [str(entry["id"]) for entry in listed]
        self.model = self._chosen(model)
        self.context = next((_context(entry) for entry in listed if entry["id"] == self.model), None)

    def probe(self) -> tuple[Dialect, ServedTokens]:
        """Return the first form of question to which the server gives what is wanted, and its answer to the probe."""
        said = []
        for dialect in DIALECTS:
            try:
                tokens = self.ask(PROBE, dialect)
                self.scores(PROBE.split(" "), tokens, "the probe")
            except Mismatch:
                what = " ".join(repr(text) for text in tokens.texts[:4])
                said.append(f"{dialect.name}: the tokens that it scores, {what or 'none'}, are not the text's")
            except (Unreadable, Unsupported, TooLong) as error:
                said.append(f"{dialect.name}: {error}")
            else:
                self._is_known = True
                return dialect, tokens
        raise BadInput(
            f"{_NAME} {self.url} gives no log probabilities of a prompt for {self.model!r} ({'; '.join(said)}); "
            "serve the model with vLLM, SGLang or llama-cpp-python, or compute surprisals elsewhere and give them with "
            "--surprisals."
        )

    def scores(self, words: Sequence[str], tokens: ServedTokens, where: str) -> WordScores:
        """Return what the tokens of a text say of its words; Mismatch and BadInput get the address and `where`."""
        try:
            return word_scores(words, tokens)
        except Mismatch as error:
            raise Mismatch(
                f"the tokens that {self.model} at {self.url} gives of {where} do not give the text back: {error}"
            ) from None
        except BadInput as error:
            raise BadInput(f"{self.model} at {self.url}: {where}: {error}.") from None

    def ask(self, text: str, dialect: Dialect) -> ServedTokens:
        """Return the tokens of a text with their log probabilities.

        An answer that is no JSON is asked for three times, and so is one of another shape once the probe was answered.
        Raises TooLong where the server finds the text too long, Unreadable for an answer of another shape, Unsupported
        where it refuses what is asked for, BadInput and MeasurementFailed as `tuneshift.endpoint.Service.ask`.
        """
        body = request(dialect, self.model, text)
        patient = (NoJson, Unreadable) if self._is_known else (NoJson,)
        try:
            return self._service.ask(
                f"{self.url}/completions", body, _Patient(partial(tokens_of, dialect), patient), salt=text
            )
        except NoJson as error:
            raise self._stranger(f"in place of JSON it sends {error}") from None
        except Refused as refused:
            if _TOO_LONG.search(refused.said) or refused.status == 413:
                raise TooLong(refused.said or f"status {refused.status}") from None
            said = f"status {refused.status}{': ' if refused.said else ''}{refused.said}"
            if refused.status in (404, 405):
                raise BadInput(
                    f"{_NAME} {self.url} has no completions of {self.model!r} ({said}); the address should end in /v1, "
                    f"and {self._serves()}."
                ) from None
            raise Unsupported(f"refused with {said}") from None

    def _listed(self, model: str | None) -> list[dict[str, Any]]:
        """Return what the server says of its models, nothing where it has no list and a model is named."""
        address, read = f"{self.url}/models", _Patient(_models, (NoJson,))
        try:
            return self._service.ask(address, None, read, salt="models", attempts=None if model is None else 3)
        except Refused:
            return []
        except NoJson as error:
            if model is None:
                raise self._stranger(f"asked for its models it sends {error}") from None
            return []
        except MeasurementFailed:
            if model is None:
                raise
            return []

    def _stranger(self, what: str) -> BadInput:
        return BadInput(
            f"{_NAME} {self.url} does not talk as OpenAI's servers do: {what}; check the address, which should end in "
            "/v1."
        )

    def _chosen(self, model: str | None) -> str:
        if model is not None and (model in self._names or not self._names):
            return model
        if model is None and len(self._names) == 1:
            return self._names[0]
        if model is None:
            raise BadInput(f"say which model of {_NAME} {self.url} to read with --served-model; {self._serves()}.")
        # Some servers answer for the one model they have, whatever name they are asked for.
        raise BadInput(f"{_NAME} {self.url} serves no model {model!r}{nearest(model, self._names)}; {self._serves()}.")

    def _serves(self) -> str:
        more = f" and {len(self._names) - 10} more" if len(self._names) > 10 else ""
        return f"it serves {', '.join(self._names[:10])}{more}" if self._names else "it lists no models"


class Unsupported(BadInput):
    """A refusal of a request for what it asks, which another form of question may not meet."""


class _Patient(Generic[T]):
    """Reads answers; the first two of an odd kind pass for hiccups that another request may not meet."""

    def __init__(self, read: Callable[[bytes], T], odd: tuple[type[BadInput], ...]) -> None:
        self._read = read
        self._odd = odd
        self._met = 0

    def __call__(self, body: bytes) -> T:
        try:
            return self._read(body)
        except self._odd as error:
            self._met += 1
            if self._met > 2:
                raise
            raise Busy(f"an odd answer: {error}") from None


def _models(body: bytes) -> list[dict[str, Any]]:
    found = json_of(body)
    entries = found.get("data") if isinstance(found, dict) else found
    entries = entries if isinstance(entries, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _context(entry: Mapping[str, Any]) -> int | None:
    """Return how many tokens a listed model reads at once, where the list says so."""
    meta = entry.get("meta")  # of llama.cpp
    of_file = [meta.get("n_ctx"), meta.get("n_ctx_train")] if isinstance(meta, dict) else []
    stated = [entry.get(name) for name in _STATED] + of_file
    return next((n for n in stated if isinstance(n, int) and not isinstance(n, bool) and n > 1), None)
