"""A server's tokens laid over the text that it was sent, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.reading.served.dialects import ServedTokens, require_logprob
from tuneshift.reading.served.spellings import Pieces, spellings

_MOST_START_TOKENS = 3
_BITS = 1 / np.log(2)
_PARTS = re.compile("(\ufffd+)")


@dataclass(frozen=True)
class WordScores:
    """What a server says of the words of one text.

    `bits` (n_words,): plain surprisal, NaN for a first word whose first token has no log probability. `n_tokens`
    (n_words,). `start` are the tokens that the server put before the text, "?" where it does not say their text;
    `spelling` is how it spells tokens.
    """

    bits: np.ndarray
    n_tokens: np.ndarray
    start: tuple[str, ...]
    spelling: str


class Mismatch(BadInput):
    """A server's tokens do not give back the text that it was sent; the message is a clause that says where."""


def word_scores(words: Sequence[str], tokens: ServedTokens) -> WordScores:
    """Return the plain surprisals of words that were sent as one text, joined by single spaces.

    The tokens must give back the text: every letter, in order. What may differ is what servers are known to lose: the
    space before a word, and the letters of a token that is only part of a character. Such a token (U+FFFD) belongs to
    the word in which it begins, for no part of a character is a space. Raises Mismatch otherwise, and BadInput for a
    token over two words and for log probabilities that are none, with the word.
    """
    text = " ".join(words)
    ends = np.cumsum([len(word) + 1 for word in words]) - 1
    furthest: _Lost | None = None
    for name, pieces in spellings(tokens.texts):
        for skipped in _start_tokens(tokens):
            for begin in _beginnings(pieces, skipped, int(ends[0])):
                found = _located(text, pieces, skipped, begin)
                if isinstance(found, _Lost):
                    furthest = found if furthest is None or found.at > furthest.at else furthest
                else:
                    return _scored(words, ends, tokens, pieces, skipped, found, name)
    raise Mismatch(_where(text, furthest or _Lost(0, 0, "")))


def _start_tokens(tokens: ServedTokens) -> Sequence[int]:
    """Return how many tokens may stand before the text, in the order in which they are tried."""
    most = range(min(_MOST_START_TOKENS, len(tokens.texts)) + 1)
    # One without letters and log probability fits the text as well: no letters are no part of a text's first character.
    empty = bool(tokens.texts) and tokens.texts[0] == "" and tokens.logprobs[0] is None
    return sorted(most, key=lambda n: n != 1) if empty else most


@dataclass(frozen=True)
class _Lost:
    """Where text and tokens part: the place in the text, and the token."""

    at: int
    token: int
    piece: str


def _beginnings(pieces: Pieces, skipped: int, first_word: int) -> Sequence[int]:
    """Return where the first piece that is laid down may begin: at 0, or behind an untold one in the first word."""
    if skipped == 0 and pieces and pieces[0] is None:
        return ()
    untold = skipped == 1 and pieces[0] is None
    return range(first_word + 1) if untold else (0,)


def _located(text: str, pieces: Pieces, skipped: int, begin: int) -> list[tuple[int, int]] | _Lost:
    """Return the place (first character, behind the last) of each piece from `skipped` on, until the text is full.

    Of a part of a character only the beginning is known: its place is empty. One piece may follow the text, which the
    server wrote itself.
    """
    places: list[tuple[int, int]] = []
    at, n_open = begin, 0  # parts of characters that were laid down at `at`, and whose end is not known yet
    for number in range(skipped, len(pieces)):
        piece, left = pieces[number], len(pieces) - number
        if at == len(text) and not n_open:
            return places if left == 1 else _Lost(at, number, piece or "")
        if piece is None:
            return _Lost(at, number, "")
        first: int | None = None
        for part in filter(None, _PARTS.split(piece)):
            if part[0] == "\ufffd":
                first = at if first is None else first
                n_open += len(part)
                continue
            came = _behind_open(text, at, n_open, part) if n_open else at
            behind = _behind(text, came, part)
            if behind < 0:
                ended = left == 1 and n_open and _is_open(text[at:])
                return places if ended else _Lost(at, number, piece)
            first = came if first is None else first
            at, n_open = behind, 0
        places.append((at if first is None else first, at))
    if at == len(text) or (n_open and _is_open(text[at:])):
        return places
    return _Lost(at, len(pieces), "")


