"""What a model has to say about each row of a recording: states at sentences, or at scans of a story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.numerics.haemodynamics import DELAYS, convolved, delayed


def documents(recording: Recording) -> tuple[list[list[str]], np.ndarray]:
    """Return the texts, one document a passage, and the order (n_parts,) that brings parts back to the rows' order.

    Raises BadInput for a recording without texts.
    """
    if recording.words is not None:
        texts, passages = list(recording.words.words), list(recording.words.passage)
    else:
        if "text" not in recording.data.coords:
            raise BadInput(f"{recording.name} has neither a `text` for each stimulus nor a track of words with times.")
        texts = [str(text) for text in recording.data["text"].values]
        passages = [str(p) for p in recording.data["passage"].values] if "passage" in recording.data.coords else texts
    rows_of: dict[str, list[int]] = {}
    for row, passage in enumerate(passages):
        rows_of.setdefault(passage, []).append(row)
    order = np.concatenate([np.asarray(rows) for rows in rows_of.values()])
    return [[texts[row] for row in rows] for rows in rows_of.values()], np.argsort(order)


@dataclass(frozen=True)
class Response:
    """The haemodynamic response that brings words to scans: of a known shape ("canonical"), or fitted ("fir").

    `delays` are the first and the last delay of a fitted one, in seconds, in steps of the repetition time.
    """

    shape: Literal["canonical", "fir"] = "canonical"
    delays: tuple[float, float] = DELAYS


CANONICAL = Response()


def row_features(features: np.ndarray, recording: Recording, response: Response = CANONICAL) -> np.ndarray:
    """Bring features of parts (n_parts, d) to the rows of the recording (n_rows, d, or d for each delay).

    For a time series, word features are centred over the words (else their mean, times word rate, would make every
    model, trained or not, a word-rate model), placed at word offset, summed, and convolved with the canonical
    haemodynamic response or given as delayed copies; see methods, section 1.
    """
    if recording.words is None:
        return features
    centred = features - features.mean(axis=0)
    return at_scans(centred, recording, response)


def at_scans(features: np.ndarray, recording: Recording, response: Response = CANONICAL) -> np.ndarray:
    """Bring word features (n_words, d) to scans, as they are."""
    assert recording.words is not None
    times = recording.data["time"].values
    if response.shape == "canonical":
        return convolved(features, recording.words.offset, times)
    repetition_time = recording.repetition_time or float(np.median(np.diff(times)))
    return delayed(features, recording.words.offset, times, repetition_time, response.delays)
