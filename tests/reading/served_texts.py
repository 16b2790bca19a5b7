"""Short texts as reading times, for tests that ask a server about them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tuneshift.human import ReadingTimes

TEXTS = {
    "mill": "Once there was a “mill” by the naïve café… it cost 5 € and 日本 knew it”",
    "wheel": "It had no wheel. It stood still; the miller's daughter said: “wait!”",
}


def as_times(texts: Mapping[str, str], name: str = "two texts") -> ReadingTimes:
    """Return texts as words that were all read in 300 ms."""
    rows = [
        {"document": document, "position": i, "word": word, "sentence": 0, "time": 300.0, "n": 5}
        for document, text in texts.items()
        for i, word in enumerate(text.split(" "))
    ]
    table = pd.DataFrame(rows).assign(sentence_initial=False, sentence_final=False)
    return ReadingTimes(name, table, release="test")


def many_texts(n_documents: int, n_words: int) -> ReadingTimes:
    """Return documents of words drawn from TEXTS."""
    known = " ".join(TEXTS.values()).split(" ")
    drawn = np.random.default_rng(7).choice(known, size=(n_documents, n_words))
    return as_times({f"text {i}": " ".join(words) for i, words in enumerate(drawn)}, "many texts")
