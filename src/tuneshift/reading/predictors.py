"""What else slows a reader down: the predictors of a word's reading time besides its surprisal."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.reading.frequency import log_frequencies

Exclusion = Literal["document_initial", "sentence_initial", "none"]
WITH_SPILLOVER = ("length", "log_frequency", "length_x_frequency", "sentence_initial", "sentence_final", "punctuation")
_PUNCTUATION = re.compile(r"\W$|^\W")


def checked_words(times: ReadingTimes) -> pd.DataFrame:
    """Return `times.words` once its order and times are known to be sound.

    A time may be missing only where the data say that nobody's was kept (`n` = 0). Raises BadInput with the first
    place of a missing or impossible time, of a document whose words are not in reading order, or that comes in pieces.
    """
    words = times.words
    document = words["document"].to_numpy()
    breaks = np.flatnonzero(document[1:] != document[:-1]) + 1
    starts = np.concatenate([[0], breaks])
    names = document[starts]
    if len(set(names)) < len(names):
        repeated = next(name for i, name in enumerate(names) if name in names[:i])
        raise BadInput(f"{times.name}: document {repeated} comes in several pieces; put its words together, in order.")
    expected = np.arange(len(words)) - np.repeat(starts, np.diff(np.append(starts, len(words))))
    wrong = np.flatnonzero(words["position"].to_numpy() != expected)
    if len(wrong):
        row = words.iloc[wrong[0]]
        raise BadInput(
            f"{times.name}: document {row['document']} is not in reading order: word {expected[wrong[0]] + 1} should "
            f"come next, and word {row['position'] + 1} ({row['word']!r}) does; sort its words, leave none out."
        )
    time = words["time"].to_numpy(float)
    nobody = words["n"].fillna(1).to_numpy() == 0
    bad = (
        np.flatnonzero(~(np.isfinite(time) & (time > 0)) & ~nobody)
        if times.unit == "ms"
        else np.flatnonzero(~np.isfinite(time) & ~nobody)
    )
    if len(bad):
        row = words.iloc[bad[0]]
        raise BadInput(
            f"{times.name}: the time of document {row['document']}, word {row['position'] + 1} ({row['word']!r}) is "
            f"{row['time']}; give its time, or n = 0 where nobody's was kept ({len(bad)} such words)."
        )
    return words


def predictors(times: ReadingTimes, spillover: int = 2) -> pd.DataFrame:
    """Return the control predictors of every word (n_words rows), NaN where a word has no previous one.

    `length` (characters, or as the data say), `log_frequency`, their product (both centred first), flags of
    sentence-initial, sentence-final and punctuated words, the same of each of the `spillover` words before (suffixes
    `_1`, `_2`), and `position` in the document (methods, section 2).
    """
    words = times.words
    table = pd.DataFrame(index=words.index)
    table["length"] = lengths(words)
    table["log_frequency"] = frequencies(times)[0]
    centred = table - table.mean()
    table["length_x_frequency"] = centred["length"] * centred["log_frequency"]
    table["sentence_initial"] = words["sentence_initial"].astype(float)
    table["sentence_final"] = words["sentence_final"].astype(float)
    table["punctuation"] = words["word"].str.contains(_PUNCTUATION).astype(float)
    for back in range(1, spillover + 1):
        before = previous(table[list(WITH_SPILLOVER)], words["document"], back)
        table = table.join(before.add_suffix(f"_{back}"))
    table["position"] = words["position"].astype(float)
    return table


def previous(columns: pd.DataFrame | pd.Series, document: pd.Series, back: int) -> pd.DataFrame:
    """Return the columns of the word `back` words earlier, NaN at the beginning of each document."""
    shifted = pd.DataFrame(columns).groupby(document.to_numpy(), sort=False).shift(back)
    return pd.DataFrame(shifted)


def lengths(words: pd.DataFrame) -> np.ndarray:
    """Return lengths (n_words,): the data's own, or numbers of characters."""
    if "length" in words:
        return words["length"].to_numpy(float)
    return words["word"].str.len().to_numpy(float)


def frequencies(times: ReadingTimes) -> tuple[np.ndarray, str]:
    """Return natural log frequencies (n_words,), the data's own or wordfreq's, and a few words on where from."""
    if "log_frequency" in times.words:
        return times.words["log_frequency"].to_numpy(float), f"of {times.name}"
    return log_frequencies(times.words["word"].tolist()), "of wordfreq (English)"


def kept_words(words: pd.DataFrame, exclude: Exclusion) -> np.ndarray:
    """Return which words count (n_words,), bool: those with a time that the data and the exclusion rule leave."""
    kept = words["time"].notna().to_numpy(copy=True)
    if "include" in words:
        kept &= words["include"].to_numpy(bool)
    if exclude == "document_initial":
        kept &= words["position"].to_numpy() > 0
    elif exclude == "sentence_initial":
        kept &= ~words["sentence_initial"].to_numpy(bool)
    return kept
