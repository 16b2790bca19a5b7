"""BrainAlignment: how well a model's hidden states predict people's brain responses to the same text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from tuneshift.brain.ceiling_estimates import noise_ceiling
from tuneshift.brain.ceilings import CeilingEstimate
from tuneshift.brain.controls import measure_controls
from tuneshift.brain.language_units import LanguageUnits, localise, random_units, refuse_too_many
from tuneshift.brain.layer_features import LayerFeatures, model_states
from tuneshift.brain.layer_scores import score_layers
from tuneshift.brain.mappings import Encoding, Mapping
from tuneshift.brain.stimulus_features import cleaned
from tuneshift.brain.summary import Setting, score_rows
from tuneshift.brain.targets import target_blocks
from tuneshift.errors import BadInput
from tuneshift.human import Recording, data_checksum, load_data
from tuneshift.measurement import Measurement
from tuneshift.models import LanguageModel
from tuneshift.numerics.splits import Fold, contiguous, grouped, shuffled
from tuneshift.progress import Progress, silent
from tuneshift.result import Result

_TWINS = 3
_RANDOM_DRAWS = 3
_FEWEST_HELD_OUT = 3
_RESPONSE_LENGTH = 10.0  # seconds on both sides of a held-out block that the haemodynamic response still reaches


class BrainAlignment(Measurement):
    """Brain alignment (paper 1, section 2; methods, section 1).

    `split` is by default "grouped" (whole passages held out), or "contiguous" for a recording of a single story;
    `stack` is the half of an encoder-decoder model that is read. `ceiling` is the leave-one-out ceiling unless
    another is named. `untrained` adds the mean over so many untrained twins; `controls` adds what `measure_controls`
    lists, and three twins. `units` keeps of each layer only the so many language units that `localise` finds, in
    twins their own; beside their score stands `r_random_units`, the mean over three draws of as many random units of
    each layer, and the column `mapping` says how many. Scores are Pearson r on held-out stimuli, averaged over folds.
    """

    code_version: ClassVar[int] = 3
    kind: Literal["brain"] = "brain"
    data: str
    split: Literal["grouped", "contiguous", "shuffled"] | None = None
    mapping: Mapping = "ridge"
    pool: Literal["last", "mean"] = "last"
    stack: Literal["encoder", "decoder"] = "encoder"
    response: Literal["canonical", "fir"] = "canonical"
    ceiling: CeilingEstimate | None = None
    untrained: int = Field(default=0, ge=0)
    controls: bool = False
    folds: int | None = Field(default=None, ge=2)
    units: int | None = Field(default=None, ge=1)
    seed: int = 0

    def data_checksum(self) -> str:
        """Return the checksum of the recording's files."""
        return data_checksum(self.data)

    def run(self, model: LanguageModel, progress: Progress = silent) -> Result:
        """Score every layer; one row a participant, region and layer, means with intervals, `nested` and `best`."""
        recording = load_data(self.data)
        if not isinstance(recording, Recording):
            raise BadInput(f"data set {self.data} is no brain recording; `tuneshift data` lists those that are.")
        return self.measure(model, recording, progress)

    def measure(self, model: LanguageModel, recording: Recording, progress: Progress = silent) -> Result:
        """Score a model on a recording that is already loaded."""
        if self.controls and self.mapping in ("rsa", "cka"):
            raise BadInput(
                f"controls need predictions, which {self.mapping} does not make; use mapping ridge or linear."
            )
        if self.units is not None:
            refuse_too_many(self.units, model)
        split = self.split or _default_split(recording)
        data = _filtered(recording)
        blocks, notes = target_blocks(data, recording.name)
        warnings = [*recording.dropped, *notes]
        if split == "shuffled":
            warnings.append("shuffled split: neighbouring stimuli leak from training to test, so scores are too high")
        folds = self._folds(data, recording, split)
        _refuse_tiny(folds, recording.name)
        groups = data["passage"].values if split == "grouped" else None
        gap = _gap(recording) if split == "contiguous" else 0
        encoding = Encoding(data, blocks, folds, self.mapping, groups, str(model.device), gap)
        ceiling = self._ceiling(recording, encoding)
        if not np.isfinite(ceiling).any():
            warnings.append(f"{recording.name}: no noise ceiling, since no two participants share a region")

        mapping = self.mapping if self.units is None else f"{self.mapping}, {self.units} language units"
        setting = Setting(dataset=recording.name, split=split, mapping=mapping, seed=self.seed)
        progress_here = partial(_prefixed, progress, model.name)
        features, units = self._features(model, recording, progress_here)
        found = score_layers(features, encoding, progress=progress_here)
        rows = score_rows(setting, data, found.layers, ceiling, nested=found.nested)
        assert found.nested is not None
        arrays = {
            "r": _per_layer(found.layers, data),
            "r_nested": xr.DataArray(found.nested, dims=("target",), coords=_target_coords(data)),
            "ceiling": xr.DataArray(ceiling, dims=("target",)),
        }
        details = {
            "layers_chosen": list(found.chosen),
            "n_stimuli": int(data.shape[0]),
            "n_participants": len(recording.participants),
            "unit": recording.unit,
            "folds": len(folds),
        }
        if self.controls:
            controls = measure_controls(features, encoding, found, setting, progress=progress_here)
            rows += controls.rows
            arrays |= controls.arrays
            details |= controls.details
        if units is not None:
            scores = self._random_units(features, encoding, progress_here)
            rows += score_rows(setting, data, scores, ceiling, metric="r_random_units")
            arrays |= _unit_arrays(units) | {"r_random_units": _per_layer(scores, data)}
            details["language_network_by_layer"] = units.network_by_layer()
        if self._n_twins(model):
            twins = self._twins(model, recording, encoding, progress_here)
            rows += score_rows(setting, data, twins, ceiling, metric="r_untrained")
            arrays["r_untrained"] = _per_layer(twins, data)
        return Result.from_rows(rows, arrays=arrays, warnings=tuple(warnings), details=details)

    def _folds(self, data: xr.DataArray, recording: Recording, split: str) -> list[Fold]:
        n_stimuli = data.shape[0]
        if split == "shuffled":
            return shuffled(n_stimuli, seed=self.seed)
        if split == "contiguous":
            return contiguous(n_stimuli, self.folds or (6 if recording.is_time_series else 5), _gap(recording))
        if "passage" not in data.coords:
            raise BadInput(
                f"{recording.name} has no `passage` labels, which grouped splits need; add them, or use "
                "--split contiguous."
            )
        return grouped(data["passage"].values, self.folds or 5)

    def _ceiling(self, recording: Recording, encoding: Encoding) -> np.ndarray:
        """Ceilings (v,); without participants to compare, NaN, unless a ceiling was asked for by name."""
        if self.ceiling is None and len(recording.participants) < 2:
            return np.full(encoding.n_targets, np.nan)
        estimate = self.ceiling or "leave_one_out"
        return noise_ceiling(
            estimate, encoding.data, encoding.folds, recording.name, self.mapping, self.seed, encoding.device
        )

    def _features(
        self, model: LanguageModel, recording: Recording, progress: Progress
    ) -> tuple[LayerFeatures, LanguageUnits | None]:
        """The features of a model, of its own language units alone where they are asked for."""
        states = model_states(model, recording, self.pool, self.stack, progress)
        features = LayerFeatures(states, recording, self.response)
        if self.units is None:
            return features, None
        found = localise(model, self.units, self.pool, self.stack, progress)
        return replace(features, units=found.units), found

    def _random_units(self, features: LayerFeatures, encoding: Encoding, progress: Progress) -> np.ndarray:
        """Scores (L + 1, v) of as many random units of each layer, the mean over draws."""
        assert self.units is not None
        n_layers, _, n_units = features.states.shape
        draws = (random_units(n_layers, n_units, self.units, self.seed + draw) for draw in range(_RANDOM_DRAWS))
        return _mean_scores((replace(features, units=units) for units in draws), encoding, progress)

    def _n_twins(self, model: LanguageModel) -> int:
        """How many untrained twins: with controls three, unless the model is an untrained twin itself."""
        if self.untrained or not self.controls or "+untrained" in model.revision:
            return self.untrained
        return _TWINS

    def _twins(self, model: LanguageModel, recording: Recording, encoding: Encoding, progress: Progress) -> np.ndarray:
        """Scores (L + 1, v) of untrained twins, the mean over seeds."""
        twins = (model.untrained(seed) for seed in range(self._n_twins(model)))
        return _mean_scores((self._features(twin, recording, progress)[0] for twin in twins), encoding, progress)


