"""How far tuning moved the hidden states of the same stimuli, layer by layer (methods, section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.stories import stories
from tuneshift.inside.pairing import as_weights, require_same_build
from tuneshift.inside.states.lens import lens_of_difference
from tuneshift.inside.states.similarity import cka_with_interval
from tuneshift.inside.words import word_list
from tuneshift.measurement import of_model
from tuneshift.models import LanguageModel
from tuneshift.numerics.resampling import bootstrap_mean
from tuneshift.progress import Progress, silent
from tuneshift.result import Result

_FEWEST = 10


def state_shift(
    base: LanguageModel,
    tuned: LanguageModel,
    documents: Sequence[Sequence[str]] | None = None,
    *,
    progress: Progress = silent,
) -> Result:
    """Compare the hidden states of base and tuned at the last token of each part of documents.

    `documents` are texts as lists of parts (sentences) in reading order, by default the project's own short stories;
    neither model sees a chat template. Rows by layer, 0 (embeddings) to L: `state_cka` (linear CKA), `state_cosine`
    (mean cosine of a stimulus's two states), `state_change` (mean length of the difference over that of the base's
    state); intervals are bootstraps over documents. Details: `lens`, the words that the difference speaks for.
    Raises BadInput where the two models are no pair or there are fewer than 10 parts.
    """
    require_same_build(as_weights(base), as_weights(tuned))
    texts = [list(story.sentences) for story in stories()] if documents is None else [list(d) for d in documents]
    numbers = np.repeat(np.arange(len(texts)), [len(parts) for parts in texts])
    if len(numbers) < _FEWEST:
        raise BadInput(f"the documents have {len(numbers)} parts, at least {_FEWEST} are needed to compare states.")
    before, after = (model.hidden_states(texts, progress=progress) for model in (base, tuned))
    rows = [row for layer in range(before.shape[1]) for row in _rows(layer, before[:, layer], after[:, layer], numbers)]
    details: dict[str, Any] = {"state_stimuli": len(numbers), "state_documents": len(texts)}
    if not base.is_encoder_decoder:  # an encoder's states are read by the decoder, never by the output embeddings
        weights = as_weights(base)
        details["lens"] = lens_of_difference(before, after, weights, word_list(weights.tokenizer))
    return of_model(Result.from_rows(rows, details=details), tuned, base)


def _rows(layer: int, before: np.ndarray, after: np.ndarray, documents: np.ndarray) -> list[dict[str, Any]]:
    first, second = before.astype(np.float64), after.astype(np.float64)
    lengths = [np.maximum(np.linalg.norm(states, axis=1), 1e-30) for states in (first, second)]
    cosine = np.sum(first * second, axis=1) / (lengths[0] * lengths[1])
    change = np.linalg.norm(second - first, axis=1) / lengths[0]
    cka, *interval = cka_with_interval(before, after, documents)
    rows = [_row(layer, "state_cka", cka, (interval[0], interval[1]), len(documents), "CKA")]
    for metric, values, unit in (("state_cosine", cosine, "cosine"), ("state_change", change, "share")):
        means = np.bincount(documents, values) / np.bincount(documents)
        rows.append(_row(layer, metric, float(values.mean()), bootstrap_mean(means), len(documents), unit))
    return rows


def _row(layer: int, metric: str, value: float, interval: tuple[float, float], n: int, unit: str) -> dict[str, Any]:
    return {
        "measurement": "internals",
        "layer": layer,
        "target": "mean",
        "metric": metric,
        "value": value,
        "ci_low": interval[0],
        "ci_high": interval[1],
        "n": n,
        "unit": unit,
    }
