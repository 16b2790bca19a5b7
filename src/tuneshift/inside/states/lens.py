"""Logit lens of a difference: which words the tuned model's states speak for more than the base's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tuneshift.inside.words import WordList
from tuneshift.models.weights import Weights


def lens_of_difference(
    base: np.ndarray, tuned: np.ndarray, weights: Weights, words: WordList, n: int = 12
) -> list[dict[str, Any]]:
    """Return, for each layer, the `n` words whose logit rises and falls most from base to tuned, JSON-ready.

    `base` and `tuned` (n_stimuli, L + 1, d) are hidden states of the same stimuli, the last layer after the final norm.
    The states of both are normed and read out by the base's final norm and output embeddings (`weights`), so that only
    the states make a difference; the numbers are mean changes of logit over stimuli.
    """
    outputs = words.output_embeddings(weights).cpu()
    gain = weights.anatomy.final_gain(weights.read)
    scale = np.ones(base.shape[2], dtype=np.float32) if gain is None else gain.cpu().numpy()
    last = base.shape[1] - 1
    found = []
    for layer in range(last + 1):
        before, after = base[:, layer], tuned[:, layer]
        if layer < last:
            before, after = (_normed(states, weights.anatomy.norm_centres) * scale for states in (before, after))
        logits = outputs @ torch.from_numpy((after - before).mean(axis=0))
        raised, lowered = (logits.topk(min(n, len(logits)), largest=largest) for largest in (True, False))
        found.append(
            {
                "layer": layer,
                "raised": _told(raised.values, raised.indices, words, 1),
                "lowered": _told(lowered.values, lowered.indices, words, -1),
            }
        )
    return found


def _told(values: torch.Tensor, places: torch.Tensor, words: WordList, sign: int) -> list[list[Any]]:
    """Return [word, change of logit] of the words that moved in the direction of `sign`."""
    pairs = zip(values.tolist(), places.tolist(), strict=True)
    return [[words.words[place], round(value, 4)] for value, place in pairs if sign * value > 0]


def _normed(states: np.ndarray, centres: bool) -> np.ndarray:
    if centres:
        states = states - states.mean(axis=1, keepdims=True)
    length = np.sqrt(np.mean(states.astype(np.float64) ** 2, axis=1, keepdims=True))
    normed: np.ndarray = (states / np.maximum(length, 1e-12)).astype(np.float32)
    return normed
