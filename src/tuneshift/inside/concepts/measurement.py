"""FeedforwardConcepts: what a study says about feed-forward layers, and the rows and texts that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from tuneshift.errors import BadInput
from tuneshift.inside.concepts.categories import Answers, Place, label, share_rows
from tuneshift.inside.concepts.concepts import LayerConcepts, browsable_layer, concepts_by_layer
from tuneshift.inside.concepts.naming.categories import question
from tuneshift.inside.concepts.naming.endpoint import Endpoint, checked_url
from tuneshift.inside.concepts.naming.namer import Namer, NamingCost, naming_cost
from tuneshift.inside.pairing import as_weights
from tuneshift.inside.words import WordList, files_checksum, word_list
from tuneshift.measurement import Measurement, of_model
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary.inside import CONCEPTS

_WORDS_IN_A_ROW, _COMPONENTS_IN_ROWS = 8, 5


class FeedforwardConcepts(Measurement):
    """What the principal components of each feed-forward layer write (methods, section 6; paper 2).

    `words` is a file of words, by default the model's own whole words. `rotation_components` is k, the size of the
    subspaces whose rotation is measured: by default `n_components`, but at most a quarter of the residual stream (a
    subspace of half the space or more shares directions with any other). `kept_components` is how many components of a
    layer are kept for pictures.

    With `namer`, the URL of an OpenAI-compatible endpoint, and `namer_model`, the first `named_components` of each
    layer get names and categories, each asked for `namer_seeds` times. The key comes from the environment variable
    TUNESHIFT_NAMER_KEY, TUNESHIFT_API_KEY or OPENAI_API_KEY; answers are kept on disk. Without an endpoint the words
    stand alone.
    """

    code_version: ClassVar[int] = 1
    metrics: ClassVar = CONCEPTS.metrics
    kind: Literal["concepts"] = "concepts"
    words: str | None = None
    n_words: int = Field(default=10_000, ge=10)
    n_components: int = Field(default=300, ge=1)
    top_words: int = Field(default=50, ge=1)
    rotation_components: int | None = Field(default=None, ge=1)
    kept_components: int = Field(default=20, ge=0)
    namer: str | None = None
    namer_model: str | None = None
    namer_seeds: int = Field(default=5, ge=1)
    named_components: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _both_or_neither(self) -> FeedforwardConcepts:
        if (self.namer is None) != (self.namer_model is None):
            raise BadInput("naming concepts takes an endpoint and a model: give both `namer` and `namer_model`.")
        if self.namer is not None:
            checked_url(self.namer)
        return self

    def data_checksum(self) -> str:
        """Return a checksum of the word list."""
        return files_checksum(Path(self.words) if self.words else None)

    def run(self, model: LanguageModel | Weights, progress: Progress = silent) -> Result:
        """Measure one model: how much of a layer's variance its first components hold, and their words.

        Rows: `variance_share` by layer, of the first k components (see `rotation_components`) and of each of the first
        few (target "component 0: " and its first words); with a namer `category_share` by group of layers. Details:
        words (and names) of the first components. Raises BadInput as `feedforward_concepts` does, MeasurementFailed
        where the namer stays busy.
        """
        weights = as_weights(model)
        listed = self.word_list(weights)
        k = self.subspace(weights.anatomy.n_units)
        rows: list[dict[str, Any]] = []
        browsable: list[dict[str, Any]] = []
        words: dict[Place, list[str]] = {}
        layers = concepts_by_layer(weights, listed, self.n_components, self.top_words)
        for layer, concepts in enumerate(layers, start=1):
            share = float(concepts.components.share[:k].sum())
            rows.append(self.row(layer=layer, metric="variance_share", value=share, n=k, unit="share"))
            browsable += browsable_layer(listed.words, concepts, layer, self.kept_components, 30, "model")
            words |= self.words_to_name(listed, concepts, layer)
            progress(f"feed-forward concepts of {weights.name}", layer, weights.anatomy.n_layers)
        rows += [
            self.row(layer=one["layer"], metric="variance_share", value=one["share"], unit="share")
            | {"target": f"component {one['component']}: {', '.join(one['words_top'][:_WORDS_IN_A_ROW])}"}
            for one in browsable
            if one["component"] < _COMPONENTS_IN_ROWS
        ]
        warnings = listed.said
        namer = self.concept_namer()
        if namer is not None:
            answers = namer.name(words, progress)
            rows += share_rows(answers, weights.anatomy.n_layers, self.row)
            browsable = named(browsable, {"model": answers})
            warnings += unnamed({"model": answers})
        details = {"concepts": {"components": browsable}, "words": len(listed)}
        return of_model(Result.from_rows(rows, warnings=warnings, details=details), model)

    def concept_namer(self) -> Namer | None:
        """Return who names concepts, None without an endpoint."""
        if self.namer is None or self.namer_model is None:
            return None
        return Namer(Endpoint(self.namer, self.namer_model), seeds=self.namer_seeds)

    def naming_estimate(self, n_layers: int) -> NamingCost:
        """Return about what naming takes for so many layers: every question new, its size that of usual words."""
        letters = sum(len(message["content"]) for message in question(["x" * 7] * self.top_words))
        requests = n_layers * self.named_components * self.namer_seeds
        return naming_cost(requests, 0, requests * letters)

    def words_to_name(self, words: WordList, concepts: LayerConcepts, layer: int) -> dict[Place, list[str]]:
        """Return the words of those components of a layer that are to be named, largest |projection| first."""
        places = concepts.words.places[: self.named_components]
        return {(layer, i): [words.words[place] for place in mine] for i, mine in enumerate(places)}

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


def named(browsable: list[dict[str, Any]], answers: dict[str, Answers]) -> list[dict[str, Any]]:
    """Return components with the name and categories that `answers` of their side give them."""
    found = []
    for component in browsable:
        said = answers[component["side"]].get((component["layer"], component["component"]), ())
        name, category = label(said)
        found.append(component | {"name": name, "category": category})
    return found


def unnamed(answers: dict[str, Answers]) -> tuple[str, ...]:
    """Return a warning that says how many answers held no concept, nothing where all did."""
    every = [answer for side in answers.values() for said in side.values() for answer in said]
    empty = sum(answer is None for answer in every)
    if not empty:
        return ()
    return (f"{empty} of {len(every)} answers of the naming model held no concept, after three tries each.",)
