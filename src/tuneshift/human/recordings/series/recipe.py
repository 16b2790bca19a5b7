"""SeriesRecipe: which files hold whose scans of which story, what their words were, and how they are cleaned."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tuneshift.errors import BadInput, nearest
from tuneshift.files.yaml_file import read_yaml

PAUSES = ("", "sp", "sil", "<sil>", "<p:>", "<eps>", "<s>", "</s>", "{sl}", "#")
"""Marks of aligners for silence, in small letters."""

SILENCE = (
    *PAUSES, "spn", "<spn>", "<unk>", "{ns}", "{lg}", "{br}", "{cg}", "{ls}", "br", "ns", "<usb>", "<nib>",
    "<noise>", "[noise]", "<laughter>", "[laughter]",
)  # fmt: skip
"""What stands among the words of an alignment and is none: silence, noise, laughter, speech not recognised."""


class WordFiles(BaseModel):
    """Words with times: a TextGrid, or a table (.csv, .tsv, .txt) with columns `word`, `onset`, `offset` (seconds).

    BIDS events with `onset` and `duration` are such tables. `file` may hold {passage}. `columns` names the columns of a
    table without a header, or says which column is the `word`, `onset`, `offset` or `duration`. `printed` is a text
    file whose case and punctuation the words take on. `shift` seconds are added to every time. `untimed: interpolate`
    gives words without times those between their neighbours; else they are refused. Words in `silence` are left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    tier: str | None = None
    columns: tuple[str, ...] | dict[str, str] | None = None
    printed: str | None = None
    shift: float = 0.0
    untimed: Literal["refuse", "interpolate"] = "refuse"
    silence: tuple[str, ...] = SILENCE


class ConfoundFiles(BaseModel):
    """Signals to regress out: `file` may hold {participant} and {passage}; a table with or without a header.

    `columns` chooses by name, `*` standing for anything. `skip` rows at the beginning have no scan.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    columns: tuple[str, ...] | None = None
    skip: int = Field(default=0, ge=0)


class SeriesRecipe(BaseModel):
    """Everything `import_series` needs. Paths are relative to the recipe's folder.

    `series` is a pattern (or several, whose columns stand side by side, as hemispheres do) with {participant} and
    {passage} in it, and `*` for anything: .nii, .nii.gz, .gii, .npz, .npy, .hf5, .h5, .csv, .tsv or .txt.
    The first row of a file is the scan at `first_scan` seconds on the clock of the words; `discard` rows are left out
    at the beginning. `mask` and `atlas` choose voxels and average regions; `regions` names the columns of a table.
    `renumber` calls each participant's passages 1, 2, ... in natural order, where runs are labelled as they came.
    `high_pass` (s) is kept for the measurement, which filters data and features alike. `scale: z` z-scores every
    target in every passage. `space` is where voxels lie: in `mni` and on a common `surface` they are the same place in
    everybody, in `native` space never. `shortest` cuts the participants of a passage to the shortest, instead of
    refusing them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    series: tuple[str, ...] = Field(min_length=1)
    words: WordFiles
    repetition_time: float | None = Field(default=None, gt=0)
    first_scan: float = 0.0
    discard: int = Field(default=0, ge=0)
    passage: str = "1"
    participants: tuple[str, ...] | None = None
    passages: tuple[str, ...] | None = None
    renumber: bool = False
    regions: tuple[str, ...] | None = None
    array: str | None = None
    mask: tuple[str, ...] | None = None
    atlas: tuple[str, ...] | None = None
    region_names: str | None = None
    space: Literal["mni", "surface", "native"] = "native"
    confounds: ConfoundFiles | None = None
    high_pass: float | None = Field(default=None, gt=0)
    scale: Literal["none", "z"] = "none"
    shortest: bool = False
    unit: str = "a.u."
    folder: Path = Field(default=Path("."), exclude=True)

    @field_validator("series", "mask", "atlas", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("words", "confounds", mode="before")
    @classmethod
    def _file_only(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value


def read_recipe(path: str | Path) -> SeriesRecipe:
    """Read a recipe from a YAML file; raises BadInput with the first key that is missing, unknown or wrong."""
    path = Path(path)
    values = read_yaml(path, "recipe").values
    if not isinstance(values, dict):
        raise BadInput(f"{path} must hold `key: value` lines: name, series, words, repetition_time, ...")
    if "folder" in values:
        raise BadInput(f"{path}, `folder`: paths are relative to the recipe's own folder; put it where the files are.")
    try:
        return SeriesRecipe(**values, folder=path.parent)
    except (ValidationError, TypeError) as error:
        if isinstance(error, TypeError):
            raise BadInput(f"{path}: every key must be a word ({error}).") from error
        first = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")[0]  # a typo before its want
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            inner: dict[str, type[BaseModel]] = {"words": WordFiles, "confounds": ConfoundFiles}
            known = [key for key in inner.get(where.partition(".")[0], SeriesRecipe).model_fields if key != "folder"]
            hint = nearest(str(first["loc"][-1]), known)
            raise BadInput(f"{path}, `{where}`: unknown key{hint}; known are {', '.join(known)}.") from error
        raise BadInput(f"{path}, `{where}`: {first['msg'][0].lower()}{first['msg'][1:]}.") from error
