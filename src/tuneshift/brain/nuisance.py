"""What the text's surface predicts without any model: lengths, frequencies, positions, and mere neighbourhood."""

from __future__ import annotations

import re

import numpy as np
from wordfreq import zipf_frequency

from tuneshift.brain.stimulus_features import CANONICAL, Response, at_scans, documents
from tuneshift.human import Recording, WordTrack

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*$")
_CLAUSE_END = re.compile(r"[,;:–—-]+[\"'”’)\]]*$")


def nuisance_features(recording: Recording, response: Response = CANONICAL) -> np.ndarray:
    """Return features of the text's surface (n_rows, k), which no model is needed for (methods, section 1).

    Sentences: length in words and characters, mean word length, mean log frequency, position within the passage.
    Time series: word rate; length, duration and log frequency of words; whether a word ends a sentence or a clause,
    by its punctuation, and how far into the sentence it is; all placed and convolved like a model's features.
    """
    if recording.words is not None:
        return at_scans(_word_features(recording.words), recording, response)
    texts, back = documents(recording)
    rows = []
    for passage in texts:
        for place, text in enumerate(passage):
            words = text.split()
            position = place / max(len(passage) - 1, 1)
            frequency = float(np.mean([_zipf(word) for word in words]))
            rows.append([len(words), len(text), np.mean([len(w) for w in words]), frequency, position])
    return np.array(rows, dtype=float)[back]


def _word_features(track: WordTrack) -> np.ndarray:
    """Features (n_words, 7): the first is one for each word, the others are centred over words."""
    rows = []
    into_sentence = 0
    for word, onset, offset in zip(track.words, track.onset, track.offset, strict=True):
        ends = bool(_SENTENCE_END.search(word))
        rows.append(
            [len(word), offset - onset, _zipf(word), ends, bool(_CLAUSE_END.search(word)), np.log1p(into_sentence)]
        )
        into_sentence = 0 if ends else into_sentence + 1
    columns = np.array(rows, dtype=float)
    return np.column_stack([np.ones(len(columns)), columns - columns.mean(axis=0)])


def oasm(recording: Recording, width: float = 2.0) -> np.ndarray:
    """Return orthogonal autocorrelated sequences (n_rows, n_rows): a smoothed one-hot position within each passage.

    They know nothing but which stimuli are neighbours; a split that lets them score high leaks (Hadidi et al. 2025).
    `width` is the standard deviation of the Gaussian in stimuli.
    """
    n_rows = recording.data.shape[0]
    passages = recording.data["passage"].values if "passage" in recording.data.coords else np.zeros(n_rows)
    place = np.arange(n_rows)
    smoothed = np.exp(-0.5 * ((place[:, None] - place[None, :]) / width) ** 2)
    return np.where(passages[:, None] == passages[None, :], smoothed, 0.0)


def _zipf(word: str) -> float:
    return float(zipf_frequency(re.sub(r"^\W+|\W+$", "", word), "en"))
