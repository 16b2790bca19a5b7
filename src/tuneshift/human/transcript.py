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


@dataclass(frozen=True)
class Printed:
    """`words` in their printed form where they have one, and in sentences what text and transcript do not share."""

    words: list[SpokenWord]
    said: tuple[str, ...] = ()


def as_printed(spoken: Sequence[SpokenWord], printed: str, where: str, least_share: float = 0.9) -> list[SpokenWord]:
    """Return the words of `in_print`, without what is to be said of them."""
    return in_print(spoken, printed, where, least_share).words


def in_print(spoken: Sequence[SpokenWord], printed: str, where: str, least_share: float = 0.9) -> Printed:
    """Return the spoken words with the printed form (case, punctuation) of those that stand in the printed text.

    The speaker has the last word: what was said but not printed stays as transcribed, what was printed but not said
    is left out, and both are counted. Pieces that the transcript cut apart ("did", "n't") become one word again. Raises
    BadInput with the first place of difference where fewer than `least_share` of the words can be found in the text.
    """
    forms = [form for form in re.split(r"\s+|(?<=-)(?=\w)", printed) if _letters(form)]
    said, wanted = [_letters(word.text) for word in spoken], [_letters(form) for form in forms]
    words: list[SpokenWord] = []
    found = joined = unsaid = 0
    first_difference: str | None = None
    for kind, i, j, k, m in SequenceMatcher(None, said, wanted, autojunk=False).get_opcodes():
        if kind == "equal":
            found += j - i
            words += [SpokenWord(forms[k + n], w.onset, w.offset) for n, w in enumerate(spoken[i:j])]
            continue
        first_difference = first_difference or f"word {i + 1}, said {said[i:j]}, printed {wanted[k:m]}"
        if kind == "replace" and m == k + 1 and "".join(said[i:j]) == wanted[k]:
            found += j - i
            joined += j - i
            words.append(SpokenWord(forms[k], spoken[i].onset, spoken[j - 1].offset))
            continue
        unsaid += m - k
        words += spoken[i:j]
    if found < least_share * len(spoken):
        raise BadInput(
            f"{where}: only {found} of {len(spoken)} spoken words stand in the printed text; they part at "
            f"{first_difference}."
        )
    told = [
        f"{len(spoken) - found} spoken words do not stand there and stay as transcribed" * (found < len(spoken)),
        f"{joined} pieces of words were joined as printed" * bool(joined),
        f"{unsaid} printed words were not said and are left out" * bool(unsaid),
    ]
    return Printed(words, tuple(filter(None, told)))


def _letters(text: str) -> str:
    return re.sub(r"[^\w]", "", text).lower()
