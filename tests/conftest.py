"""Shared by all tests: no network, fixed seeds, real data where the folder is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

os.environ["HF_HUB_OFFLINE"] = "1"  # a test never downloads
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if "PYTEST_XDIST_WORKER" in os.environ:  # as many workers as processors: a thread each, for what they start too
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)

from tuneshift.models import LanguageModel

SEED = 20231201
# What is late on a crowded machine is not wrong.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    np.random.seed(SEED)  # noqa: NPY002  libraries that use the global generator
    torch.manual_seed(SEED)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings and reading times; skips (or, in CI with data, fails) where it is absent."""
    folder = os.environ.get("TUNESHIFT_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    if os.environ.get("TUNESHIFT_REQUIRE_DATA"):
        pytest.fail("TUNESHIFT_REQUIRE_DATA is set but TUNESHIFT_DATA names no folder")
    pytest.skip("TUNESHIFT_DATA names no folder with the real recordings and reading times")


@pytest.fixture(scope="session")
def fable_2m() -> LanguageModel:
    return LanguageModel.load("fable-2m", device="cpu")


@pytest.fixture(scope="session")
def fable_2m_instruct() -> LanguageModel:
    return LanguageModel.load("fable-2m-instruct", device="cpu")


@pytest.fixture(scope="session")
def fable_8m() -> LanguageModel:
    return LanguageModel.load("fable-8m", device="cpu")


@pytest.fixture(scope="session")
def fable_8m_instruct() -> LanguageModel:
    return LanguageModel.load("fable-8m-instruct", device="cpu")
