"""The published files of surprisals, spoiled one way at a time: refused with the first place where they differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, load_data
from tuneshift.reading import SurprisalFile, reading_alignment

Articles = dict[str, list[list[Any]]]


@pytest.fixture(scope="module")
def times(real_data: Path) -> ReadingTimes:
    loaded = load_data("kuribayashi2024")
    assert isinstance(loaded, ReadingTimes)
    return loaded


@pytest.fixture
def articles(real_data: Path) -> Articles:
    found: Articles = json.loads((real_data / "kuribayashi2024" / "NS" / "gpt2" / "surprisal.json").read_text())
    return found


def _one_word_short(articles: Articles) -> None:
    articles["4"][6].pop()


def _without_the_last_word(articles: Articles) -> None:
    articles["10"][-1].pop()


def _two_stories_swapped(articles: Articles) -> None:
    articles["2"], articles["3"] = articles["3"], articles["2"]


def _two_sentences_swapped(articles: Articles) -> None:
    articles["5"][1], articles["5"][2] = articles["5"][2], articles["5"][1]


def _a_number_missing(articles: Articles) -> None:
    articles["7"][0][3] = None


def _log_probabilities(articles: Articles) -> None:
    for name, sentences in articles.items():
        articles[name] = [[-value for value in sentence] for sentence in sentences]


def _a_story_left_out(articles: Articles) -> None:
    del articles["6"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_one_word_short, r"words of document 4, kuribayashi2024 has .*: they part in sentence 7 \(it begins with"),
        (_without_the_last_word, "words of document 10, kuribayashi2024 has .*: they part in sentence "),
        (_two_stories_swapped, "words of document 2, kuribayashi2024 has .*: they part in sentence 1 "),
        (
            _two_sentences_swapped,
            r"document 5 in another order than kuribayashi2024: they part in sentence 2 \(it begins with",
        ),
        (_a_number_missing, r"document 7, word 4 \('.*'\) has nan \(1 such words\)"),
        (_log_probabilities, "log probabilities have the other sign"),
        (_a_story_left_out, "lack document '6' of kuribayashi2024"),
    ],
)
def test_a_spoiled_file_is_refused_with_its_first_place(
    tmp_path: Path, times: ReadingTimes, articles: Articles, spoil: Callable[[Articles], None], said: str
) -> None:
    spoil(articles)
    path = tmp_path / "surprisal.json"
    path.write_text(json.dumps(articles))
    with pytest.raises(BadInput, match=said):
        reading_alignment(SurprisalFile("gpt2", path, "nats"), times, n_boot=0)


def test_nats_and_bits_give_the_same_scores_and_only_the_slopes_differ(
    tmp_path: Path, times: ReadingTimes, articles: Articles
) -> None:
    path = tmp_path / "surprisal.json"
    path.write_text(json.dumps(articles))
    nats, bits = (reading_alignment(SurprisalFile("gpt2", path, unit), times, n_boot=0) for unit in ("nats", "bits"))  # type: ignore[arg-type]
    for metric in ("pearson_r", "delta_ll"):
        assert nats.value(metric=metric) == pytest.approx(bits.value(metric=metric))
    slopes = [result.value(metric="slope", target="word") for result in (nats, bits)]
    assert slopes[1] / slopes[0] == pytest.approx(1 / np.log(2))


def test_stories_in_another_order_in_the_file_are_the_same_stories(
    tmp_path: Path, times: ReadingTimes, articles: Articles
) -> None:
    path = tmp_path / "surprisal.json"
    scores = []
    for order in (lambda name: int(name), str):  # by number, and as text: 1, 10, 2
        path.write_text(json.dumps({name: articles[name] for name in sorted(articles, key=order)}))
        result = reading_alignment(SurprisalFile("gpt2", path, "nats"), times, regression="published", n_boot=0)
        scores.append(result.value(metric="delta_ll_total"))
    assert scores[0] == scores[1] == pytest.approx(119.4, abs=0.06)
