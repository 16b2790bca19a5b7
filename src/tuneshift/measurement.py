"""Measurement: a specification that a study file can hold, and `run(model) -> Result`."""

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


class Measurement(BaseModel, ABC):
    """Base of all measurements; a subclass is a frozen pydantic model with `kind`, `code_version` and `run`.

    `kind` is the word a study file uses; raise `code_version` by one whenever the code changes a number, so that
    stored cells of the older code are measured again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code_version: ClassVar[int] = 1
    kind: str

    @model_validator(mode="after")
    def _seed_is_one(self) -> Self:
        seed = getattr(self, "seed", 0)
        if isinstance(seed, int) and not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed: {seed} is no seed; give a whole number from 0 to {LARGEST_SEED}")
        return self

    @abstractmethod
    def run(self, model: LanguageModel, progress: Progress = silent) -> Result:
        """Measure one model. Rows leave `model`, `base_model`, `tuned` and `fingerprint` to the caller."""

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


def _without_folder(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
