"""Where sentences begin and end in a running text, judged by its punctuation."""

from __future__ import annotations

import re

import pandas as pd

_END = re.compile(r"[.!?…]+[\"'”’)\]]*$")
_ABBREVIATIONS = frozenset({"Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Prof.", "Jr.", "Sr.", "Capt.", "Col.", "Gen.", "vs."})


def ends_sentence(word: str, following: str | None) -> bool:
    """Whether a sentence ends with `word`: final punctuation, no abbreviation, and no small letter after it."""
    if _END.search(word) is None or word.lstrip("\"'“‘(") in _ABBREVIATIONS:
        return False
    letters = re.sub(r"^\W+", "", following or "")
    return not letters[:1].islower()


def mark_sentences(words: pd.DataFrame) -> pd.DataFrame:
    """Return `words` (columns `document`, `word`, in reading order) with sentence, sentence_initial, sentence_final."""
    following = words.groupby("document", sort=False)["word"].shift(-1)
    final = [
        not isinstance(after, str) or ends_sentence(word, after)
        for word, after in zip(words["word"], following, strict=True)
    ]
    out = words.copy()
    out["sentence_final"] = final
    started = out.groupby("document", sort=False)["sentence_final"].shift(1)
    out["sentence_initial"] = started.isna() | started.eq(True)
    out["sentence"] = out.groupby("document", sort=False)["sentence_initial"].cumsum().astype(int) - 1
    return out
