"""ModelEntry: one model of a study, and how it is loaded."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tuneshift.errors import BadInput
from tuneshift.human.dataset import DATA_FOLDER_VARIABLE
from tuneshift.models import LanguageModel, embedded_names, model_revision
from tuneshift.models.loading import start_of
from tuneshift.models.registry import ModelCard, find_card
from tuneshift.models.source import base_named_by, name_of


class ModelEntry(BaseModel):
    """One model of a study.

    `model` is a hub id, a folder, an adapter, BASE+ADAPTER, an embedded name or a name of the registry; `name` is what
    tables call it (default: the last part of `model`); `base` names the study's model it was tuned from (of an adapter
    the base it names, of a registered model the registry's). `starts_like` is the model whose start token is read
    (default: the base's), at `starts_like_revision`. `surprisals` is a file of word
    surprisals (in `unit`) that stands for a model nobody can load here; such a model can only be measured by reading.
    `parameters` (their number) and `family` go before what the registry says. `run` and `step` declare a checkpoint: of
    which training run on `base`, after how many steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(default=None, min_length=1)
    name: str | None = Field(default=None, min_length=1)
    base: str | None = Field(default=None, min_length=1)
    device: str = "auto"
    dtype: str = "auto"
    device_map: str | None = None
    revision: str | None = None
    starts_like: str | None = None
    starts_like_revision: str | None = None
    trust_remote_code: bool = False
    surprisals: Path | None = None
    unit: Literal["bits", "nats", "base10", "logprob", "log2prob", "log10prob"] = "bits"
    parameters: float | None = Field(default=None, gt=0)
    family: str | None = None
    run: str | None = Field(default=None, min_length=1)
    step: int | None = Field(default=None, ge=0)
    notes: str = ""

    @model_validator(mode="after")
    def _has_a_source(self) -> ModelEntry:
        if self.model is None and (self.surprisals is None or self.name is None):
            raise ValueError("a model needs `model:`, or `name:` and `surprisals:`")
        if (self.run is None) != (self.step is None):
            raise ValueError("a checkpoint needs both, `run:` (the name of its training run) and `step:` (a number)")
        return self

    @property
    def label(self) -> str:
        """What tables call the model."""
        return self.name or name_of(self.model or "")

    @property
    def adapted_from(self) -> str | None:
        """What an adapter names as its base; None for a whole model."""
        return base_named_by(self.model) if self.model is not None else None

    @property
    def card(self) -> ModelCard | None:
        """What the registry knows of the model, None where it knows nothing."""
        return find_card(self.model or self.label)

    @property
    def reference(self) -> str:
        """What `LanguageModel.load` takes: a registry name becomes its hub id."""
        if self.model is None or self.model in embedded_names() or Path(self.model).is_dir():
            return self.model or self.label
        return self.card.reference if self.card else self.model

    @property
    def n_parameters(self) -> float | None:
        """The number of parameters, as the study or the registry says; None where neither does."""
        return self.parameters or (self.card.parameters if self.card else None)

    @property
    def family_name(self) -> str | None:
        """The family, as the study or the registry says."""
        return self.family or (self.card.family if self.card else None)

    def relative_to(self, folder: Path) -> ModelEntry:
        """Return the same entry with a model folder or a file of surprisals below `folder` made absolute.

        A file of surprisals that is not there is looked for in the data folder (TUNESHIFT_DATA) too.
        """
        found: dict[str, Any] = {}
        if self.surprisals is not None and not self.surprisals.is_absolute():
            found["surprisals"] = _file_below(folder, self.surprisals)
        if self.model is not None and (model := _model_below(folder, self.model)) != self.model:
            found |= {"model": model, "name": self.label}
        if self.starts_like is not None:
            found["starts_like"] = _model_below(folder, self.starts_like)
        return self.model_copy(update=found) if found else self

    def wanted_revision(self) -> str | None:
        """Return the revision to load: the study's, else the registry's."""
        return self.revision or (self.card.revision if self.card else None)


_PARTS_OF_MODELS = ("config.json", "adapter_config.json", "modules.json")


def _model_below(folder: Path, ref: str) -> str:
    """Return a MODEL with the folders of it that lie below `folder` made absolute, everything else as it is."""
    if ref in embedded_names():
        return ref
    if any((folder / ref / part).is_file() for part in _PARTS_OF_MODELS):
        return str((folder / ref).resolve())
    base, plus, adapter = ref.rpartition("+")
    if plus and base and (folder / adapter / "adapter_config.json").is_file():
        return f"{_model_below(folder, base)}+{(folder / adapter).resolve()}"
    return ref


def _file_below(folder: Path, path: Path) -> Path:
    """Return where a file lies: beside the study file, else in the data folder."""
    data = os.environ.get(DATA_FOLDER_VARIABLE)
    places = [folder / path, *([Path(data) / path] if data else [])]
    return next((place for place in places if place.is_file()), places[0]).resolve()


def load_entry(entry: ModelEntry) -> Any:
    """Load the model of an entry, or open its file of surprisals.

    Raises BadInput for a model that does not exist, MeasurementFailed for one that will not load.
    """
    if entry.surprisals is not None:
        from tuneshift.reading import SurprisalFile

        return SurprisalFile(name=entry.label, path=entry.surprisals, unit=entry.unit)
    model = LanguageModel.load(
        entry.reference,
        device=entry.device,
        dtype=entry.dtype,
        device_map=entry.device_map,
        trust_remote_code=entry.trust_remote_code,
        revision=entry.wanted_revision(),
        starts_like=entry.starts_like,
        starts_like_revision=entry.starts_like_revision,
    )
    model.name = entry.label
    return model


def entry_revision(entry: ModelEntry) -> str:
    """Return what stands for the model in a fingerprint: its revision, and what else of the entry changes numbers.

    That is the dtype where one is asked for, and the start token where it is not the model's own.

    Raises BadInput where the model or the file of surprisals does not exist.
    """
    if entry.surprisals is not None:
        try:
            return f"{hashlib.sha256(entry.surprisals.read_bytes()).hexdigest()} in {entry.unit}"
        except OSError as error:
            raise BadInput(
                f"the surprisals {entry.surprisals} of {entry.label!r} cannot be read ({error.strerror}); "
                f"put the file there, or, as the study names it, below the folder that {DATA_FOLDER_VARIABLE} names."
            ) from error
    revision = model_revision(entry.reference, entry.wanted_revision())
    revision = revision if entry.dtype == "auto" else f"{revision} as {entry.dtype}"
    if entry.starts_like is None:
        return revision
    starts = [
        start_of(entry.reference, entry.wanted_revision(), entry.trust_remote_code),
        start_of(entry.starts_like, entry.starts_like_revision, entry.trust_remote_code),
    ]
    return revision if starts[0] == starts[1] else f"{revision} starting with {starts[1]}"
