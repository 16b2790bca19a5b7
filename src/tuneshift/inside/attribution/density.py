"""Levels, importance density and instruction score of an attribution matrix (paper 2, section 4)."""

from __future__ import annotations

import numpy as np

from tuneshift.errors import BadInput

N_LEVELS = 10
THRESHOLD = 7
P = 4


def attribution_levels(raw: np.ndarray, n_levels: int = N_LEVELS) -> np.ndarray:
    """Return levels 0..n_levels (P, R) of raw attributions (P, R): ceil(n x / (column maximum + 1e-7)).

    Negative attributions become 0: they speak against the response token. Equation 2 of paper 2.
    """
    positive = np.maximum(np.asarray(raw, dtype=np.float64), 0)
    if not positive.size:
        return np.zeros(positive.shape, dtype=int)
    scaled = n_levels * positive / (positive.max(axis=0, keepdims=True) + 1e-7)
    return np.ceil(scaled).astype(int)


def importance_density(levels: np.ndarray, threshold: int = THRESHOLD, p: float = P) -> np.ndarray:
    """Return the density (P,) of levels (P, R): the l1 norm of each row over its lp norm, levels <= threshold set to 0.

    A prompt token that many response tokens lean on has a high density; k equal levels give k^(1 - 1/p), so densities
    grow with the response's length (methods, section 4). 0 where a row has no level above the threshold. Raises
    BadInput where levels are no matrix or p is not above 1.
    """
    levels = np.asarray(levels)
    if levels.ndim != 2:
        raise BadInput(f"levels have shape {levels.shape}; a matrix of prompt tokens x response tokens is needed.")
    if not p > 1:
        raise BadInput(f"p = {p}: the density compares the l1 norm with an lp norm of p above 1.")
    sparse = np.where(levels > threshold, levels, 0).astype(np.float64)
    total = sparse.sum(axis=1)
    norm = (sparse**p).sum(axis=1) ** (1 / p)
    return np.divide(total, norm, out=np.zeros_like(total), where=norm > 0)


def scaled_density(density: np.ndarray) -> np.ndarray:
    """Return densities (P,) divided by the prompt's maximum, as the published numbers are; zeros where all are 0."""
    density = np.asarray(density, dtype=np.float64)
    top = density.max(initial=0.0)
    return density / top if top > 0 else np.zeros_like(density)


def instruction_score(density: np.ndarray, is_instruction: np.ndarray) -> float:
    """Return the sum of densities (P,) over the instruction tokens, over log2(2 + their number); 0 without any."""
    mask = np.asarray(is_instruction, dtype=bool)
    return float(np.asarray(density)[mask].sum() / np.log2(2 + mask.sum()))
