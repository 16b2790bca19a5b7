"""BrainAlignment: how well a model's hidden states predict people's brain responses to the same text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr
from pydantic import Field, field_validator

from tuneshift.brain.ceilings import Ceiling, CeilingEstimate, noise_ceiling
from tuneshift.brain.controls import measure_controls
from tuneshift.brain.encoding import Encoding
from tuneshift.brain.language_units import LanguageUnits, localise, random_units, refuse_too_many
from tuneshift.brain.layer_features import LayerFeatures, model_states
from tuneshift.brain.layer_scores import SurrogateScores, score_layers
from tuneshift.brain.mappings import GEOMETRIES, Mapping
from tuneshift.brain.partition import SplitName, default_split, is_timed, partition
from tuneshift.brain.stimulus_features import Response, documents
from tuneshift.brain.summary import Setting, ceiling_row, reliable, score_rows
from tuneshift.brain.surrogates import DEFAULT_SURROGATES, FEWEST_EXCHANGED, surrogates, too_few_to_exchange
from tuneshift.brain.targets import never_varies, target_blocks
from tuneshift.errors import BadInput
from tuneshift.human import Recording, checked, data_checksum, load_data
from tuneshift.human.text.problems import some
from tuneshift.measurement import Measurement, of_model
from tuneshift.models import LanguageModel
from tuneshift.models.unknown_letters import unknown_letters
from tuneshift.numerics.haemodynamics import DELAYS, RESPONSE_SECONDS, delay_steps
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary.brain import BRAIN

_TWINS = 3
_RANDOM_DRAWS = 3


class BrainAlignment(Measurement):
    """Brain alignment (paper 1, section 2; methods, section 1).

    `split` is by default "grouped" (whole passages held out), or "contiguous" for fewer than five passages;
    `group_by` names another coordinate of the stimuli that is held out whole (a topic). `stack` is the half of an
    encoder-decoder model that is read. `response: fir` fits the haemodynamic response at `delays`, the first and the
    last in seconds. `ceiling` is the leave-one-out ceiling unless another is named. `untrained` adds the mean over so
    many untrained twins; `controls` adds what `measure_controls` lists, three twins, and the leak certificate: the
    score of so many `surrogates` (20), recordings without any relation to the text. `units` keeps of each layer only
    the so many language units that `localise` finds, in twins their own; beside their score stands `r_random_units`,
    the mean over three draws of as many random units of each layer, and the column `mapping` says how many. Scores
    are Pearson r on held-out stimuli, averaged over folds.
    """

    code_version: ClassVar[int] = 6
    metrics: ClassVar = BRAIN.metrics
    kind: Literal["brain"] = "brain"
    data: str
    split: SplitName | None = None
    group_by: str | None = None
    mapping: Mapping = "ridge"
    pool: Literal["last", "mean"] = "last"
    stack: Literal["encoder", "decoder"] = "encoder"
    response: Literal["canonical", "fir"] = "canonical"
    delays: tuple[float, float] = DELAYS
    ceiling: CeilingEstimate | None = None
    untrained: int = Field(default=0, ge=0)
    controls: bool = False
    surrogates: int | None = Field(default=None, ge=0)
    folds: int | None = Field(default=None, ge=2)
    units: int | None = Field(default=None, ge=1)
    seed: int = 0

    @field_validator("delays")
    @classmethod
    def _delays_are_ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] <= value[1] <= RESPONSE_SECONDS:
            raise ValueError(f"give the first and the last delay in seconds, from 0 to {RESPONSE_SECONDS:g}")
        return value

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
        """Score a model on a recording that is already loaded, from a file or from Python: both are checked alike."""
        recording = checked(recording)
        if self.controls and self.mapping in GEOMETRIES:
            raise BadInput(
                f"controls need predictions, which {self.mapping} does not make; use mapping ridge or linear."
            )
        if self.response == "fir" and recording.words is None:
            raise BadInput(
                f"{recording.name} has no times of words, so no haemodynamic response can be fitted; leave out "
                "`response: fir` (--fir, --delays)."
            )
        if self.units is not None:
            refuse_too_many(self.units, model)
        data = recording.data
        blocks, notes = target_blocks(data, recording.name)
        split = self.split or ("grouped" if self.group_by else default_split(recording))
        cut = partition(recording, split, self.folds, self.group_by, self.seed)
        warnings = [*model.notes, *recording.dropped, *notes, *cut.notes]
        if split == "shuffled":
            warnings.append("shuffled split: neighbouring stimuli leak from training to test, so scores are too high")
        encoding = Encoding(data, blocks, cut, self.mapping, str(model.device))
        ceiling = self._ceiling(recording, encoding)
        if self.mapping in GEOMETRIES and cut.timed:
            ceiling = replace(ceiling, shares=False)
        warnings += _about_ceiling(recording, encoding, ceiling, self.mapping)

        mapping = self.mapping if self.units is None else f"{self.mapping}, {self.units} language units"
        shown = split if self.group_by is None else f"{split} by {self.group_by}"
        setting = Setting(dataset=recording.name, split=shown, mapping=mapping, seed=self.seed)
        progress_here = partial(_prefixed, progress, model.name)
        warnings += unknown_letters(model.tokenizer, documents(recording)[0])
        features, units = self._features(model, recording, progress_here)
        few = too_few_to_exchange(cut) if self._n_surrogates() else None
        if few is not None:
            warnings.append(_no_certificate(recording.name, few))
        variants = surrogates(cut, 0 if few is not None else self._n_surrogates(), self.seed)
        found, scrambled = score_layers(features, encoding, variants, progress_here)
        warnings += _about_unscored(recording, data, found.nested)
        rows = score_rows(setting, data, found.layers, ceiling, nested=found.nested)
        rows.append(ceiling_row(setting, data, ceiling))
        arrays = {
            "r": _per_layer(found.layers, data),
            "r_nested": xr.DataArray(found.nested, dims=("target",), coords=_target_coords(data)),
            "ceiling": xr.DataArray(ceiling.values, dims=("target",)),
        }
        details = {
            "layers_chosen": list(found.chosen),
            "n_stimuli": int(data.shape[0]),
            "n_participants": len(recording.participants),
            "unit": recording.unit,
            "folds": len(cut.splits),
            "ceiling": ceiling.meaning,
            "start_token": model.start_token,
            **self._said_of_time(recording),
        }
        if scrambled is not None:
            rows += _certificate(setting, scrambled)
            arrays |= _surrogate_arrays(scrambled)
            warnings += _about_leaks(recording, scrambled, self.mapping)
        if self.controls:
            controls = measure_controls(features, encoding, found, setting, progress=progress_here)
            rows += controls.rows
            arrays |= controls.arrays
            details |= controls.details
        if units is not None:
            scores, _ = self._random_units(features, encoding, progress_here)
            rows += score_rows(setting, data, scores, ceiling, metric="r_random_units")
            arrays |= _unit_arrays(units) | {"r_random_units": _per_layer(scores, data)}
            details["language_network_by_layer"] = units.network_by_layer()
        if self._n_twins(model):
            twins, chosen = self._twins(model, recording, encoding, progress_here)
            rows += score_rows(setting, data, twins, ceiling, metric="r_untrained", nested=chosen)
            arrays["r_untrained"] = _per_layer(twins, data)
        return of_model(Result.from_rows(rows, arrays=arrays, warnings=tuple(warnings), details=details), model)

    def _said_of_time(self, recording: Recording) -> dict[str, Any]:
        """What a report needs to say of how words were brought to scans."""
        if not is_timed(recording):
            return {}
        said: dict[str, Any] = {"gap_seconds": RESPONSE_SECONDS, "high_pass_seconds": recording.high_pass}
        if self.response == "fir" and recording.repetition_time is not None:
            said["delays_seconds"] = delay_steps(recording.repetition_time, self.delays).round(3).tolist()
        return said

    def _ceiling(self, recording: Recording, encoding: Encoding) -> Ceiling:
        """Ceilings; unknown without participants to compare, unless a ceiling was asked for by name."""
        if self.ceiling is None and len(recording.participants) < 2:
            return Ceiling.unknown(encoding.n_targets)
        estimate = self.ceiling or "leave_one_out"
        return noise_ceiling(estimate, encoding.data, encoding.cut, self.mapping, self.seed, encoding.device)

    def _features(
        self, model: LanguageModel, recording: Recording, progress: Progress
    ) -> tuple[LayerFeatures, LanguageUnits | None]:
        """The features of a model, of its own language units alone where they are asked for."""
        states = model_states(model, recording, self.pool, self.stack, progress)
        features = LayerFeatures(states, recording, Response(self.response, self.delays))
        if self.units is None:
            return features, None
        found = localise(model, self.units, self.pool, self.stack, progress)
        return replace(features, units=found.units), found

    def _random_units(
        self, features: LayerFeatures, encoding: Encoding, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores (L + 1, v) of as many random units of each layer, the mean over draws."""
        assert self.units is not None
        n_layers, _, n_units = features.states.shape
        draws = (random_units(n_layers, n_units, self.units, self.seed + draw) for draw in range(_RANDOM_DRAWS))
        return _mean_scores((replace(features, units=units) for units in draws), encoding, progress)

    def _n_surrogates(self) -> int:
        """How many surrogate recordings: with controls 20, unless a number is given."""
        if self.surrogates is not None:
            return self.surrogates
        return DEFAULT_SURROGATES if self.controls else 0

    def _n_twins(self, model: LanguageModel) -> int:
        """How many untrained twins: with controls three, unless the model is an untrained twin itself."""
        if self.untrained or not self.controls or "+untrained" in model.revision:
            return self.untrained
        return _TWINS

    def _twins(
        self, model: LanguageModel, recording: Recording, encoding: Encoding, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores of untrained twins by layer (L + 1, v) and of the layer each chose (v,), means over seeds."""
        twins = (model.untrained(seed) for seed in range(self._n_twins(model)))
        return _mean_scores((self._features(twin, recording, progress)[0] for twin in twins), encoding, progress)


def brain_alignment(model: LanguageModel, data: Recording | str, progress: Progress = silent, **options: Any) -> Result:
    """Return the brain alignment of a model with a recording or a named data set; options as in `BrainAlignment`."""
    if isinstance(data, str):
        return BrainAlignment(data=data, **options).run(model, progress)
    return BrainAlignment(data=data.name, **options).measure(model, data, progress)


def _mean_scores(
    several: Iterable[LayerFeatures], encoding: Encoding, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (L + 1, v) and nested ones (v,), means over several features of a recording, made one by one."""
    scores = [score_layers(features, encoding, progress=progress)[0] for features in several]
    layers, nested = ([getattr(score, name) for score in scores] for name in ("layers", "nested"))
    return np.asarray(np.mean(layers, axis=0)), np.asarray(np.mean(nested, axis=0))


def _about_ceiling(recording: Recording, encoding: Encoding, ceiling: Ceiling, mapping: str) -> list[str]:
    if not ceiling.shares:
        return [
            f"{recording.name}: {mapping} compares geometries and fits nothing, so that time series which share only "
            "their slowness score above 0 with any text, and so does their ceiling: read the score beside its "
            "surrogates (--surrogates 20); no share of the ceiling is given"
        ]
    if not np.isfinite(ceiling.values).any():
        alone = (
            "there is one participant"
            if len(recording.participants) < 2
            else ("no two participants share a region, or too few of their responses are there at the same time")
        )
        return [f"{recording.name}: no noise ceiling, since {alone}"]
    if not reliable(encoding.data, ceiling):
        return [
            f"{recording.name}: the noise ceiling cannot be told from 0: people do not predict each other here, so "
            "that no share of it is given"
        ]
    return []


def _certificate(setting: Setting, scrambled: SurrogateScores) -> list[dict[str, Any]]:
    """The rows of the leak certificate: mean with its interval, spread, and p of the recording among its surrogates."""
    overall = {"layer": "nested", "target": "mean", "participant": "mean", "n": len(scrambled.nested)}
    mean = float(scrambled.nested.mean())
    ends = {"ci_low": mean - scrambled.reach, "ci_high": mean + scrambled.reach}
    rows = [setting.row(**overall, metric="r_surrogate", value=mean, **ends)]
    if len(scrambled.nested) > 1:
        rows.append(setting.row(**overall, metric="sd_surrogate", value=float(scrambled.nested.std(ddof=1))))
    return [*rows, setting.row(**overall, metric="p_surrogate", value=scrambled.p) | {"unit": "p"}]


def _about_unscored(recording: Recording, data: xr.DataArray, nested: np.ndarray) -> list[str]:
    """Say which targets have responses that vary, and still no score: they are constant in all that is held out."""
    lost = np.flatnonzero(~np.isfinite(nested) & ~never_varies(data.values) & np.isfinite(data.values).any(axis=0))
    if not len(lost):
        return []
    names = some(data["target_name"].values[lost])
    return [
        f"{recording.name}: {len(lost)} of {data.shape[1]} targets have no score, since they are constant, or next to "
        f"it, in every part that is held out or learned from ({names})"
    ]


def _no_certificate(name: str, few: int) -> str:
    return (
        f"{name}: no surrogates were drawn: {few} passages can change places in too few ways to tell chance from a "
        f"leak (at least {FEWEST_EXCHANGED} are needed)"
    )


def _about_leaks(recording: Recording, scrambled: SurrogateScores, mapping: str) -> list[str]:
    mean = float(scrambled.nested.mean())
    if not abs(mean) > scrambled.reach:
        return []
    if mapping in GEOMETRIES:
        return [
            f"{recording.name}: {len(scrambled.nested)} surrogate recordings, which have no relation to the text, "
            f"score {mean:+.3f} on average by {mapping}: so much of a score says nothing of the text"
        ]
    return [
        f"{recording.name}: {len(scrambled.nested)} surrogate recordings, which have no relation to the text, score "
        f"{mean:+.3f} on average, too far from 0 for chance (more than {scrambled.reach:.3f}): something leaks from "
        "training to test in this recording or split, and the scores are off by as much"
    ]


def _surrogate_arrays(scrambled: SurrogateScores) -> dict[str, xr.DataArray]:
    layers = {"layer": np.arange(scrambled.layers.shape[1])}
    return {
        "r_surrogate": xr.DataArray(scrambled.nested, dims=("surrogate",)),
        "r_surrogate_by_layer": xr.DataArray(scrambled.layers, dims=("surrogate", "layer"), coords=layers),
    }


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
