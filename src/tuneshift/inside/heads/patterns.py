"""Head patterns of a whole model, read one layer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tuneshift.inside.heads.knowledge import HeadKnowledge, LayerKnowledge, Unit, layer_knowledge
from tuneshift.inside.heads.neighbours import plausible_neighbours
from tuneshift.inside.pairing import as_weights
from tuneshift.inside.word_vectors import read_vectors
from tuneshift.inside.words import WordList, word_list
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent


@dataclass(frozen=True)
class WordPairs:
    """The word pairs that each attention head of a model looks for.

    `layers[l].heads[h]` is the knowledge of query head h of layer l + 1; `queries_per_key` query heads read the same
    key head, and are no independent samples.
    """

    words: tuple[str, ...]
    layers: tuple[LayerKnowledge, ...]
    queries_per_key: int

    @property
    def n_heads(self) -> int:
        """How many query heads a layer has."""
        return len(self.layers[0].heads)

    def head(self, layer: int, head: int) -> HeadKnowledge:
        """Return the knowledge of a head; layers count from 1, heads from 0."""
        return self.layers[layer - 1].heads[head]

    def top(self, layer: int, head: int, n: int = 30) -> list[list[str]]:
        """Return the `n` strongest pairs [query word, key word] of a head: those in most units, then the strongest."""
        return [[self.words[a], self.words[b]] for a, b in self.head(layer, head).pairs[:n]]

    def browsable(self, n: int = 30) -> list[list[list[list[str]]]]:
        """Return the strongest pairs of every head, [layer][head][pair][query word, key word], JSON-ready."""
        return [[self.top(layer + 1, h, n) for h in range(self.n_heads)] for layer in range(len(self.layers))]

    def table(self, n: int | None = None) -> pd.DataFrame:
        """Return every pair (or the `n` strongest of each head) as a row.

        Columns: layer (from 1), head (from 0), query_word, key_word, units (in how many a pair occurs), strength (sum
        of products of its activations) and energy (share of the head's energy in those units).
        """
        parts = []
        words = np.array(self.words, dtype=object)
        for layer, knowledge in enumerate(self.layers, start=1):
            for number, head in enumerate(knowledge.heads):
                pairs = head.pairs[:n]
                parts.append(
                    pd.DataFrame(
                        {
                            "layer": layer,
                            "head": number,
                            "query_word": words[pairs[:, 0]],
                            "key_word": words[pairs[:, 1]],
                            "units": head.units[:n],
                            "strength": head.strength[:n],
                            "energy": head.energy[:n],
                        }
                    )
                )
        return pd.concat(parts, ignore_index=True)

    def pair_counts(self) -> np.ndarray:
        """Return how many pairs each head knows (n_layers, n_heads)."""
        return np.array([[len(head.pairs) for head in layer.heads] for layer in self.layers])

    def occurrences(self, places: Sequence[int]) -> np.ndarray:
        """Return in how many pairs of each head's knowledge each word stands (n_layers, n_heads, n_places)."""
        counts = np.empty((len(self.layers), self.n_heads, len(places)))
        for i, layer in enumerate(self.layers):
            for j, head in enumerate(layer.heads):
                counts[i, j] = np.bincount(head.pairs.ravel(), minlength=len(self.words))[list(places)]
        return counts


def head_patterns(
    model: LanguageModel | Weights,
    *,
    words: Sequence[str] | Path | str | WordList | None = None,
    vectors: Path | str | None = None,
    plausible: torch.Tensor | None = None,
    n_words: int = 10_000,
    n_frequent: int = 3000,
    deviations: float = 1.96,
    top_words: int = 100,
    at_least: int = 2,
    unit: Unit = "dimension",
    progress: Progress = silent,
) -> WordPairs:
    """Return the word pairs that each attention head looks for, from weights alone (paper 2, attention heads).

    - `words`: the model's own whole words, or a list or file, most frequent first, of which `n_words` are used.
    - `vectors`: a file of word vectors (GloVe text) that say which words are neighbours; default the model's own input
      embeddings, centred. `plausible` gives the answer itself (n_words, n_words).
    - `unit`: single dimensions of a head, as published, or the planes that rotary embeddings turn.

    The other settings are the published ones; see `layer_knowledge` and `plausible_neighbours`. One layer's weights are
    in memory at a time when `model` is a `Weights` of files. Raises BadInput for an unknown architecture and for words
    or vectors that cannot be used.
    """
    weights = as_weights(model)
    listed = words if isinstance(words, WordList) else word_list(weights.tokenizer, words, n_words)
    embeddings = listed.input_embeddings(weights)
    if plausible is None:
        plausible = neighbours(listed, embeddings, vectors, n_frequent, deviations)
    anatomy = weights.anatomy
    layers = []
    for layer in range(anatomy.n_layers):
        query, key = anatomy.folded_query_key(weights.read, layer)
        layers.append(
            layer_knowledge(
                query,
                key,
                embeddings,
                plausible,
                replace(anatomy, rotary_dims=anatomy.rotated(layer)),
                top_words=top_words,
                at_least=at_least,
                unit=unit,
            )
        )
        progress(f"attention heads of {weights.name}", layer + 1, anatomy.n_layers)
    return WordPairs(listed.words, tuple(layers), anatomy.queries_per_key)


def neighbours(
    words: WordList,
    embeddings: torch.Tensor,
    vectors: Path | str | None,
    n_frequent: int,
    deviations: float,
    said: list[str] | None = None,
) -> torch.Tensor:
    """Return which words are plausible neighbours, by a file of vectors or by their embeddings (n_words, d).

    What is to be said of the file is added to `said`.
    """
    static = embeddings
    if vectors is not None:
        static = torch.from_numpy(read_vectors(Path(vectors), words.words, said)).to(embeddings.device)
    return plausible_neighbours(static, n_frequent, deviations)
