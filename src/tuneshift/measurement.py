"""Measurement and PairMeasurement: a specification that a study file can hold, and `run(...) -> Result`."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from tuneshift.models import LanguageModel
from tuneshift.numerics.seeds import LARGEST_SEED
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary import Kind, Metric, ours


class Specification(BaseModel, ABC):
    """What all measurements share: a frozen pydantic model with a `kind`, a `code_version` and a fingerprint.

    `metrics` says what its numbers mean (`tuneshift.vocabulary.Metric`): comparisons, findings, figures and methods
    read it, so that nobody else needs to know the measurement. `title` and `asks` head its section, `question` says
    among which questions of the report it stands. `kind` is the word a study file uses; raise `code_version` by one
    whenever the code changes a number, so that stored cells of the older code are measured again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code_version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = ()
    title: ClassVar[str] = ""
    asks: ClassVar[str] = ""
    question: ClassVar[str] = "other"
    kind: str

    @model_validator(mode="after")
    def _seed_is_one(self) -> Self:
        seed = getattr(self, "seed", 0)
        if isinstance(seed, int) and not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed: {seed} is no seed; give a whole number from 0 to {LARGEST_SEED}")
        return self

    @classmethod
    def meaning(cls) -> Kind:
        """Return what this kind of measurement asks and what its numbers mean."""
        kind = str(cls.model_fields["kind"].default)
        known = ours().kind(kind)
        if known.metrics and cls.metrics == known.metrics:
            return known
        return Kind(kind, cls.title or known.title, cls.question, cls.asks, cls.metrics)

    def data_checksum(self) -> str:
        """Return a checksum of the human data or prompts that this measurement reads ("" where it reads none)."""
        return ""

    def settings(self) -> dict[str, Any]:
        """Return the specification as JSON-ready values (a subclass may leave out what changes no number)."""
        return self.model_dump(mode="json")

    def fingerprint(self, model_revision: str) -> str:
        """Return 16 hexadecimal digits that name this measurement of that model.

        They cover specification, data checksum, model revision and the measurement's code version. A file of one's own
        counts by its name and content, wherever it lies.
        """
        data = self.data_checksum()
        settings = self.settings()
        if data:  # the same study is finished on another machine, where its files lie in another folder
            settings = {key: _without_folder(value) for key, value in settings.items()}
        parts = {
            "settings": settings,
            "data": data,
            "model": model_revision,
            "code": f"{type(self).__module__}.{type(self).__qualname__}:{self.code_version}",
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Measurement(Specification):
    """A measurement of one model; a subclass is a specification with `run(model)`."""

    @abstractmethod
    def run(self, model: LanguageModel, progress: Progress = silent) -> Result:
        """Measure one model. Rows leave `model`, `base_model`, `tuned` and `fingerprint` to the caller."""


class PairMeasurement(Specification):
    """A measurement of a tuned model together with its base; a study runs it for models that have a base only."""

    @abstractmethod
    def run(self, base: LanguageModel, tuned: LanguageModel, progress: Progress = silent) -> Result:
        """Measure one pair. Raises BadInput where the two cannot be compared (another shape, another tokenizer)."""


def of_model(result: Result, model: Any, base: Any = None) -> Result:
    """Return a result whose rows name what was measured: the model, and its base where there is one or it is known.

    `model` is whatever has a `name`, and `tuned_from` where its base is known. A study puts its own names in their
    place.
    """
    base_name = getattr(model, "tuned_from", None) if base is None else base.name
    tuned = None if base_name is None else True
    return result.with_columns(model=getattr(model, "name", None), base_model=base_name, tuned=tuned)


def _without_folder(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
