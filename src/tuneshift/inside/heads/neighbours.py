"""Which two words are plausible neighbours: vectors closer than chance for both of them (methods, section 5)."""

from __future__ import annotations

import torch

_BLOCK = 2048


def plausible_neighbours(vectors: torch.Tensor, n_frequent: int = 3000, deviations: float = 1.96) -> torch.Tensor:
    """Return which words may form a pair (n_words, n_words), from static vectors (n_words, d), most frequent first.

    A word's threshold is the mean plus `deviations` standard deviations of its cosine with the `n_frequent` most
    frequent other words; a pair is plausible where its cosine exceeds both thresholds. Vectors are centred on the mean
    word first (embeddings share a large common part, which would make every two words alike). A word whose vector is
    NaN has no neighbours. Memory: one byte a pair.
    """
    known = torch.isfinite(vectors).all(dim=1)
    centred = torch.where(known[:, None], vectors - vectors[known].mean(dim=0), 0)
    units = torch.nn.functional.normalize(centred, dim=1)
    thresholds = torch.where(known, _thresholds(units, known, n_frequent, deviations), torch.inf)
    plausible = torch.empty((len(units), len(units)), dtype=torch.bool, device=units.device)
    for start in range(0, len(units), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosines = units[rows] @ units.T
        plausible[rows] = (cosines > thresholds[rows, None]) & (cosines > thresholds[None, :])
    return plausible


def _thresholds(units: torch.Tensor, known: torch.Tensor, n_frequent: int, deviations: float) -> torch.Tensor:
    frequent = torch.nonzero(known)[:n_frequent, 0]
    cosines = units @ units[frequent].T
    cosines[frequent, torch.arange(len(frequent), device=units.device)] = torch.nan  # a word is no neighbour of itself
    mean = cosines.nanmean(dim=1)
    spread = (cosines - mean[:, None]).square().nanmean(dim=1).sqrt()
    return mean + deviations * spread
