"""FeedforwardConcepts: what a study says about feed-forward layers, and the rows and texts that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from tuneshift.inside.concepts.concepts import browsable_layer, concepts_by_layer
from tuneshift.inside.pairing import as_weights
from tuneshift.inside.words import WordList, files_checksum, word_list
from tuneshift.measurement import Measurement
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent
from tuneshift.result import Result


class FeedforwardConcepts(Measurement):
    """What the principal components of each feed-forward layer write (methods, section 6; paper 2).

    `words` is a file of words, by default the model's own whole words. `rotation_components` is k, the size of the
    subspaces whose rotation is measured: by default `n_components`, but at most a quarter of the residual stream (a
    subspace of half the space or more shares directions with any other). `kept_components` is how many components of a
    layer are kept for pictures.
    """

    code_version: ClassVar[int] = 1
    kind: Literal["concepts"] = "concepts"
    words: str | None = None
    n_words: int = Field(default=10_000, ge=10)
    n_components: int = Field(default=300, ge=1)
    top_words: int = Field(default=50, ge=1)
    rotation_components: int | None = Field(default=None, ge=1)
    kept_components: int = Field(default=20, ge=0)

    def data_checksum(self) -> str:
        """Return a checksum of the word list."""
        return files_checksum(Path(self.words) if self.words else None)

    def run(self, model: LanguageModel | Weights, progress: Progress = silent) -> Result:
        """Measure one model: how much of a layer's variance its first components hold, and their words.

        Rows: `variance_share` by layer, of the first k components (see `rotation_components`). Details: words of the
        first components. Raises BadInput as `feedforward_concepts` does.
        """
        weights = as_weights(model)
        listed = self.word_list(weights)
        k = self.subspace(weights.anatomy.n_units)
        rows: list[dict[str, Any]] = []
        browsable: list[dict[str, Any]] = []
        layers = concepts_by_layer(weights, listed, self.n_components, self.top_words)
        for layer, concepts in enumerate(layers, start=1):
            share = float(concepts.components.share[:k].sum())
            rows.append(self.row(layer=layer, metric="variance_share", value=share, n=k, unit="share"))
            browsable += browsable_layer(listed.words, concepts, layer, self.kept_components, 30, "model")
            progress(f"feed-forward concepts of {weights.name}", layer, weights.anatomy.n_layers)
        return Result.from_rows(rows, details={"concepts": {"components": browsable}, "words": len(listed)})

    def word_list(self, weights: Weights) -> WordList:
        """Return the words that describe components."""
        return word_list(weights.tokenizer, self.words, self.n_words)

    def subspace(self, n_units: int) -> int:
        """Return k, the size of the subspaces that are compared, for a residual stream of `n_units`."""
        wanted = self.rotation_components or min(self.n_components, max(1, n_units // 4))
        return min(wanted, self.n_components, n_units)

    def row(self, **values: Any) -> dict[str, Any]:
        """Return a row of the long table: this measurement, over all components."""
        return {"measurement": self.kind, "target": "mean", **values}
