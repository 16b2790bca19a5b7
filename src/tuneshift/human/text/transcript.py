"""Words as they were spoken, written as they were printed: with the case and punctuation a reader would see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tuneshift.errors import BadInput


@dataclass(frozen=True)
class SpokenWord:
    """One word of a recording with its onset and offset in seconds."""

    text: str
    onset: float
    offset: float


def as_printed(spoken: Sequence[SpokenWord], printed: str, where: str, least_share: float = 0.9) -> list[SpokenWord]:
    """Return the spoken words with the printed form (case, punctuation) of those that stand in the printed text.

    The speaker has the last word: what was said but not printed stays as transcribed, what was printed but not said
    is left out. Pieces that the transcript cut apart ("did", "n't") become one word again. Raises BadInput with the
    first place of difference where fewer than `least_share` of the words can be found in the printed text.
    """
    forms = [form for form in re.split(r"\s+|(?<=-)(?=\w)", printed) if _letters(form)]
    said, wanted = [_letters(word.text) for word in spoken], [_letters(form) for form in forms]
    words: list[SpokenWord] = []
    found = 0
    first_difference: str | None = None
    for kind, i, j, k, m in SequenceMatcher(None, said, wanted, autojunk=False).get_opcodes():
        if kind == "equal":
            found += j - i
            words += [SpokenWord(forms[k + n], w.onset, w.offset) for n, w in enumerate(spoken[i:j])]
            continue
        first_difference = first_difference or f"word {i + 1}, said {said[i:j]}, printed {wanted[k:m]}"
        if kind == "replace" and m == k + 1 and "".join(said[i:j]) == wanted[k]:
            found += j - i
            words.append(SpokenWord(forms[k], spoken[i].onset, spoken[j - 1].offset))
        elif kind != "insert":
            words += spoken[i:j]
    if found < least_share * len(spoken):
        raise BadInput(
            f"{where}: only {found} of {len(spoken)} spoken words stand in the printed text; they part at "
            f"{first_difference}."
        )
    return words


def _letters(text: str) -> str:
    return re.sub(r"[^\w]", "", text).lower()
