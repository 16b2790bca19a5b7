"""The 26 models of Kuribayashi et al. (2024): our regression against statsmodels on the authors' own columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from tuneshift.human import ReadingTimes, load_data
from tuneshift.reading.contributions import groups_of, interval, word_contributions
from tuneshift.reading.published import published_regression

CONTROLS = "length + log_gmean_freq + length_prev_1 + log_gmean_freq_prev_1 + length_prev_2 + log_gmean_freq_prev_2"


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data / "kuribayashi2024"


@pytest.fixture(scope="module")
def times(folder: Path) -> ReadingTimes:
    loaded = load_data("kuribayashi2024")
    assert isinstance(loaded, ReadingTimes)
    return loaded


def _articles(folder: Path, model: str) -> dict[str, list[list[float]]]:
    return json.loads((folder / "NS" / model / "surprisal.json").read_text())


def _in_order(articles: dict[str, list[list[float]]]) -> np.ndarray:
    return np.array([value for key in sorted(articles, key=int) for sentence in articles[key] for value in sentence])


def _by_hand(folder: Path, articles: dict[str, list[list[float]]], previous_in_order_of: type) -> float:
    """Total delta-LL in nats from the authors' table, the way their description says, with statsmodels."""
    table = pd.read_csv(folder / "NS_averaged_rt_annotated.csv", escapechar="\\")
    table["s"] = _in_order(articles)
    mean = float(table["s"].mean())
    table["s_1"], table["s_2"] = (
        [
            value
            for key in sorted(articles, key=previous_in_order_of)
            for sentence in articles[key]
            for value in ([mean] * back + sentence)[: len(sentence)]
        ]
        for back in (1, 2)
    )
    table = table[(table["time"] > 0) & (table["tokenN_in_sent"] > 0) & ~table["is_first"] & ~table["is_last"]]
    full = smf.ols(f"time ~ s + s_1 + s_2 + {CONTROLS}", table).fit()
    return float(full.llf - smf.ols(f"time ~ s_1 + s_2 + {CONTROLS}", table).fit().llf)


def _ours(times: ReadingTimes, surprisal: np.ndarray) -> float:
    return published_regression(surprisal, times).total


def test_all_26_models_agree_with_the_regression_done_by_hand(folder: Path, times: ReadingTimes) -> None:
    models = sorted(path.name for path in (folder / "NS").iterdir())
    assert len(models) == 26
    for model in models:
        articles = _articles(folder, model)
        assert _ours(times, _in_order(articles)) == pytest.approx(_by_hand(folder, articles, int), abs=0.01), model


@pytest.mark.parametrize(
    ("model", "total"),
    [("gpt2", 119.4), ("gpt2-xl", 82.3), ("Llama-2-7b-hf", 46.8), ("Llama-2-7b-chat-hf", 52.9)],
)
def test_known_totals_are_found(folder: Path, times: ReadingTimes, model: str, total: float) -> None:
    assert _ours(times, _in_order(_articles(folder, model))) == pytest.approx(total, abs=0.06)


def test_stories_are_ordered_as_numbers_and_the_order_matters(folder: Path, times: ReadingTimes) -> None:
    # Sorted as text, story 10 comes second: the spillover of eight stories stands beside the wrong words.
    articles = _articles(folder, "gpt2")
    as_text = _by_hand(folder, articles, str)
    as_numbers = _by_hand(folder, articles, int)
    assert as_text - as_numbers > 20
    assert _ours(times, _in_order(articles)) == pytest.approx(as_numbers, abs=0.01)
    assert list(times.documents) == [str(number) for number in range(1, 11)]
    words = json.loads((folder / "NS_tokens.json").read_text())
    assert times.words["word"].tolist() == [w for k in sorted(words, key=int) for s in words[k] for w in s]


def test_every_words_share_adds_up_to_the_total(folder: Path, times: ReadingTimes) -> None:
    found = published_regression(_in_order(_articles(folder, "opt-125m")), times)
    assert len(found.rows) == 9198
    low, high = interval(word_contributions(found.mean_gain.scaled(9198), times, groups_of(times)))
    assert low < found.gain.sum() < high
    assert found.gain.sum() == pytest.approx(found.total)
