"""The ceiling: from halves of the readers where their own times are known, by hand where they are not."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import plant
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.human import ReadingTimes, load_data, write_reading_times
from tuneshift.human.reading_times.reading_ceiling import split_half


def test_split_half_reliability_is_the_mean_over_all_ways_to_halve_the_readers() -> None:
    random = np.random.default_rng(0)
    times = random.normal(300, 30, (200, 1)) + random.normal(0, 60, (200, 6))
    by_hand = []
    for half in itertools.combinations(range(6), 3):
        other = [reader for reader in range(6) if reader not in half]
        r = np.corrcoef(times[:, list(half)].mean(1), times[:, other].mean(1))[0, 1]
        by_hand.append(2 * r / (1 + r))
    found, source = split_half(times, n_splits=400)
    assert found == pytest.approx(np.mean(by_hand), abs=0.01)
    assert "split-half over 6 readers" in source
    # In theory: the variance of the words' own means against that with a sixth of the noise.
    assert found == pytest.approx(30**2 / (30**2 + 60**2 / 6), abs=0.06)


def test_readers_who_have_nothing_in_common_have_no_ceiling_to_speak_of() -> None:
    found, _ = split_half(np.random.default_rng(1).normal(300, 60, (2000, 8)))
    assert found is not None
    assert abs(found) < 0.1
    assert split_half(np.ones((50, 1)))[0] is None


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Reading times with readers, the same as means only, and surprisals, as files."""
    made = plant(n_documents=6, n_words=60, n_readers=4)
    words = made.times.words
    with_readers = write_reading_times(made.times, tmp_path / "readers.csv")
    means = tmp_path / "means.csv"
    words[["document", "word", "time"]].assign(index=words["position"]).to_csv(means, index=False)
    surprisals = tmp_path / "surprisals.csv"
    words[["document", "position", "word"]].assign(surprisal=made.surprisal).to_csv(surprisals, index=False)
    return {"readers": with_readers, "means": means, "surprisals": surprisals}


def _run(files: dict[str, Path], data: str, *options: str) -> tuple[pd.DataFrame, list[str]]:
    words = ["reading", "a-model", "--data", str(files[data]), "--surprisals", str(files["surprisals"]), "--json"]
    done = CliRunner().invoke(app, [*words, *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    return pd.DataFrame(found["rows"]), found["warnings"]


def test_means_have_no_ceiling_until_one_is_given_by_hand(files: dict[str, Path]) -> None:
    rows, warnings = _run(files, "means")
    assert "pearson_r_normalised" not in set(rows["metric"])
    assert any("no noise ceiling" in warning for warning in warnings)
    rows, warnings = _run(files, "means", "--ceiling", ".858")
    value = rows.set_index("metric")["value"]
    assert value["pearson_r_normalised"] == pytest.approx(value["pearson_r"] / 0.858)
    assert set(rows.loc[rows["metric"] == "pearson_r", "ceiling"]) == {0.858}
    assert not any("no noise ceiling" in warning for warning in warnings)


def test_readers_of_their_own_give_the_ceiling(files: dict[str, Path]) -> None:
    rows, _ = _run(files, "readers", "--no-mixed-model")
    times = load_data(files["readers"])
    assert isinstance(times, ReadingTimes)
    overall = rows[rows["participant"].isna()].set_index("metric")
    assert overall.loc["pearson_r", "ceiling"] == pytest.approx(times.ceiling)
    assert overall.loc["pearson_r_normalised", "value"] == pytest.approx(
        overall.loc["pearson_r", "value"] / times.ceiling
    )
    assert rows["participant"].nunique() == 4


def test_exclusion_and_spillover_reach_the_measurement(files: dict[str, Path]) -> None:
    plain, _ = _run(files, "means")
    other, _ = _run(files, "means", "--exclude", "sentence_initial", "--spillover", "1")
    assert plain.set_index("metric").loc["pearson_r", "n"] == 6 * 59
    n_sentences = int(load_data(files["means"]).words["sentence_initial"].sum())  # type: ignore[union-attr]
    assert other.set_index("metric").loc["pearson_r", "n"] == 6 * 60 - n_sentences
    assert (plain["metric"] == "slope").sum() == 3
    assert (other["metric"] == "slope").sum() == 2
