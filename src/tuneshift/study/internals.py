"""PairMeasurement: what can only be measured on a base model and its tuned version together; `internals` is one."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

from tuneshift.errors import BadInput
from tuneshift.measurement import Measurement
from tuneshift.models import LanguageModel
from tuneshift.progress import Progress, silent
from tuneshift.result import Result


class PairMeasurement(Measurement):
    """A measurement of a tuned model together with its base; a study runs it for models that have a base only."""

    @abstractmethod
    def run_pair(self, base: LanguageModel, tuned: LanguageModel, progress: Progress = silent) -> Result:
        """Measure one pair. Raises BadInput where the two cannot be compared (another shape, another tokenizer)."""

    def run(self, model: LanguageModel, progress: Progress = silent) -> Result:
        """Refuse: one model is no pair."""
        raise BadInput(f"{self.kind} compares a tuned model with its base; give the model a `base:`.")


class Internals(PairMeasurement):
    """How tuning moved the inside (methods, sections 5 to 7): attention heads, feed-forward components, hidden states.

    With `namer`, the URL of an OpenAI-compatible endpoint, and `namer_model`, components get names and categories; see
    `tuneshift.inside.FeedforwardConcepts`. A file of `words` takes the place of the model's own words.
    """

    code_version: ClassVar[int] = 1
    kind: Literal["internals"] = "internals"
    words: str | None = None
    namer: str | None = None
    namer_model: str | None = None

    def data_checksum(self) -> str:
        """Return a checksum of the word list."""
        from tuneshift.inside.words import files_checksum

        return files_checksum(Path(self.words) if self.words else None)

    def run_pair(self, base: LanguageModel, tuned: LanguageModel, progress: Progress = silent) -> Result:
        """Compare base and tuned; see `tuneshift.inside.compare_internals`."""
        from tuneshift.inside import FeedforwardConcepts, HeadPatterns, compare_internals

        heads = HeadPatterns(words=self.words)
        concepts = FeedforwardConcepts(words=self.words, namer=self.namer, namer_model=self.namer_model)
        return compare_internals(base, tuned, heads=heads, concepts=concepts, progress=progress)
