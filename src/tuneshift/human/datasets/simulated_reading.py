"""simulated_reading: 12 simulated readers of the project's stories; what slows each of them is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.human.embedded_data import EmbeddedDataSet, embedded_file
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.simulated.simulation_reading import split_half_ceiling, story_words
from tuneshift.human.stories import FILE as STORIES
from tuneshift.human.stories import stories

FILE = "simulated_reading.nc"


def load_truth() -> pd.DataFrame:
    """Return the planted coefficients, one row a reader: `participant`, `base` (ms), and ms per unit of each effect."""
    dataset = xr.load_dataset(embedded_file(FILE), engine="h5netcdf")
    table = pd.DataFrame(dataset["coefficient"].values, columns=dataset["effect"].values.tolist())
    table.insert(0, "base", dataset["base"].values)
    table.insert(0, "participant", dataset["participant"].values)
    return table


def load_predictors() -> pd.DataFrame:
    """Return the centred predictors that the readers' times were made from, one row a word."""
    dataset = xr.load_dataset(embedded_file(FILE), engine="h5netcdf")
    return pd.DataFrame(dataset["predictor"].values, columns=dataset["effect"].values.tolist())


def _read(file: Callable[[str], Path]) -> ReadingTimes:
    dataset = xr.load_dataset(file(FILE), engine="h5netcdf")
    times = dataset["time"].values.astype(np.float64)
    readers = dataset["participant"].values
    words = story_words(stories(), dataset["log_frequency"].values)
    by_participant = pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(times)), len(readers)),
            "participant": np.tile(readers, len(times)),
            "time": times.ravel(),
        }
    )
    return ReadingTimes(
        name="simulated_reading",
        words=words.assign(time=times.mean(axis=1), n=len(readers)),
        release="simulated, seed 0",
        by_participant=by_participant,
        ceiling=split_half_ceiling(times),
        ceiling_source="split-half over 12 readers, Spearman-Brown, mean of 100 random splits",
    )


DATA_SET = EmbeddedDataSet(
    name="simulated_reading",
    kind="reading",
    citation="tuneshift: simulated readers with planted effects (docs/simulated_data.md)",
    licence="CC0-1.0",
    sources=(),
    reader=_read,
    notes="No person was measured: times are made from surprisals of fable-8m, word length, log frequency and noise.",
    files=(FILE, STORIES),
)
