"""Windows over a text whose tokens only the server knows: cut between words, overlapping by half."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.reading.served.matching import WordScores

_SMALLEST_ROOM = 8
_MARGIN = 1.05  # tokens a letter differ from text to text; a window a little short costs less than a refusal


class TooLong(Exception):
    """The server's word that a text is longer than what it reads at once."""


class Room:
    """How long a window may be: `tokens`, None as long as nobody said, and how many tokens texts have had so far."""

    def __init__(self, tokens: int | None) -> None:
        self.tokens = tokens
        self._refusals = 0  # one after another
        self._bytes, self._tokens = 0, 0

    def expected(self, words: Sequence[str]) -> np.ndarray:
        """Return how many tokens each word (n_words,) will have, from its bytes and the texts so far."""
        return _bytes(words) * (self._tokens / max(1, self._bytes))

    def accepted(self, words: Sequence[str], n_tokens: int) -> None:
        """Learn from a text that the server took."""
        self._bytes += int(_bytes(words).sum())
        self._tokens += n_tokens

    def refused(self, words: Sequence[str]) -> None:
        """Learn from a text that the server found too long.

        One refusal is a guess that was a little short; where they go on, less is allowed than was said.
        """
        self._refusals += 1
        if self._refusals > 1 and self.tokens is not None:
            self.tokens = max(_SMALLEST_ROOM, min(self.tokens, int(self.expected(words).sum())))

    def fitted(self) -> None:
        """Note a window that was accepted at once."""
        self._refusals = 0


def _bytes(words: Sequence[str]) -> np.ndarray:
    return np.array([len(word.encode()) + 1 for word in words])


@dataclass(frozen=True)
class Window:
    """Words `start`..`stop` of a document, of which those from `fresh` on are taken; before it, all is context.

    `bits` and `n_tokens` (stop - start,): plain surprisals and numbers of tokens.
    """

    start: int
    fresh: int
    stop: int
    bits: np.ndarray
    n_tokens: np.ndarray


Ask = Callable[[Sequence[str]], WordScores]
"""Returns the scores of words that are sent as one text; raises TooLong."""


def document_windows(words: Sequence[str], ask: Ask, room: Room) -> Iterator[Window]:
    """Yield windows in which each word of one document is fresh once, in order.

    The first window begins with the document; every other one begins so far back that half a window of tokens, as the
    window before counted them, stands before the first word that it adds (methods, section 2). A window that the server
    finds too long is halved in what it adds, then in what stands before. Raises BadInput where the server finds a few
    words too long.
    """
    n_tokens = np.zeros(len(words), dtype=np.int64)
    fresh = 0
    while fresh < len(words):
        start = _start(n_tokens, fresh, room)
        stop = _stop(n_tokens, words, start, fresh, room)
        refused = False
        while True:
            try:
                scores = ask(words[start:stop])
                break
            except TooLong as error:
                refused = True
                room.refused(words[start:stop])
                if stop - fresh > 1:
                    stop = fresh + (stop - fresh) // 2
                elif fresh == 0 or room.tokens is None or room.tokens // 2 < _SMALLEST_ROOM:
                    raise BadInput(f"the server finds even {stop - start} words too long ({error})") from None
                else:
                    room.tokens //= 2
                start = _start(n_tokens, fresh, room)
        counts = scores.n_tokens
        room.accepted(words[start:stop], int(counts.sum()))
        if not refused:
            room.fitted()
        elif room.tokens is None:
            room.tokens = int(counts.sum())
        if room.tokens is not None:
            # A guess that was too long for us and not for the server: no word depends on what follows it.
            fits = int(np.searchsorted(np.cumsum(counts), room.tokens, side="right"))
            stop = max(fresh + 1, min(stop, start + fits))
        n_tokens[fresh:stop] = counts[fresh - start : stop - start]
        yield Window(start, fresh, stop, scores.bits[: stop - start], counts[: stop - start])
        fresh = stop


def _start(n_tokens: np.ndarray, fresh: int, room: Room) -> int:
    """Return the last word with which a window may begin so that half a window stands before word `fresh`."""
    if fresh == 0 or room.tokens is None:
        return 0
    # The window's first word does not count: without a space before it, it may be other tokens than it was.
    behind = np.cumsum(n_tokens[:fresh][::-1])[::-1]  # tokens from each word on
    enough = np.flatnonzero(np.append(behind[1:], 0) >= room.tokens / 2)
    return int(enough[-1]) if len(enough) else 0


def _stop(n_tokens: np.ndarray, words: Sequence[str], start: int, fresh: int, room: Room) -> int:
    """Return the word before which a window ends that should just fit: a guess, one word or more."""
    if room.tokens is None:
        return len(words)
    left = room.tokens - int(n_tokens[start:fresh].sum())
    expected = np.cumsum(room.expected(words[fresh:])) * _MARGIN
    return fresh + max(1, int(np.searchsorted(expected, left, side="right")))
