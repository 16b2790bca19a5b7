"""Damaged copies of text files are refused in a sentence, read whole, or say the difference; the check agrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks._corpus_layouts import LAYOUTS, written
from benchmarks.files import KINDS, damaged_copies, written_copy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.human import check_file, import_reading_times, load_data

CHECKED = [kind for kind in KINDS if kind.startswith(("own ", "corpus "))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_copy_is_refused_or_read_whole_or_says_the_difference(kind: str) -> None:
    n_copies = 5 if kind in CHECKED else 20  # the good file is read, too: were it refused, this test would say so
    found, faults = damaged_copies(kind, n_copies, seed=1)
    assert not faults
    assert sum(found.values()) == n_copies


@pytest.mark.parametrize("kind", CHECKED)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_what_data_check_finds_the_reader_refuses_and_the_other_way_round(tmp_path: Path, kind: str, seed: int) -> None:
    path = written_copy(tmp_path, kind, np.random.default_rng(seed))
    fatal = [problem for problem in check_file(path) if not problem.startswith("warning: ")]
    refusal = ""
    try:
        (load_data if kind.startswith("own ") else import_reading_times)(path)
    except BadInput as error:
        refusal = str(error)
    path.unlink()
    assert bool(refusal) == bool(fatal), (refusal, fatal)
    same = not fatal or fatal[0].removeprefix(f"{path}").strip(":, .") in refusal
    assert same or "is none of provo" in refusal  # a table without a corpus's columns is checked as one of one's own


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_corpus_is_checked_by_what_its_import_takes(tmp_path: Path, layout: str) -> None:
    path = written(tmp_path / "corpus.txt", layout, repr)
    told = [problem.removeprefix("warning: ") for problem in check_file(path)]
    assert set(import_reading_times(path).notes) <= set(told)
