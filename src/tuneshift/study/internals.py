"""PairMeasurement: what can only be measured on a base model and its tuned version together; `internals` is one."""

from __future__ import annotations

from abc import abstractmethod
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
    """How tuning moved the inside (paper 2, sections 5 and 6): attention-head word pairs, rotation of components."""

    code_version: ClassVar[int] = 1
    kind: Literal["internals"] = "internals"

    def run_pair(self, base: LanguageModel, tuned: LanguageModel, progress: Progress = silent) -> Result:
        """Compare the weights of base and tuned; see `tuneshift.inside.compare_internals`."""
        from tuneshift.inside import compare_internals

        return compare_internals(base, tuned, progress=progress)