def _is_open(rest: str) -> bool:
    """Whether parts of characters alone can make up the rest of a text."""
    letters = rest.removeprefix(" ")
    return bool(letters) and not any(character.isascii() for character in letters)


def _behind(text: str, at: int, part: str) -> int:
    """Return the place behind `part` laid down at `at`, -1 where the text has something else there."""
    if at < 0:
        return -1
    if text.startswith(part, at):
        return at + len(part)
    if text.startswith(f" {part}", at):  # decoded by itself, a piece that begins a word loses its space
        return at + 1 + len(part)
    if at == 0 and part[0] == " " and text.startswith(part[1:]):  # or the text's first one has got a space
        return len(part) - 1
    return -1


def _behind_open(text: str, at: int, n_open: int, part: str) -> int:
    """Return where parts of characters end that began at `at`: before `part`, with nothing but such characters between.

    Each is a byte or more. -1 where there is no such place.
    """
    begin = at + 1 if text.startswith(" ", at) else at
    end = begin
    while end < len(text) and not text[end].isascii():
        end += 1
        if len(text[begin:end].encode()) >= n_open and _behind(text, end, part) >= 0:
            return end
    return -1


def _scored(
    words: Sequence[str],
    ends: np.ndarray,
    tokens: ServedTokens,
    pieces: Pieces,
    skipped: int,
    places: list[tuple[int, int]],
    spelling: str,
) -> WordScores:
    # An untold first piece is a start token where the text begins behind it, else the first word's first.
    inside = skipped == 1 and pieces[0] is None and bool(places) and places[0][0] > 0
    if inside:
        skipped, places = 0, [(0, 0), *places]
    bits, n_tokens = np.zeros(len(words)), np.zeros(len(words), dtype=np.int64)
    for number, (first, behind) in enumerate(places, start=skipped):
        word = int(np.searchsorted(ends, first, side="right"))
        last = int(np.searchsorted(ends, max(first, behind - 1), side="right"))
        word = min(word, len(words) - 1)
        if last != word:
            raise BadInput(
                f"words {word + 1} and {word + 2} ({words[word]!r}, {words[word + 1]!r}) share the token "
                f"{pieces[number]!r}, so neither has a surprisal; check the words, or use another model"
            )
        n_tokens[word] += 1
        bits[word] -= _BITS * _logprob(tokens, number, first_of_text=number == skipped)
    bare = np.flatnonzero(n_tokens == 0)
    if len(bare):
        raise Mismatch(f"no token is left for word {bare[0] + 1} ({words[bare[0]]!r})")
    start = tuple("?" if text is None else text for text in tokens.texts[:skipped])
    return WordScores(bits, n_tokens, start, spelling)


def _logprob(tokens: ServedTokens, number: int, *, first_of_text: bool) -> float:
    value = tokens.logprobs[number]
    if number == 0 and value == 0:  # with nothing before it a token has no probability, and some servers write 0
        value = None
    if value is not None:
        return require_logprob(value, tokens.texts[number] or "")
    if first_of_text:
        return float("nan")
    raise BadInput(f"token {number + 1} ({tokens.texts[number]!r}) has no log probability")


def _where(text: str, lost: _Lost) -> str:
    rest = text[lost.at : lost.at + 30]
    after = f"after {text[max(0, lost.at - 20) : lost.at]!r}" if lost.at else "at the beginning"
    if not rest:
        return f"the text ends {after}, and tokens go on with {lost.piece!r}"
    told = f"the token is {lost.piece!r}" if lost.piece else "there is no token left"
    return f"{after} the text goes on with {rest!r}, and {told}"
