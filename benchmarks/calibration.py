"""What the printed numbers say where the truth is known: nothing planted, something planted, the same said wider.

`python -m benchmarks calibration [--quick]`, or one part of the simulated studies by `python -m benchmarks.calibration
--only models --studies 400`. Takes minutes; `make bench` leaves it out. The parts on *Alice* need the
data set (`TUNESHIFT_DATA`, or `tuneshift data alice2016 --fetch`) and say so where it is absent.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from benchmarks import _calibration_models, _calibration_reading
from tuneshift.brain import brain_alignment
from tuneshift.brain.ceilings import noise_ceiling
from tuneshift.brain.encoding import Encoding
from tuneshift.brain.layer_features import LayerFeatures, model_states
from tuneshift.brain.layer_scores import score_layers
from tuneshift.brain.partition import partition
from tuneshift.brain.surrogates import PhaseRandomised
from tuneshift.brain.targets import target_blocks
from tuneshift.human import DATA_SETS, Recording, load_data
from tuneshift.human.datasets.simulated_brain import load_truth
from tuneshift.models import LanguageModel

WIDTHS = (1024, 2048, 4096)
CELLS: dict[str, Callable[[int, int], list[dict[str, Any]]]] = {
    "reading": _calibration_reading.cells,
    "models": _calibration_models.cells,
}
"""Simulated studies through the public functions, by part: how often intervals hold the truth and nothing is found."""


def scrambled(recording: Recording, models: list[LanguageModel], draws: int) -> None:
    print(f"{recording.name} and {draws} surrogates without any relation to the text (true score: 0), nested layer")
    for model in models:
        result = brain_alignment(model, recording, surrogates=draws)
        where = {"layer": "nested", "target": "mean", "participant": "mean"}
        made = result.arrays["r_surrogate"].values
        last = result.value(**{**where, "layer": str(model.n_layers)}, metric="r")
        print(
            f"  {model.name:<24} r {result.value(**where, metric='r'):+.4f}, last layer {last:+.4f}; surrogates "
            f"{made.mean():+.4f} (standard error {made.std(ddof=1) / np.sqrt(draws):.4f}, sd {made.std(ddof=1):.4f}), "
            f"p {result.value(**where, metric='p_surrogate'):.3f}",
            flush=True,
        )


def width(recording: Recording, model: LanguageModel, narrow: LanguageModel) -> None:
    print(f"{recording.name}: last layer of {model.name}, and tanh projections of its states, which hold the same")
    cut = partition(recording)
    encoding = Encoding(recording.data, target_blocks(recording.data, recording.name)[0], cut)

    def score(states: np.ndarray) -> float:
        features = LayerFeatures(states[None].astype(np.float32), recording)
        return float(np.nanmean(score_layers(features, encoding)[0].layers))

    states = model_states(model, recording)[-1].astype(np.float64)
    standard = (states - states.mean(axis=0)) / states.std(axis=0)
    own = score(states)
    print(f"  {model.name}, {states.shape[1]} units: {own:.4f}")
    for units in WIDTHS:
        weights = np.random.default_rng(units).standard_normal((states.shape[1], units)) / np.sqrt(states.shape[1])
        found = score(np.tanh(standard @ weights))
        print(f"  {units} projections: {found:.4f}, {found / own:.2f} of it", flush=True)
    other = model_states(narrow, recording)[-1]
    print(f"  {narrow.name}, {other.shape[1]} units: {score(other):.4f}")


def unrelated(recording: Recording, draws: int) -> None:
    """Each person's phases are drawn by themselves: nobody has anything in common with anybody."""
    cut = partition(recording)
    people = recording.data["participant"].values
    found = []
    for draw in range(draws):
        values = recording.data.values.copy()
        for number, name in enumerate(recording.participants):
            mine = people == name
            values[:, mine] = PhaseRandomised(np.asarray(cut.runs), 1000 * draw + number)(
                values[:, mine], np.arange(len(values))
            )
        ceiling = noise_ceiling("leave_one_out", recording.data.copy(data=values), cut)
        found.append(float(np.nanmean(ceiling.values)))
    error = np.std(found, ddof=1) / np.sqrt(draws)
    real = float(np.nanmean(noise_ceiling("leave_one_out", recording.data, cut).values))
    print(
        f"{recording.name}: noise ceiling {real:.3f}; of {draws} recordings of people with nothing in common "
        f"{np.mean(found):+.4f} (standard error {error:.4f}, sd {np.std(found, ddof=1):.3f})"
    )


def planted(model: LanguageModel, draws: int) -> None:
    recording = load_data("simulated_brain")
    assert isinstance(recording, Recording)
    truth = load_truth()
    table = brain_alignment(model, recording, controls=True, untrained=1, surrogates=draws).table
    rows = table[(table["participant"] == "mean") & (table["target"] == "mean")].set_index(["metric", "layer"])
    print("simulated_brain: planted, and found with its 95% interval")
    for metric, layer, value in (
        ("unique_r2_extrapolated", "nested", truth["unique_variance"].mean()),
        ("ceiling", None, truth["ceiling"].mean()),
        ("r_surrogate", "nested", 0.0),
    ):
        row = rows.loc[metric].iloc[0] if layer is None else rows.loc[(metric, layer)]
        print(f"  {metric}: {value:.4f}; {row['value']:.4f} [{row['ci_low']:.4f}, {row['ci_high']:.4f}]")


def promised(part: str, studies: int, seed: int = 0) -> None:
    """Print how often the intervals and p of a part say what they promise, with Wilson's 95% limits."""
    print(
        f"{part}, {studies} simulated studies a line: intervals of 95% that hold the truth, p below .05 without effect"
    )
    for cell in CELLS[part](studies, seed):
        told = [f"covered {_share(cell['covered'], cell['studies'])}"]
        if cell.get("found_under_null") is not None:
            told.append(f"found without effect {_share(cell['found_under_null'], cell['studies'])}")
        print(f"  {cell['number']}, {cell['cell']}: {'; '.join(told)}", flush=True)


def _share(count: int, n: int) -> str:
    low, high = proportion_confint(count, n, method="wilson")
    return f"{100 * count / n:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks calibration", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=[*CELLS], help="one part: simulated studies of reading, or over models")
    parser.add_argument("--studies", type=int, default=None, help="simulated studies a line (200; with --quick 20)")
    options = parser.parse_args(argv)
    studies = options.studies or (20 if options.quick else 200)
    for part in [options.only] if options.only else CELLS:
        promised(part, studies)
    if options.only:
        return
    draws = 4 if options.quick else 20
    small, large = (LanguageModel.load(name, device="cpu") for name in ("fable-2m", "fable-8m"))
    planted(large, draws)
    if not DATA_SETS["alice2016"].is_here():
        print("alice2016 is not here: scrambled recordings, widths and unrelated people were left out")
        return
    alice = load_data("alice2016")
    assert isinstance(alice, Recording)
    twins = [large.untrained(seed) for seed in range(1 if options.quick else 3)]
    scrambled(alice, [small] if options.quick else [small, large, *twins], draws)
    width(alice, large, small)
    unrelated(alice, draws)


if __name__ == "__main__":
    main()
