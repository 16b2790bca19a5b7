"""Make the embedded simulated data again: `python tools/make_simulated_data.py [--out FOLDER]`.

Reads the stories with fable-8m, plants the truth in simulated participants, and writes the two netCDF files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr

from tuneshift.human.embedded_data import FOLDER
from tuneshift.human.simulated.simulation_brain import simulate_brain
from tuneshift.human.simulated.simulation_reading import simulate_reading, story_words
from tuneshift.human.stories import stories
from tuneshift.models import LanguageModel

MODEL = "fable-8m"
LAYER = 6
SEED = 0


def make_brain(model: LanguageModel) -> xr.Dataset:
    """Plant the leading directions of one layer, at the last token of every sentence, in simulated brains."""
    texts = stories()
    features = model.hidden_states([story.sentences for story in texts], layers=[LAYER])[:, 0]
    sentences = [sentence for story in texts for sentence in story.sentences]
    passages = [story.name for story in texts for _ in story.sentences]
    dataset = simulate_brain(features, sentences, passages, seed=SEED)
    return dataset.assign_attrs(model=MODEL, layer=LAYER, seed=SEED, licence="CC0-1.0")


def make_reading(model: LanguageModel) -> xr.Dataset:
    """Let simulated readers read the stories with the boundary-corrected surprisals of the model."""
    texts = stories()
    surprisal = model.surprisals([story.words for story in texts])["surprisal"].to_numpy()
    dataset = simulate_reading(story_words(texts), surprisal, seed=SEED)
    return dataset.assign_attrs(model=MODEL, seed=SEED, licence="CC0-1.0")


def write(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset, numbers compressed."""
    numbers = [name for name, variable in dataset.data_vars.items() if variable.dtype.kind == "f"]
    encoding = {name: {"zlib": True, "complevel": 9, "shuffle": True} for name in numbers}
    dataset.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def main(argv: list[str] | None = None) -> None:
    """Write simulated_brain.nc and simulated_reading.nc."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    folder = parser.parse_args(argv).out
    model = LanguageModel.load(MODEL, device="cpu", dtype="float32")
    write(make_brain(model), folder / "simulated_brain.nc")
    write(make_reading(model), folder / "simulated_reading.nc")


if __name__ == "__main__":
    main()
