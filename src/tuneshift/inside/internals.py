"""Internals: how tuning moved the inside of one pair of models, as a measurement that a study file can hold."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from tuneshift.inside.comparison import compare_internals
from tuneshift.inside.concepts.measurement import FeedforwardConcepts
from tuneshift.inside.heads.measurement import HeadPatterns
from tuneshift.inside.words import files_checksum
from tuneshift.measurement import PairMeasurement
from tuneshift.models import LanguageModel
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary.inside import INTERNALS


class Internals(PairMeasurement):
    """How tuning moved the inside (methods, sections 5 to 7): attention heads, feed-forward components, hidden states.

    With `namer`, the URL of an OpenAI-compatible endpoint, and `namer_model`, components get names and categories; see
    `FeedforwardConcepts`. A file of `words` takes the place of the model's own words.
    """

    code_version: ClassVar[int] = 2
    metrics: ClassVar = INTERNALS.metrics
    kind: Literal["internals"] = "internals"
    words: str | None = None
    namer: str | None = None
    namer_model: str | None = None

    def data_checksum(self) -> str:
        """Return a checksum of the word list."""
        return files_checksum(Path(self.words) if self.words else None)

    def run(self, base: LanguageModel, tuned: LanguageModel, progress: Progress = silent) -> Result:
        """Compare base and tuned; see `compare_internals`."""
        heads = HeadPatterns(words=self.words)
        concepts = FeedforwardConcepts(words=self.words, namer=self.namer, namer_model=self.namer_model)
        return compare_internals(base, tuned, heads=heads, concepts=concepts, progress=progress)
