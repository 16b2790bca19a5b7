"""How frequent words are, where the reading data do not say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from wordfreq import zipf_frequency

_RAREST = 1.0  # Zipf value of the rarest words that wordfreq counts; unknown words are given it, not zero


def log_frequencies(words: Sequence[str], language: str = "en") -> np.ndarray:
    """Return natural logs of occurrences per million (n_words,), from `wordfreq`, punctuation stripped.

    A word that wordfreq does not know counts as often as the rarest it knows (one in a hundred million): the log of
    zero would make it an outlier that no regression survives.
    """
    known: dict[str, float] = {}
    for word in dict.fromkeys(words):
        bare = word.strip("'\"“”‘’`.,;:!?()[]…—–-").lower()
        zipf = zipf_frequency(bare, language, minimum=_RAREST) if bare else _RAREST
        known[word] = (zipf - 3) * math.log(10)  # a Zipf value is log10 of occurrences per thousand million
    return np.array([known[word] for word in words])
