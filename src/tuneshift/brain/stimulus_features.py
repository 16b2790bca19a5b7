"""What a model has to say about each row of a recording: states at sentences, or at scans of a story."""

from __future__ import annotations

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.numerics.haemodynamics import convolved, delayed, high_pass


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


def row_features(features: np.ndarray, recording: Recording, response: str = "canonical") -> np.ndarray:
    """Bring features of parts (n_parts, d) to the rows of the recording (n_rows, d or 4 d).

    For a time series, word features are centred over the words (else their mean, times word rate, would make every
    model, trained or not, a word-rate model), placed at word offset, summed, and convolved with the canonical
    haemodynamic response or given as four delayed copies ("fir"); see methods, section 1.
    """
    if recording.words is None:
        return features
    centred = features - features.mean(axis=0)
    return at_scans(centred, recording, response)


def at_scans(features: np.ndarray, recording: Recording, response: str = "canonical") -> np.ndarray:
    """Bring word features (n_words, d) to scans, as they are."""
    assert recording.words is not None
    times = recording.data["time"].values
    if response == "canonical":
        return convolved(features, recording.words.offset, times)
    if response != "fir":
        raise BadInput(f"haemodynamic response {response!r} is unknown; use canonical or fir.")
    repetition_time = recording.repetition_time or float(np.median(np.diff(times)))
    return delayed(features, recording.words.offset, times, repetition_time)


def cleaned(signals: np.ndarray, recording: Recording) -> np.ndarray:
    """High-pass each run (passage) of signals (n_rows, k) as the recording asks; anything else is left as it is.

    A recording without passages is one run.
    """
    if recording.high_pass is None:
        return signals
    out = np.array(signals, dtype=np.float64)
    runs = recording.data["passage"].values if "passage" in recording.data.coords else np.zeros(len(out))
    for run in dict.fromkeys(runs):
        out[runs == run] = high_pass(out[runs == run], recording.repetition_time or 1.0, recording.high_pass)
    return out
