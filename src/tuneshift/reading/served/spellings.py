"""How servers spell tokens: as text, or as the pieces that a vocabulary holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

_HALF_A_CHARACTER = re.compile(r"<0x([0-9A-Fa-f]{2})>|bytes:((?:\\x[0-9a-f]{2})+)")

Pieces = tuple[str | None, ...]


def spellings(texts: Sequence[str | None]) -> Iterator[tuple[str, Pieces]]:
    """Yield every reading of tokens that servers are known to write, with its name; which is right the text must say.

    - `text`: as they stand;
    - `sentencepiece`: U+2581 is a space, `<0xE2>` a byte, `bytes:\\xe2` too (as OpenAI writes them);
    - `byte-level`: every character is a byte, as in the vocabularies of GPT-2 and its heirs.

    Bytes that are no whole character become U+FFFD. A token without a text is None.
    """
    yield "text", tuple(texts)
    yield "sentencepiece", tuple(None if text is None else _from_sentencepiece(text) for text in texts)
    table = _byte_of_character()
    known = [text for text in texts if text is not None]
    if sum(set(text) <= set(table) for text in known) >= len(known) - 1:  # all but a start token
        yield "byte-level", tuple(None if text is None else _from_bytes(text, table) for text in texts)


def _from_sentencepiece(text: str) -> str:
    whole = _HALF_A_CHARACTER.fullmatch(text)
    if whole is None:
        return text.replace("\u2581", " ")
    one, several = whole.groups()
    return bytes.fromhex(one or several.replace("\\x", "")).decode("utf-8", errors="replace")


def _from_bytes(text: str, table: dict[str, int]) -> str:
    if not set(text) <= set(table):
        return text
    return bytes(table[character] for character in text).decode("utf-8", errors="replace")


@cache
def _byte_of_character() -> dict[str, int]:
    """Return the byte of each of the 256 characters in which byte-level vocabularies are written (Radford 2019)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    table = {chr(byte): byte for byte in shown}
    return table | {chr(256 + number): byte for number, byte in enumerate(hidden)}
