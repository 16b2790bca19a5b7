"""One measurement of fable-8m on the simulated participants, which several tests look at, and small recordings."""

from __future__ import annotations

import pandas as pd
import pytest

from tuneshift.brain import BrainAlignment
from tuneshift.human import Recording, load_data
from tuneshift.human.datasets.simulated_brain import load_truth
from tuneshift.models import LanguageModel
from tuneshift.result import Result


@pytest.fixture(scope="session")
def simulated() -> Recording:
    recording = load_data("simulated_brain")
    assert isinstance(recording, Recording)
    return recording


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return load_truth()


@pytest.fixture(scope="session")
def simulated_result(fable_8m: LanguageModel, simulated: Recording) -> Result:
    return BrainAlignment(data="simulated_brain").measure(fable_8m, simulated)
