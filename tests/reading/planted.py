"""Reading times made by a known rule, so that what a measurement finds can be compared with what was planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tuneshift.human.reading_times.reading_times import ReadingTimes

_VOWELS, _CONSONANTS = "aeiou", "bcdfglmnprst"


@dataclass(frozen=True)
class Planted:
    """Reading times, the surprisal (n_words,) that drives them, and each reader's slope (ms per bit)."""

    times: ReadingTimes
    surprisal: np.ndarray
    slopes: np.ndarray


def plant(
    slope: float = 4.0,
    spillover: float = 2.0,
    bend: float = 0.0,
    n_documents: int = 12,
    n_words: int = 160,
    n_readers: int = 8,
    noise: float = 40.0,
    seed: int = 0,
) -> Planted:
    """Times = 300 + 5 length - 3 log frequency + slope s + spillover s(word before) + bend (s - 6)^2 + noise."""
    random = np.random.default_rng(seed)
    n = n_documents * n_words
    position = np.tile(np.arange(n_words), n_documents)
    document = np.repeat([f"story {i + 1}" for i in range(n_documents)], n_words)
    length = random.integers(1, 10, n)
    word = ["".join(random.choice(list(_VOWELS if i % 2 else _CONSONANTS)) for i in range(k)) for k in length]
    final = position % 10 == 9
    word = [w + "." if last else w for w, last in zip(word, final, strict=True)]
    surprisal = random.gamma(3.0, 2.0, n)
    before = np.where(position > 0, np.roll(surprisal, 1), surprisal.mean())
    log_frequency = random.normal(4, 2, n) - 0.3 * surprisal
    expected = 300 + 5 * np.array([len(w) for w in word]) - 3 * log_frequency
    expected = expected + spillover * before + bend * (surprisal - 6) ** 2
    slopes = slope + (random.normal(0, 1.5, n_readers) if slope else np.zeros(n_readers))
    observed = expected[:, None] + surprisal[:, None] * slopes + random.normal(0, 30, n_readers)
    observed = observed + random.normal(0, noise, observed.shape)
    words = pd.DataFrame(
        {
            "document": document,
            "position": position,
            "word": word,
            "sentence": position // 10,
            "sentence_initial": position % 10 == 0,
            "sentence_final": final,
            "time": observed.mean(1),
            "n": n_readers,
            "log_frequency": log_frequency,
        }
    )
    by_participant = pd.DataFrame(
        {
            "row": np.repeat(np.arange(n), n_readers),
            "participant": np.tile([f"reader {i + 1}" for i in range(n_readers)], n),
            "time": observed.ravel(),
        }
    )
    times = ReadingTimes("planted", words, release="made by a rule", by_participant=by_participant)
    return Planted(times, surprisal, slopes)
