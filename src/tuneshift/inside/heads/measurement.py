"""HeadPatterns: what a study says about attention heads, and the rows and texts that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import xarray as xr
from pydantic import Field

from tuneshift.inside.heads.patterns import WordPairs, head_patterns, neighbours
from tuneshift.inside.heads.verbs import CONTROL_VERBS, INSTRUCTION_VERBS
from tuneshift.inside.pairing import as_weights, layers_label, quarters
from tuneshift.inside.words import WordList, files_checksum, word_list
from tuneshift.measurement import Measurement, of_model
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary.inside import HEADS


class HeadPatterns(Measurement):
    """Which word pairs each attention head's query-key weights look for (methods, section 5; paper 2).

    `words` is a file of words (`inside.words.read_words`), by default the model's own whole words;
    `vectors` a file of static word vectors, by default the model's own input embeddings, centred. `unit` is a head's
    dimension, as published, or the plane that rotary embeddings turn. `kept_pairs` is how many pairs a head keeps for
    pictures. The other settings are the published ones.
    """

    code_version: ClassVar[int] = 1
    metrics: ClassVar = HEADS.metrics
    kind: Literal["heads"] = "heads"
    words: str | None = None
    vectors: str | None = None
    n_words: int = Field(default=10_000, ge=10)
    n_frequent: int = Field(default=3000, ge=10)
    deviations: float = 1.96
    top_words: int = Field(default=100, ge=1)
    at_least: int = Field(default=2, ge=1)
    unit: Literal["dimension", "plane"] = "dimension"
    verbs: tuple[str, ...] = INSTRUCTION_VERBS
    control_verbs: tuple[str, ...] = CONTROL_VERBS
    kept_pairs: int = Field(default=10, ge=0)

    def data_checksum(self) -> str:
        """Return a checksum of the word list and the vectors file."""
        return files_checksum(*(Path(path) if path else None for path in (self.words, self.vectors)))

    def run(self, model: LanguageModel | Weights, progress: Progress = silent) -> Result:
        """Measure one model: pairs a head knows, and the share of them that hold an instruction verb.

        Rows: `head_pairs` by layer (mean over heads), `verb_pair_share` by group of layers, and for the strongest pair
        of each head `pair_units` (in how many of its units the pair occurs; target "head 0: query > key"). Details: the
        strongest pairs of every head. Raises BadInput as `head_patterns` does.
        """
        weights = as_weights(model)
        listed = self.word_list(weights)
        said: list[str] = []
        found = self.patterns(weights, listed, self.plausible(weights, listed, said), progress)
        counts = found.pair_counts()
        rows: list[dict[str, Any]] = [
            self.row(layer=layer + 1, metric="head_pairs", value=mean, n=found.n_heads, unit="pairs")
            for layer, mean in enumerate(counts.mean(axis=1))
        ]
        for group in quarters(len(counts)):
            total = counts[group[0] - 1 : group[-1]].sum()
            for name, verbs in self.verb_sides():
                held = found.occurrences(listed.positions(verbs))[group[0] - 1 : group[-1]].sum()
                rows.append(
                    self.row(
                        layer=layers_label(group),
                        mapping=name,
                        metric="verb_pair_share",
                        value=held / total if total else float("nan"),
                        n=int(total),
                        unit="share",
                    )
                )
        rows += self._strongest(found)
        heads = {
            "layers": len(counts),
            "heads": found.n_heads,
            "score_name": "word pairs known",
            "score": {"model": counts.tolist()},
            "pairs": {"model": found.browsable(self.kept_pairs)},
        }
        arrays = {"head_pairs": by_head(counts)}
        warnings = (*self.notes(listed), *said)
        details = {"heads": heads, "words": len(listed)}
        return of_model(Result.from_rows(rows, arrays=arrays, warnings=warnings, details=details), model)

    def _strongest(self, found: WordPairs) -> list[dict[str, Any]]:
        table = found.table(n=1)
        return [
            self.row(layer=layer, metric="pair_units", value=float(units), unit=f"{self.unit}s")
            | {"target": f"head {head}: {query} > {key}"}
            for layer, head, query, key, units in zip(
                *(table[name] for name in ("layer", "head", "query_word", "key_word", "units")), strict=True
            )
        ]

    def word_list(self, weights: Weights) -> WordList:
        """Return the words that the heads are asked about."""
        return word_list(weights.tokenizer, self.words, self.n_words)

    def plausible(self, weights: Weights, words: WordList, said: list[str] | None = None) -> torch.Tensor:
        """Return which words are plausible neighbours (n_words, n_words); `said` as in `neighbours`."""
        embeddings = words.input_embeddings(weights)
        return neighbours(words, embeddings, self.vectors, self.n_frequent, self.deviations, said)

    def patterns(self, weights: Weights, words: WordList, plausible: torch.Tensor, progress: Progress) -> WordPairs:
        """Return the word pairs of every head of one model."""
        return head_patterns(
            weights,
            words=words,
            plausible=plausible,
            top_words=self.top_words,
            at_least=self.at_least,
            unit=self.unit,
            progress=progress,
        )

    def verb_sides(self) -> tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]:
        """Return the two groups of verbs by name."""
        return ("instruction verbs", self.verbs), ("control verbs", self.control_verbs)

    def notes(self, words: WordList) -> tuple[str, ...]:
        """Return how the word list was read, and a warning for verbs that it lacks and that the verb test leaves out.

        Verbs that a vocabulary has only in pieces are not added to its own words: rare pieces have embeddings unlike
        those of words, and verbs that share an ending share a piece, so that they would be compared with control verbs
        of another kind.
        """
        found = []
        for name, verbs in self.verb_sides():
            absent = [verb for verb in verbs if not words.positions([verb])]
            if absent:
                found.append(
                    f"{len(absent)} of {len(verbs)} {name} are not in the word list and are left out of the verb test: "
                    f"{', '.join(absent)}."
                )
        return (*found, *words.said)

    def row(self, **values: Any) -> dict[str, Any]:
        """Return a row of the long table: this measurement, over all heads."""
        return {"measurement": self.kind, "target": "mean", **values}


def by_head(values: np.ndarray) -> xr.DataArray:
    """Return values (n_layers, n_heads) as a named array; layers count from 1, heads from 0."""
    layers, heads = values.shape
    coords = {"layer": np.arange(1, layers + 1), "head": np.arange(heads)}
    return xr.DataArray(values.astype(float), dims=("layer", "head"), coords=coords)
