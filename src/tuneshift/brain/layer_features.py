"""The features of one layer at a time: hidden states of all layers lie on disk where they would fill the memory."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import numpy as np

from tuneshift.brain.stimulus_features import CANONICAL, Response, documents, row_features
from tuneshift.human import Recording
from tuneshift.models import LanguageModel
from tuneshift.models.states import Pool, Stack
from tuneshift.progress import Progress, silent

_IN_MEMORY = 256 * 2**20  # bytes of hidden states that are kept in memory, or computed at once


@dataclass(frozen=True)
class LayerFeatures:
    """Features of a model for a recording: `states` (L + 1, n_parts, d) in the order of stimuli or of words heard.

    `units` (L + 1, k) selects units of each layer, e.g. those that functional localisation found.
    """

    states: np.ndarray
    recording: Recording
    response: Response = CANONICAL
    units: np.ndarray | None = None

    @property
    def n_layers(self) -> int:
        """L + 1, the embedding included."""
        return len(self.states)

    def layer(self, number: int) -> np.ndarray:
        """Return the features of one layer at the recording's rows (n_rows, d), neither filtered nor z-scored."""
        states = np.asarray(self.states[number])
        if self.units is not None:
            states = states[:, self.units[number]]
        if self.recording.words is None:
            return states
        return row_features(states.astype(np.float64), self.recording, self.response)


def model_states(
    model: LanguageModel,
    recording: Recording,
    pool: Pool = "last",
    stack: Stack = "encoder",
    progress: Progress = silent,
) -> np.ndarray:
    """Return hidden states (L + 1, n_parts, d) of every stimulus, or of every word that was heard.

    Beyond 256 MB they are written to a temporary file, which the system removes with the last reference to it.
    """
    texts, back = documents(recording)
    place = np.argsort(back)  # row of the recording for each part in document order
    out: np.ndarray | None = None
    done = 0
    for batch in _batches(texts, _IN_MEMORY // (4 * model.n_units * (model.n_layers + 1))):
        states = model.hidden_states(batch, pool=pool, stack=stack, progress=progress)
        if out is None:
            out = _room(states.shape[1], len(place), states.shape[2])
        out[:, place[done : done + len(states)]] = states.transpose(1, 0, 2)
        done += len(states)
    assert out is not None
    return out


def _room(n_layers: int, n_parts: int, n_units: int) -> np.ndarray:
    shape = (n_layers, n_parts, n_units)
    if 4 * n_layers * n_parts * n_units <= _IN_MEMORY:
        return np.empty(shape, dtype=np.float32)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)


def _batches(texts: list[list[str]], most_parts: int) -> list[list[list[str]]]:
    """Group documents so that a group has at most `most_parts` parts, or is a single document."""
    batches: list[list[list[str]]] = []
    count = 0
    for document in texts:
        if not batches or count + len(document) > most_parts:
            batches.append([])
            count = 0
        batches[-1].append(document)
        count += len(document)
    return batches
