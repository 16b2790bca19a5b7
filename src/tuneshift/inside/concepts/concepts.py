"""Feed-forward concepts of a whole model, read one layer at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from tuneshift.inside.concepts.components import Components, ComponentWords, component_words, principal_components
from tuneshift.inside.pairing import as_weights
from tuneshift.inside.words import WordList, word_list
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent


@dataclass(frozen=True)
class LayerConcepts:
    """The concepts of one layer: principal components and the words that describe each."""

    components: Components
    words: ComponentWords


@dataclass(frozen=True)
class Concepts:
    """The concepts of every layer: `layers[l]` is layer l + 1, `words` the word list that places point into."""

    words: tuple[str, ...]
    layers: tuple[LayerConcepts, ...]

    def describe(self, layer: int, component: int, n: int = 30) -> tuple[list[str], list[str]]:
        """Return the `n` words of largest |projection| on each side, most words first; layers count from 1."""
        return sides(self.words, self.layers[layer - 1].words, component, n)

    def table(self, n_components: int | None = None) -> pd.DataFrame:
        """Return every word of every component (or of the first `n_components` of each layer) as a row.

        Columns: layer (from 1), component (from 0), share (of the layer's variance), rank (from 0), word, projection
        (cosine of the component with the word's output embedding).
        """
        parts = []
        words = np.array(self.words, dtype=object)
        for layer, concepts in enumerate(self.layers, start=1):
            places = concepts.words.places[:n_components]
            components, ranks = (index.ravel() for index in np.indices(places.shape))
            parts.append(
                pd.DataFrame(
                    {
                        "layer": layer,
                        "component": components,
                        "share": concepts.components.share[components],
                        "rank": ranks,
                        "word": words[places.ravel()],
                        "projection": concepts.words.projections[:n_components].ravel(),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def browsable(self, n_components: int = 20, n_words: int = 30, side: str = "model") -> list[dict[str, Any]]:
        """Return the first components of every layer with their words, JSON-ready."""
        found = []
        for layer, concepts in enumerate(self.layers, start=1):
            found += browsable_layer(self.words, concepts, layer, n_components, n_words, side)
        return found


def sides(words: Sequence[str], found: ComponentWords, component: int, n: int = 30) -> tuple[list[str], list[str]]:
    """Return a component's words on either side of zero, the side with more of them first.

    A component has no sign of its own; the words on one side are those it writes for when those on the other are
    written against.
    """
    positive: list[str] = []
    negative: list[str] = []
    for place, projection in zip(found.places[component], found.projections[component], strict=True):
        (positive if projection > 0 else negative).append(words[place])
    first, second = sorted((positive, negative), key=len, reverse=True)
    return first[:n], second[:n]


def browsable_layer(
    words: Sequence[str], concepts: LayerConcepts, layer: int, n_components: int, n_words: int, side: str
) -> list[dict[str, Any]]:
    """Return the first components of one layer with their words and share of variance, JSON-ready."""
    found = []
    for component in range(min(n_components, len(concepts.components.share))):
        top, bottom = sides(words, concepts.words, component, n_words)
        share = round(float(concepts.components.share[component]), 5)
        found.append(
            {
                "side": side,
                "layer": layer,
                "component": component,
                "share": share,
                "words_top": top,
                "words_bottom": bottom,
                "name": "",
                "category": "",
            }
        )
    return found


def feedforward_concepts(
    model: LanguageModel | Weights,
    *,
    words: Sequence[str] | Path | str | WordList | None = None,
    n_words: int = 10_000,
    n_components: int = 300,
    top_words: int = 50,
    progress: Progress = silent,
) -> Concepts:
    """Return what the principal components of each feed-forward layer write, from weights alone (paper 2).

    `words` as in `head_patterns`. One layer's weights are in memory at a time when `model` is a `Weights` of files, and
    the components found. Raises BadInput for an unknown architecture and for words that cannot be used.
    """
    weights = as_weights(model)
    listed = words if isinstance(words, WordList) else word_list(weights.tokenizer, words, n_words)
    found = []
    for layer, concepts in enumerate(concepts_by_layer(weights, listed, n_components, top_words), start=1):
        found.append(concepts)
        progress(f"feed-forward concepts of {weights.name}", layer, weights.anatomy.n_layers)
    return Concepts(listed.words, tuple(found))


def concepts_by_layer(weights: Weights, words: WordList, n_components: int, top_words: int) -> Iterator[LayerConcepts]:
    """Yield the concepts of one layer after the other; nothing of a layer is kept here."""
    anatomy = weights.anatomy
    outputs = torch.nn.functional.normalize(words.output_embeddings(weights), dim=1)
    for layer in range(anatomy.n_layers):
        components = principal_components(anatomy.down_projection(weights.read, layer), n_components)
        yield LayerConcepts(components, component_words(components.directions, outputs, top_words))
