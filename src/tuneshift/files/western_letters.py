"""Whether bytes that are no UTF-8 are a Western text in Windows-1252, of which Latin-1 is a part."""

from __future__ import annotations

import re
import warnings

from charset_normalizer import CharsetMatch, from_bytes

_CANDIDATES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "mac_roman", "koi8_r", "cp850",
    "cp932", "gb18030", "big5", "cp949",
)  # fmt: skip
_MOST = 1 << 16  # bytes of lines that a guess is made from
# Signs that a keyboard or a word processor puts around words, between numbers and in contractions.
_SIGNS = "\u201a\u2026\u2039\u2018\u2019\u201c\u201d\u2013\u2014\u203a\u201e\u2020\u2021\u2022\u2122\u2030\u20ac"
_SIGNS += "".join(map(chr, (*range(0xA0, 0xAA), *range(0xAB, 0xC0), 0xD7, 0xF7)))
_LETTER = r"[^\W\d_]"
_INSIDE = (
    "\xa1-\xac\xae-\xb4\xb6\xb8\xb9\xbb-\xbf\xd7\xf7\u2020-\u2022\u2030\u02c6\u02dc\u201a\u201e\u2039\u203a\u201c\u201d"
)
_BEYOND_LATIN = "\u0370-\u1dff\u3000-\uffef"
_DISORDER = (  # in whatever alphabet
    re.compile(r"[a-z\xdf-\xf6\xf8-\xff][\xc0-\xd6\xd8-\xde\u0160\u0152\u017d\u0178]"),  # cafŽ, Mac Roman's é
    re.compile(f"{_LETTER}[{_INSIDE}]{_LETTER}"),  # a sign within a word
    re.compile(f"[A-Za-z][{_BEYOND_LATIN}]|[{_BEYOND_LATIN}][A-Za-z]"),  # crйe: two alphabets in a word
    re.compile("[\x80-\x9f]"),
)
_SEVERAL = re.compile(r"[\xc0-\xd6\xd8-\xf6\xf8-\xff\u0160\u0161\u0152\u0153\u017d\u017e\u0178]{4}")  # ñëîâî: Cyrillic


def reads_as_western(raw: bytes) -> str | None:
    """Return the text of bytes that read as Windows-1252, None where they do not.

    They do where every byte is a character of it, no letter or sign stands where no Western spelling has it, and
    charset-normalizer finds no other encoding in which the text is in better order.
    """
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return None
    if _in_disorder(text) or _SEVERAL.search(text):
        return None
    letters = [letter for letter in text if ord(letter) > 127 and letter not in _SIGNS]
    if not letters:  # quotation marks and dashes alone, each where it belongs
        return text
    found = _guesses(raw)
    least = min((match.chaos for match in found), default=0.0)
    mine = [match.chaos for match in found if "cp1252" in match.could_be_from_charset]
    return text if not found or (mine and min(mine) <= least) else None


def looks_like(raw: bytes) -> str:
    """Return " (it looks like cp1251, a guess)" as charset-normalizer says, or "" where it says nothing."""
    found = _guesses(raw)
    return f" (it looks like {found[0].encoding}, a guess)" if found and found[0].encoding != "cp1252" else ""


def _in_disorder(text: str) -> bool:
    return any(wrong.search(text) for wrong in _DISORDER)


def _guesses(raw: bytes) -> list[CharsetMatch]:
    """Return charset-normalizer's guesses, best first, without those in which words are out of order."""
    lines = [line for line in re.split(rb"[\r\n]+", raw) if not line.isascii()]
    sample = b"\n".join(lines)[:_MOST]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of short texts, which is why the places of letters are looked at too
        found = from_bytes(sample, steps=10, cp_isolation=list(_CANDIDATES), preemptive_behaviour=False)
    return [match for match in found if not _in_disorder(str(match))]
