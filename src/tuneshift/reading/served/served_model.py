"""ServedModel: a model behind a server, standing where a model stands; it gives plain surprisals only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tuneshift.endpoint.kept import cache_folder
from tuneshift.errors import BadInput
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.progress import Progress, silent
from tuneshift.reading.served.dialects import Dialect, Unreadable
from tuneshift.reading.served.kept_windows import KeptWindows
from tuneshift.reading.served.matching import Mismatch, WordScores, word_scores
from tuneshift.reading.served.server import PROBE, Server, Unsupported
from tuneshift.reading.served.word_windows import Room, TooLong, document_windows


@dataclass(frozen=True)
class ServedModel:
    """A model that runs behind an OpenAI-compatible server which gives the log probabilities of a prompt.

    `name` is what results call it; `url` ends in /v1; `served_model` is the server's name for it (default: the only
    one it lists). `context_length` is how many tokens it reads at once (default: what the server states, else longer
    texts are tried until it accepts them). Answers are kept in the folder `cache` (default: in the user's cache). The
    key is read from TUNESHIFT_API_KEY or OPENAI_API_KEY. `service` are options of `tuneshift.endpoint.Service`.
    """

    name: str
    url: str
    served_model: str | None = None
    context_length: int | None = None
    cache: Path | None = None
    service: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ServedSurprisals:
    """`plain` surprisals (n_words,) in bits, NaN for words that the server says nothing of; `notes` and `facts`."""

    plain: np.ndarray
    notes: tuple[str, ...]
    facts: dict[str, Any]


def served_surprisals(model: ServedModel, times: ReadingTimes, progress: Progress = silent) -> ServedSurprisals:
    """Return the plain surprisal of every word of `times`, as the model's server gives it.

    A document is sent as its words joined by single spaces, in windows that overlap by half where it is too long. The
    first word of a document is NaN where the server puts no start token before it. Raises BadInput for a server that
    cannot be used, with its address, and for a text that its tokens do not give back, with the place;
    MeasurementFailed where it stays busy.
    """
    server = Server(model.url, model.served_model, model.service)
    dialect, probe = server.probe()
    stated = model.context_length or server.context
    kept = KeptWindows(model.cache or cache_folder("surprisals"), server.url, server.model, dialect.name, stated)
    kept.open(probe)
    asking = _Asking(server, dialect, kept)
    words = PROBE.split(" ")
    of_probe = word_scores(words, probe)
    # One token of the context is for the word that some servers insist on writing.
    room = Room(None if stated is None else stated - 1 - len(of_probe.start))
    if room.tokens is not None and room.tokens < 2:
        raise BadInput(f"a context of {stated} tokens holds no text; give a larger --context-length.")
    room.accepted(words, int(of_probe.n_tokens.sum()))
    plain = np.full(len(times.words), np.nan)
    lengths = []
    done = 0
    for document, rows in times.words.groupby("document", sort=False):
        text = rows["word"].astype(str).tolist()
        asking.where = f"document {document} of {times.name}"
        asking.require_words(text)
        for window in document_windows(text, asking, room):
            plain[done + window.fresh : done + window.stop] = window.bits[window.fresh - window.start :]
            lengths.append(int(window.n_tokens.sum()))
            progress("surprisals", done + window.stop, len(plain))
        done += len(rows)
    facts = {
        "url": server.url,
        "served_model": server.model,
        "form": dialect.name,
        "token_spelling": of_probe.spelling,
        "start_tokens": list(of_probe.start),
        "context_length": stated,
        "window_tokens": max(lengths),
        "windows": len(lengths),
        "mean_surprisal": float(np.nanmean(plain)),
    }
    return ServedSurprisals(plain, tuple(_notes(model, times, plain, facts, kept)), facts)


class _Asking:
    """Asks for windows, from disk where they are kept; `where` names the document in errors."""

    def __init__(self, server: Server, dialect: Dialect, kept: KeptWindows) -> None:
        self._server = server
        self._dialect = dialect
        self._kept = kept
        self.where = ""

    def __call__(self, words: Sequence[str]) -> WordScores:
        text = " ".join(words)
        before = self._kept.get(text)
        if isinstance(before, str):
            raise TooLong(before)
        if before is not None:
            try:
                return word_scores(words, before)
            except BadInput:
                self._kept.spoilt()
        here = f"{self.where}, from {words[0]!r} to {words[-1]!r}"
        try:
            tokens = self._server.ask(text, self._dialect)
            scores = self._server.scores(words, tokens, here)
        except TooLong as error:
            self._kept.put_too_long(text, str(error))
            raise
        except (Unreadable, Unsupported) as error:
            raise BadInput(f"{self._server.model} at {self._server.url}: {here}: {error}.") from None
        except Mismatch as error:
            raise BadInput(f"{error}; use a model whose tokenizer keeps the text, or a larger context.") from None
        self._kept.put(text, tokens)
        return scores

    def require_words(self, words: Sequence[str]) -> None:
        """Raise BadInput for a word without letters."""
        empty = [number for number, word in enumerate(words) if not word.strip()]
        if empty:
            raise BadInput(f"{self.where}: word {empty[0] + 1} is empty; remove it or give its text.")


def _notes(
    model: ServedModel, times: ReadingTimes, plain: np.ndarray, facts: Mapping[str, Any], kept: KeptWindows
) -> list[str]:
    notes = [
        f"{model.name}: surprisal is the plain sum over a word's tokens, asked from {facts['served_model']} at "
        f"{facts['url']} by {facts['form']}, mean {facts['mean_surprisal']:.2f} bits a word; a server tells the "
        "probability of the tokens sent, not of all that might follow, so word ends are not corrected for."
    ]
    left_out = int(np.isnan(plain).sum())
    if left_out:
        notes.append(
            f"{model.name}: the server puts no start token before a text, so nothing is known of the first word of "
            f"each document of {times.name}; these {left_out} words are left out."
        )
    if kept.changed:
        notes.append(
            f"{model.name}: the server answers the probe otherwise than before under the name "
            f"{facts['served_model']!r}, so it serves another model now; answers kept from then were not used."
        )
    if kept.damaged:
        files = f"{kept.damaged} damaged files" if kept.damaged > 1 else "a damaged file"
        notes.append(f"{model.name}: {files} of kept answers could not be read; what they held was asked for again.")
    return notes
