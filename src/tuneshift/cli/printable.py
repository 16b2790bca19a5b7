"""Text of others (model names, tokens, error messages) made safe to print: no escape sequence reaches a terminal."""

from __future__ import annotations

import unicodedata

_KEPT = {"\n", "\t", "\u200c", "\u200d"}  # joiners: Persian and Indic words, emoji
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control, format (direction overrides), surrogates, line and paragraph separators."""

LONGEST_SENTENCE = 2000


def printable(text: object) -> str:
    """Return a text with every character that could steer a terminal written out, as `\\x1b`; lines stay lines."""
    return "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in _UNSEEN
        else character.encode("unicode_escape").decode("ascii")
        for character in str(text)
    )


def one_line(text: object) -> str:
    """Return a text as one printable line, its middle left out beyond 2,000 characters."""
    line = printable(" ".join(str(text).split()))
    if len(line) <= LONGEST_SENTENCE:
        return line
    half = LONGEST_SENTENCE // 2
    return f"{line[:half]} ... {line[-half:]}"