def brain_alignment(model: LanguageModel, data: Recording | str, progress: Progress = silent, **options: Any) -> Result:
    """Return the brain alignment of a model with a recording or a named data set; options as in `BrainAlignment`."""
    if isinstance(data, str):
        return BrainAlignment(data=data, **options).run(model, progress)
    return BrainAlignment(data=data.name, **options).measure(model, data, progress)


def _mean_scores(several: Iterable[LayerFeatures], encoding: Encoding, progress: Progress) -> np.ndarray:
    """Scores (L + 1, v), the mean over several features of one recording, made and dropped one after the other."""
    scores = [score_layers(features, encoding, nested=False, progress=progress).layers for features in several]
    return np.asarray(np.mean(scores, axis=0))


def _default_split(recording: Recording) -> Literal["grouped", "contiguous"]:
    if "passage" in recording.data.coords and len(np.unique(recording.data["passage"].values)) >= 5:
        return "grouped"
    return "contiguous"


def _refuse_tiny(folds: list[Fold], name: str) -> None:
    smallest = min(len(test) for _, test in folds)
    if smallest < _FEWEST_HELD_OUT:
        raise BadInput(
            f"{name}: one of {len(folds)} folds holds out {smallest} stimuli, too few for a correlation (at least "
            f"{_FEWEST_HELD_OUT}); use fewer folds or more stimuli."
        )


def _gap(recording: Recording) -> int:
    """Scans beside a held-out block whose response the block's words still reach."""
    return int(np.ceil(_RESPONSE_LENGTH / (recording.repetition_time or 1.0))) if recording.is_time_series else 0


def _filtered(recording: Recording) -> xr.DataArray:
    data = recording.data
    if recording.high_pass is None:
        return data
    return data.copy(data=cleaned(data.values, recording))


def _per_layer(scores: np.ndarray, data: xr.DataArray) -> xr.DataArray:
    return xr.DataArray(
        scores, dims=("layer", "target"), coords={"layer": np.arange(len(scores)), **_target_coords(data)}
    )


def _target_coords(data: xr.DataArray) -> dict[str, Any]:
    """Who and where the targets are; with their place in MNI space (mm), where the recording knows it."""
    names = ("participant", "region", "target_name", "mni_x", "mni_y", "mni_z")
    return {name: ("target", data[name].values) for name in names if name in data.coords}


def _unit_arrays(units: LanguageUnits) -> dict[str, xr.DataArray]:
    """The numbers of the chosen units, and their Welch's t: (layer, unit)."""
    layers = {"layer": np.arange(len(units.units))}
    chosen = xr.DataArray(units.units, dims=("layer", "unit"), coords=layers)
    return {"language_units": chosen, "language_units_t": chosen.copy(data=units.t_of_units)}


def _prefixed(progress: Progress, name: str, what: str, done: int, total: int) -> None:
    progress(f"{name}: {what}", done, total)
