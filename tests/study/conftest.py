"""Runs of the engine are short here, so what the interpreter does beside them must be too."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(scope="session", autouse=True)
def _quick_collection() -> None:
    gc.collect()
    gc.freeze()  # the engine collects garbage after each model: the packages' own objects need no look each time
