"""The word pairs that the query and key weights of one layer look for (methods, section 5; paper 2, attention)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from tuneshift.models.anatomy import Anatomy
from tuneshift.numerics.threads import one_thread

_SMALL = 512

Unit = Literal["dimension", "plane"]


@dataclass(frozen=True)
class HeadKnowledge:
    """What one query head knows: the word pairs that occur in more than one of its units (dimensions or planes).

    `pairs` (n_pairs, 2) are places of query word and key word in the word list; `units` (n_pairs,) counts the units a
    pair occurs in, `strength` (n_pairs,) sums the products of its two activations over them, `energy` (n_pairs,) is the
    share of the head's energy in them. Pairs of most units first, among them the strongest.
    """

    pairs: np.ndarray
    units: np.ndarray
    strength: np.ndarray
    energy: np.ndarray


@dataclass(frozen=True)
class LayerKnowledge:
    """The heads of one layer, and the energy of each of their units (n_heads, n_units of a head)."""

    heads: tuple[HeadKnowledge, ...]
    energy: np.ndarray


@dataclass(frozen=True)
class _Side:
    """Queries or keys: the words of largest activation in each unit, and the activations themselves.

    `words` (n_heads, n_units, top), `activations` (n_heads, n_units, components, top): one component for a dimension,
    two for a rotation plane; `energy` (n_heads, n_units), the sum of squares over all words.
    """

    words: torch.Tensor
    activations: torch.Tensor
    energy: torch.Tensor


def layer_knowledge(
    query: torch.Tensor,
    key: torch.Tensor,
    embeddings: torch.Tensor,
    plausible: torch.Tensor,
    anatomy: Anatomy,
    *,
    top_words: int = 100,
    at_least: int = 2,
    unit: Unit = "dimension",
) -> LayerKnowledge:
    """Return what each head of a layer looks for.

    `query` (n_heads, d, d_head) and `key` (n_kv_heads, d, d_head) have the norm folded in; `embeddings` (n_words, d);
    `plausible` (n_words, n_words). In each unit, the `top_words` of largest |activation| on either side form pairs,
    kept where both activations have the same sign and the words are plausible neighbours. In a rotation plane an
    activation is a vector of two numbers: its length ranks the words, and a positive dot product (of query and key at
    the same position) takes the place of the same sign. A pair belongs to the head's knowledge when it occurs in
    `at_least` units. The energy of a unit is the sum of squares, over all pairs of words, of what it adds to the score.
    """
    rotated = anatomy.rotary_dims if unit == "plane" else 0
    with one_thread(embeddings.shape[1] <= _SMALL):
        queries, keys = (
            _side(weights, embeddings, top_words, rotated, anatomy.rotary_neighbours) for weights in (query, key)
        )
        heads, energies = [], []
        for head in range(anatomy.n_heads):
            shared = head // anatomy.queries_per_key
            energy = queries.energy[head] * keys.energy[shared]
            energies.append(energy)
            share = energy / energy.sum().clamp_min(1e-30)
            heads.append(_head(queries, keys, head, shared, plausible, share, at_least))
    return LayerKnowledge(tuple(heads), torch.stack(energies).cpu().numpy())


def _side(weights: torch.Tensor, embeddings: torch.Tensor, top_words: int, rotated: int, neighbours: bool) -> _Side:
    n_heads, d, d_head = weights.shape
    activations = weights.transpose(1, 2).reshape(n_heads * d_head, d) @ embeddings.T
    activations = activations.reshape(n_heads, d_head, 1, -1)
    if rotated:
        turning = activations[:, :rotated]
        first, second = (turning[:, ::2], turning[:, 1::2]) if neighbours else turning.chunk(2, dim=1)
        planes = torch.cat([first, second], dim=2)
        single = activations[:, rotated:]
        activations = torch.cat([planes, torch.cat([single, torch.zeros_like(single)], dim=2)], dim=1)
    squares = activations.square().sum(dim=2)
    words = squares.topk(min(top_words, squares.shape[-1]), dim=-1).indices
    chosen = words[:, :, None, :].expand(-1, -1, activations.shape[2], -1)
    return _Side(words, activations.gather(-1, chosen), squares.sum(dim=-1))


def _head(
    queries: _Side,
    keys: _Side,
    head: int,
    shared: int,
    plausible: torch.Tensor,
    share: torch.Tensor,
    at_least: int,
) -> HeadKnowledge:
    n_words = len(plausible)
    codes = queries.words[head][:, :, None] * n_words + keys.words[shared][:, None, :]
    products = torch.einsum("ucq,uck->uqk", queries.activations[head], keys.activations[shared])
    kept = plausible.view(-1)[codes] & (products > 0)
    unit = torch.nonzero(kept)[:, 0]
    found, inverse, counts = torch.unique(codes[kept], return_inverse=True, return_counts=True)
    strength, energy = (
        torch.zeros(len(found), dtype=values.dtype, device=values.device).index_add_(0, inverse, values)
        for values in (products[kept], share[unit])
    )
    often = counts >= at_least
    places, units, strong, weight = (x[often].cpu().numpy() for x in (found, counts, strength, energy))
    order = np.lexsort((places, -strong, -units))
    pairs = np.stack([places // n_words, places % n_words], axis=1)
    return HeadKnowledge(pairs[order].astype(np.int32), units[order].astype(np.int32), strong[order], weight[order])
