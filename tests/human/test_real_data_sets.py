"""The real data sets are read as their authors published them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS, ReadingTimes, Recording, load_data


def test_alice_has_27_people_6_regions_and_the_words_they_heard(real_data: Path) -> None:
    recording = load_data("alice2016")
    assert isinstance(recording, Recording)
    assert recording.data.shape == (362, 27 * 6)
    assert len(recording.participants) == 27
    assert "s33" not in recording.participants
    assert "s33" in recording.dropped[0]
    assert recording.words is not None
    assert recording.words.words[:6] == ("Alice", "was", "beginning", "to", "get", "very")
    assert (np.diff(recording.words.onset) > 0).all()
    assert (recording.words.offset >= recording.words.onset).all()
    assert recording.data["time"].values[[0, -1]].tolist() == [20.0, 742.0]
    assert recording.words.onset[-1] < 744  # the last scan began at 742 s and took two


def test_alice_columns_are_the_files_columns(real_data: Path) -> None:
    recording = load_data("alice2016")
    assert isinstance(recording, Recording)
    s22 = np.loadtxt(real_data / "alice2016/alice_data_shared/6mm/s22-timecourses.txt")
    mine = recording.data[:, recording.data["participant"] == "s22"]
    np.testing.assert_array_equal(mine.values, s22)
    assert mine["region"].values.tolist() == ["LATL", "RATL", "LPTL", "LIPL", "LPreM", "LIFG"]


def test_the_words_rate_agrees_with_the_authors_own_regressor(real_data: Path) -> None:
    """SOURCE.txt: row k stands for 20 + 2k s; convolved word rate then agrees with the shipped one."""
    from scipy.stats import gamma

    recording = load_data("alice2016")
    assert isinstance(recording, Recording)
    assert recording.words is not None
    step = 0.1
    train = np.zeros(int(800 / step))
    np.add.at(train, (recording.words.offset / step).astype(int), 1)
    lags = np.arange(0, 32, step)
    response = np.convolve(train, gamma.pdf(lags, 6) - gamma.pdf(lags, 16) / 6)
    mine = response[(recording.data["time"].values / step).astype(int)]
    theirs = np.loadtxt(real_data / "alice2016/alice_data_shared/s18-rate.txt")[:362]
    assert np.corrcoef(mine, theirs)[0, 1] > 0.95


def test_natural_stories_has_ten_stories_in_their_own_order(real_data: Path) -> None:
    times = load_data("natural_stories")
    assert isinstance(times, ReadingTimes)
    assert len(times.words) == 10_256
    assert list(times.documents) == [str(n) for n in range(1, 11)]  # numbers, not strings: 10 comes last
    assert times.documents["1"][:4] == ["If", "you", "were", "to"]
    assert times.words["time"].between(200, 1500).all()
    assert "one word early" in times.warnings[0]


def test_the_published_times_stand_one_word_early_and_the_realigned_release_mends_it(real_data: Path) -> None:
    """A word's length cannot slow the reader before the word is shown; in the published table it seems to."""

    def length_predicts(release: str, lag: int) -> float:
        times = load_data("natural_stories", release)
        assert isinstance(times, ReadingTimes)
        words = times.words
        shifted = words.groupby("document", sort=False)["time"].shift(-lag)
        return float(words["word"].str.len().corr(shifted.where(words["position"] > 2)))

    assert length_predicts("published", -1) > length_predicts("published", 1) + 0.05
    assert length_predicts("realigned", -1) < length_predicts("realigned", 1) - 0.15
    assert abs(length_predicts("realigned", -1)) < 0.1


def test_the_2018_release_differs_in_story_three_only(real_data: Path) -> None:
    now, then = (load_data("natural_stories", release) for release in ("published", "2018"))
    assert isinstance(now, ReadingTimes)
    assert isinstance(then, ReadingTimes)
    changed = now.words[now.words["time"] != then.words["time"]]
    assert set(changed["document"]) == {"3"}
    assert changed["position"].min() == 230


def test_a_damaged_file_is_refused_by_its_checksum(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "natural_stories"
    folder.mkdir()
    for source in DATA_SETS["natural_stories"].sources:
        text = (real_data / source.path).read_text()
        (tmp_path / source.path).write_text(text.replace("If", "Iff", 1))
    monkeypatch.setenv("TUNESHIFT_DATA", str(tmp_path))
    with pytest.raises(BadInput, match="the file is damaged or another release"):
        load_data("natural_stories")


def test_words_that_do_not_line_up_are_refused_at_the_first_place(tmp_path: Path) -> None:
    from tuneshift.human.datasets.natural_stories import read

    text = pd.DataFrame({"word": ["A", "fox", "ran."], "zone": [1, 2, 3], "item": [1, 1, 1]})
    times = text.assign(word=["A", "dog", "ran."], nItem=9, meanItemRT=300.0)
    text.to_csv(tmp_path / "text", sep="\t", index=False)
    times.to_csv(tmp_path / "times", sep="\t", index=False)
    with pytest.raises(BadInput, match=r"part at story 1, word 2: 'fox' in .*'dog' in"):
        read(lambda path: tmp_path / ("text" if path.endswith(".tok") else "times"))
