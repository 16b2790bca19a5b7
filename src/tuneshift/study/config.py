"""Study: which models, which measurements, with which seeds, run where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, ValidationError, field_validator, model_validator

from tuneshift.compare.trajectories import Run
from tuneshift.errors import BadInput, nearest
from tuneshift.measurement import Specification
from tuneshift.models.revision import local_folder
from tuneshift.notebook import facts, notes
from tuneshift.numerics.seeds import LARGEST_SEED
from tuneshift.study.description import describe
from tuneshift.study.measurements import measurement_class, normal_form
from tuneshift.study.model_entry import ModelEntry
from tuneshift.study.names import told_apart
from tuneshift.study.secrets import NOT_WRITTEN
from tuneshift.study.study_file import Place, StudyText, read_study_text
from tuneshift.study.trajectory import runs_of

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]


class ExecutorOptions(BaseModel):
    """Where jobs run: `local` (this process) or `ray` (extra `cluster`).

    For ray: `address` of a cluster ("auto", "host:6379"; None: RAY_ADDRESS, else one is started on this machine),
    `workers` at most so many models at once (None: as many as there are processors for), `retries` of a job whose
    worker dies, `cpus_per_worker`, and `gpu_memory_gib` of one GPU, from which the number of GPUs of a model follows
    (None: the cluster is asked; 0: no GPU is used). `autoscaling` waits for machines that are yet to come;
    `environment` is set on the workers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["local", "ray"] = "local"
    address: str | None = None
    workers: int | None = Field(default=None, ge=1)
    retries: int = Field(default=2, ge=0)
    cpus_per_worker: float = Field(default=1, gt=0)
    gpu_memory_gib: float | None = Field(default=None, ge=0)
    autoscaling: bool = False
    environment: dict[str, str] = Field(default_factory=dict)

    @field_validator("environment")
    @classmethod
    def _secrets_are_given_again(cls, values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            if value == NOT_WRITTEN:
                raise ValueError(f"{name} was a secret, which a run never writes down; give it again or leave it out")
        return values


class Study(BaseModel):
    """Models x measurements; build one in Python, or read it from a YAML file with `load_study`.

    `seeds` fill the `seed` of every measurement that has one and does not set it itself, one job a seed. `versions`,
    `vocabulary` (what the numbers of other packages' measurements mean) and `trajectories` (which models are
    checkpoints of which training run) are what a run writes into its copy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00]+$")
    models: tuple[ModelEntry, ...] = Field(min_length=1)
    measurements: tuple[SerializeAsAny[Specification], ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1)
    executor: ExecutorOptions = ExecutorOptions()
    notes: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    vocabulary: dict[str, Any] = Field(default_factory=dict)
    trajectories: list[dict[str, Any]] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _one_seed(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "seed" in values and "seeds" not in values:
            return {**{key: value for key, value in values.items() if key != "seed"}, "seeds": [values["seed"]]}
        return values

    @field_validator("name")
    @classmethod
    def _name_of_a_folder(cls, value: str) -> str:
        if value.strip(". ") == "" or not value.isprintable():
            raise ValueError("a study's name is that of its folder; use letters, digits, '-' and '_'")
        return value

    @field_validator("models", mode="before")
    @classmethod
    def _names_are_entries(cls, values: Any) -> Any:
        if isinstance(values, list | tuple):
            return [{"model": value} if isinstance(value, str) else value for value in values]
        return values

    @field_validator("models")
    @classmethod
    def _folders_of_one_name(cls, entries: tuple[ModelEntry, ...]) -> tuple[ModelEntry, ...]:
        return told_apart(entries)

    @field_validator("executor", mode="before")
    @classmethod
    def _executor_by_name(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("measurements", mode="before")
    @classmethod
    def _measurements_by_kind(cls, values: Any) -> Any:
        if not isinstance(values, list | tuple):
            return values
        return tuple(_measurement(value, ("measurements", number)) for number, value in enumerate(values))

    @model_validator(mode="after")
    def _names_and_bases(self) -> Study:
        names = [entry.label for entry in self.models]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise _Misplaced(
                    ("models", number), f"two models are called {name!r}; give one of them another `name:`"
                )
        for number, entry in enumerate(self.models):
            if entry.base is not None and self.entry(entry.base) is None:
                raise _Misplaced(
                    ("models", number, "base"),
                    f"the base {entry.base!r} of {entry.label!r} is not among the study's models"
                    f"{nearest(entry.base, names)}; add it, or leave `base:` out",
                )
            if entry.base is not None and self.entry(entry.base) is entry:
                raise _Misplaced(("models", number, "base"), f"{entry.label!r} cannot be its own base")
        return self

    @model_validator(mode="after")
    def _runs_have_one_base_and_different_steps(self) -> Study:
        first: dict[str, tuple[ModelEntry, ModelEntry]] = {}
        steps: dict[tuple[str, int], str] = {}
        for number, entry in enumerate(self.models):
            if entry.run is None or entry.step is None:
                continue
            base = self.base_of(entry)
            if base is None:
                said = f"{entry.label!r} is a checkpoint of run {entry.run!r}, but has no base here; add `base:`"
                raise _Misplaced(("models", number, "run"), said)
            other, other_base = first.setdefault(entry.run, (entry, base))
            if other_base is not base:
                said = (
                    f"the checkpoints {other.label!r} and {entry.label!r} of run {entry.run!r} have two bases, "
                    f"{other_base.label!r} and {base.label!r}; give the runs two names"
                )
                raise _Misplaced(("models", number, "run"), said)
            same = steps.setdefault((entry.run, entry.step), entry.label)
            if same != entry.label:
                said = f"{same!r} and {entry.label!r} are both step {entry.step} of run {entry.run!r}; mend one `step:`"
                raise _Misplaced(("models", number, "step"), said)
        return self

    def _repr_html_(self) -> str:
        bases = [f"{entry.label} (tuned from {entry.base})" if entry.base else entry.label for entry in self.models]
        kinds = [describe(measurement) for measurement in self.measurements]
        rows = {"models": bases, "measurements": kinds, "seeds": self.seeds, "executor": self.executor.kind}
        return facts(self.name, rows) + notes([self.notes] if self.notes else [])

    def entry(self, name: str) -> ModelEntry | None:
        """Return the model of that name (or that reference), None where the study has none."""
        by_name = next((entry for entry in self.models if entry.label == name), None)
        return by_name or next((entry for entry in self.models if name in (entry.model, entry.reference)), None)

    def base_of(self, entry: ModelEntry) -> ModelEntry | None:
        """Return the entry of a model's base: as the study, its adapter or the registry says; None where not here."""
        wanted = entry.base or entry.adapted_from or (entry.card.tuned_from if entry.card else None)
        found = (self.entry(wanted) or self._in_folder(wanted)) if wanted else None
        return found if found is not entry else None

    def runs(self) -> tuple[Run, ...]:
        """Return which models are checkpoints of one training run: as declared, else as folders and names say."""
        return runs_of({entry: self.base_of(entry) for entry in self.models})

    def started(self, entry: ModelEntry) -> ModelEntry:
        """Return an entry that reads the start token of its base, or of its base's base; see `models.start_token`."""
        root, seen = entry, [entry]
        while (base := self.base_of(root)) is not None and base not in seen and base.surprisals is None:
            root = base
            seen.append(root)
        if root is entry or entry.starts_like is not None or entry.surprisals is not None:
            return entry
        if root.starts_like is not None:
            like, revision = root.starts_like, root.starts_like_revision
        else:
            like, revision = root.reference, root.wanted_revision()
        return entry.model_copy(update={"starts_like": like, "starts_like_revision": revision})

    def _in_folder(self, wanted: str) -> ModelEntry | None:
        """The entry whose folder this is, however its path is written."""
        place = local_folder(wanted)
        if place is None:
            return None
        folders = ((entry, local_folder(entry.model or "")) for entry in self.models)
        return next((entry for entry, folder in folders if folder and folder.resolve() == place.resolve()), None)

    def relative_to(self, folder: Path) -> Study:
        """Return the same study with paths that lie below `folder` (where its file is) made absolute."""
        models = tuple(entry.relative_to(folder) for entry in self.models)
        measurements = tuple(_with_paths(measurement, folder) for measurement in self.measurements)
        return self.model_copy(update={"models": models, "measurements": measurements})


def load_study(source: str | Path | Mapping[str, Any] | Study) -> Study:
    """Return a study from a YAML file, a mapping, or a study (as it is); BadInput says what is wrong and where.

    Relative paths in a study file are relative to that file.
    """
    if isinstance(source, Study):
        return source
    if isinstance(source, Mapping):
        try:
            return Study.model_validate(source)
        except ValidationError as error:
            raise BadInput(f"study: {_explained(error)[1]}.") from error
        except _Misplaced as error:
            raise BadInput(f"study: {error}.") from error
    path = Path(source)
    return _validated(read_study_text(path), path.parent)


class _Misplaced(BadInput):
    """Bad input at a known place of the document; its line is added by whoever knows the file."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def _validated(text: StudyText, folder: Path) -> Study:
    if not isinstance(text.values, dict):
        raise BadInput(f"{text.name}: a study is a YAML mapping with `name:`, `models:` and `measurements:`.")
    try:
        return Study.model_validate(text.values).relative_to(folder)
    except ValidationError as error:
        place, message = _explained(error)
        raise BadInput(f"{text.where(place)}: {message}.") from error
    except _Misplaced as error:
        raise BadInput(f"{text.where(error.place)}: {error}.") from error


def _measurement(value: Any, place: Place) -> Specification:
    if isinstance(value, Specification):
        return value
    try:
        specification = normal_form(value)
        short = isinstance(value, Mapping) and "kind" not in value
        kind = str(specification["kind"])
        measurement = measurement_class(kind)
    except BadInput as error:
        raise _Misplaced(place, str(error).rstrip(".")) from error
    try:
        return measurement.model_validate(specification)
    except ValidationError as error:
        inner, message = _explained(error, measurement)
        raise _Misplaced((*place, *((kind,) if short else ()), *inner), f"measurement {kind!r}: {message}") from error
    except _Misplaced:
        raise
    except BadInput as error:
        raise _Misplaced(place, str(error).rstrip(".")) from error


def _with_paths(measurement: Specification, folder: Path) -> Specification:
    """Make absolute what names a file (with a suffix), a folder or a model folder that lies beside the study file."""
    found = {}
    for name in type(measurement).model_fields:
        value = getattr(measurement, name)
        if not isinstance(value, str | Path) or not str(value) or Path(value).is_absolute():
            continue
        candidate = folder / value
        is_path = isinstance(value, Path) or bool(Path(value).suffix) or _is_model(candidate)
        if is_path and candidate.exists():
            found[name] = type(value)(candidate.resolve())
    return measurement.model_copy(update=found) if found else measurement


def _is_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("config.json", "adapter_config.json"))


def _explained(error: ValidationError, model: type[BaseModel] = Study) -> tuple[Place, str]:
    """Return the place of the first problem, and one clause that says what it is."""
    problem = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")[0]
    place: Place = tuple(problem["loc"])
    key = str(place[-1]) if place else ""
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, place[:-1])
        return place, f"unknown key {key!r}{nearest(key, known)}; known are {', '.join(known)}"
    if problem["type"] == "missing":
        return place[:-1], f"key {key!r} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    written = problem.get("input")
    said = f", not {written!r}" if isinstance(written, str | int | float | bool | None) else ""
    return place, f"{'.'.join(map(str, place))}: {message[0].lower()}{message[1:]}{said}"


def _keys_at(model: type[BaseModel], place: Place) -> tuple[str, ...]:
    if model is Study and place:
        inner: dict[str | int, type[BaseModel]] = {"models": ModelEntry, "executor": ExecutorOptions}
        model = inner.get(place[0], model)
    keys = tuple(model.model_fields)
    return (*keys, "seed") if model is Study else keys
