"""Reading alignment end to end: what was planted is found, what was not is not, and bad data are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import Planted, plant

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, load_data
from tuneshift.models import LanguageModel
from tuneshift.progress import silent
from tuneshift.reading import ReadingAlignment, reading_alignment
from tuneshift.reading.scores import Settings, measure
from tuneshift.reading.word_order import lag_profile
from tuneshift.result import Result
from tuneshift.study import run

SETTINGS = Settings(
    exclude="document_initial", published=False, spillover=2, folds=10, ceiling=None, mixed_model=False, seed=0,
    form="plain",
)  # fmt: skip


def _measure(made: Planted, **changes: object) -> Result:
    return measure({"corrected": made.surprisal}, made.times, replace(SETTINGS, **changes), silent)  # type: ignore[arg-type]


def _story(words: list[str], **columns: object) -> ReadingTimes:
    table = pd.DataFrame(
        {
            "document": "one", "position": range(len(words)), "word": words, "sentence": np.arange(len(words)) // 8,
            "sentence_initial": np.arange(len(words)) % 8 == 0, "sentence_final": np.arange(len(words)) % 8 == 7,
            "time": np.random.default_rng(0).normal(330, 30, len(words)), "n": 10,
        }
    ).assign(**columns)  # fmt: skip
    return ReadingTimes("a story", table, release="test")


STORY = ("The miller woke before the sun and lit the lamp. Somewhere below, the wheel had stopped. " * 6).split()


def test_planted_slopes_are_found_word_and_word_before(planted: Planted) -> None:
    result = _measure(planted)
    assert result.value(metric="slope", target="word") == pytest.approx(planted.slopes.mean(), abs=0.5)
    assert result.value(metric="slope", target="previous word") == pytest.approx(2.0, abs=0.5)
    assert result.value(metric="slope", target="2 words before") == pytest.approx(0.0, abs=0.5)
    row = result.table[result.table["metric"] == "delta_ll"].iloc[0]
    assert 0 < row["ci_low"] < row["value"] < row["ci_high"]
    assert row["unit"] == "nats x 1000"


def test_surprisal_that_slows_nobody_predicts_nothing() -> None:
    made = plant(slope=0, spillover=0, seed=4)
    result = _measure(made)
    assert result.value(metric="delta_ll") < 1
    slope = result.value(metric="slope", target="word")
    assert abs(slope) < 0.5


def test_r_is_over_all_words_but_each_documents_first(planted: Planted) -> None:
    words = planted.times.words
    kept = words["position"] > 0
    expected = np.corrcoef(planted.surprisal[kept], words["time"][kept])[0, 1]
    row = _measure(planted).table.iloc[0]
    assert (row["metric"], row["n"]) == ("pearson_r", 12 * 159)
    assert row["value"] == pytest.approx(expected)
    assert row["ci_low"] < expected < row["ci_high"]
    inside = ~words["sentence_initial"]
    other = _measure(planted, exclude="sentence_initial").table.iloc[0]
    assert other["value"] == pytest.approx(np.corrcoef(planted.surprisal[inside], words["time"][inside])[0, 1])
    assert other["n"] == inside.sum()


def test_r_is_normalised_where_a_ceiling_is_known_and_a_warning_says_where_not(planted: Planted) -> None:
    result = _measure(planted, ceiling=0.8)
    r = float(result.table["value"].iloc[0])
    assert result.value(metric="pearson_r_normalised") == pytest.approx(r / 0.8)
    assert result.table["ceiling"].iloc[0] == 0.8
    without = _measure(planted)
    assert "pearson_r_normalised" not in set(without.table["metric"])
    assert any("no noise ceiling" in warning for warning in without.warnings)


def test_every_words_share_of_delta_ll_is_kept_for_pairs(planted: Planted) -> None:
    result = _measure(planted)
    shares = result.arrays["delta_ll_corrected"]
    assert float(shares.mean()) == pytest.approx(result.value(metric="delta_ll"), rel=1e-4)
    assert set(shares.coords["document"].values) == {f"story {i + 1}" for i in range(12)}


def test_every_words_share_of_r_stands_for_r_in_any_draw_of_stories() -> None:
    made, other = plant(), plant(seed=5).surprisal
    words = made.times.words
    kept = (words["position"] > 0).to_numpy()
    shares = [
        measure({"corrected": surprisal}, made.times, SETTINGS, silent).arrays["pearson_r_corrected"]
        for surprisal in (made.surprisal, made.surprisal + other)
    ]
    first = float(np.corrcoef(made.surprisal[kept], words["time"][kept])[0, 1])
    assert float(shares[0].mean()) == pytest.approx(first, abs=1e-6)
    difference = (shares[1] - shares[0]).values
    story = words["document"].to_numpy(str)[kept]
    names = np.unique(story)
    assert shares[0].coords["document"].values.tolist() == story.tolist()
    random = np.random.default_rng(0)
    exact, paired = [], []
    for _ in range(300):
        rows = np.concatenate([np.flatnonzero(story == name) for name in random.choice(names, len(names))])
        time = words["time"].to_numpy()[kept][rows]
        x, y = made.surprisal[kept][rows], (made.surprisal + other)[kept][rows]
        exact.append(np.corrcoef(y, time)[0, 1] - np.corrcoef(x, time)[0, 1])
        paired.append(difference[rows].mean())
    assert np.corrcoef(exact, paired)[0, 1] > 0.98
    assert np.std(paired) == pytest.approx(np.std(exact), rel=0.1)


def test_the_seed_deals_stories_to_folds_and_decides_nothing_else(planted: Planted) -> None:
    first, again, other = _measure(planted), _measure(planted), _measure(planted, seed=1)
    pd.testing.assert_frame_equal(first.table, again.table)
    changed = first.table["metric"][(first.table["value"] != other.table["value"]).to_numpy(bool)]
    assert set(changed) == {"delta_ll", "delta_ll_spline"}


def test_a_study_file_of_before_with_a_number_of_bootstrap_samples_is_read_and_means_the_same() -> None:
    assert ReadingAlignment(n_boot=300).fingerprint("m") == ReadingAlignment().fingerprint("m")


def test_a_model_is_measured_with_both_kinds_of_surprisal(fable_2m: LanguageModel) -> None:
    result = reading_alignment(fable_2m, _story(STORY), n_boot=100, mixed_model=False)
    assert result.table["mapping"].unique().tolist() == ["corrected", "plain"]
    table = fable_2m.surprisals([STORY])
    expected = np.corrcoef(table["surprisal"][1:], _story(STORY).words["time"][1:])[0, 1]
    assert result.value(metric="pearson_r", mapping="corrected") == pytest.approx(expected, abs=1e-6)
    assert result.table["layer"].isna().all()
    assert set(result.table["measurement"]) == {"reading"}


def test_the_form_of_the_text_reaches_the_model(fable_2m_instruct: LanguageModel) -> None:
    plain, chat, instructed = (
        reading_alignment(fable_2m_instruct, _story(STORY), form=form, n_boot=0).arrays["surprisal"].values
        for form in ("plain", "chat", "instructed")
    )
    assert np.abs(plain - chat).max() > 0.01
    assert np.abs(chat - instructed).max() > 0.01


def test_each_form_keeps_a_name_of_its_own_in_rows_pairs_and_report(tmp_path: Path) -> None:
    study = {
        "name": "forms",
        "models": ["fable-2m", {"model": "fable-2m-instruct", "base": "fable-2m"}],
        "measurements": [
            {"kind": "reading", "data": "simulated_reading", "mixed_model": False, "n_boot": 0, **form}
            for form in ({}, {"form": "chat", "template": "fable-2m-instruct"})
        ],
    }
    results = run(study, out=tmp_path / "forms")
    assert not results.failures
    kinds = ["corrected", "plain", "corrected chat", "plain chat"]
    assert sorted(results.table["mapping"].dropna().unique()) == sorted(kinds)
    pairs = results.pairs()
    assert sorted(pairs.loc[pairs["metric"] == "delta_ll", "mapping"]) == sorted(kinds)
    assert (pairs.loc[pairs["metric"] == "pearson_r", "over"] == "stories").all()
    found = results.findings("reading")
    for kind in ("corrected", "corrected chat"):  # a form each, never the plain sum
        assert sum(f"(simulated_reading, {kind})" in finding.what for finding in found) == 2
    assert len(found) == 4


def test_a_base_model_can_be_lent_the_chat_template_of_its_tuned_version(
    fable_2m: LanguageModel, fable_2m_instruct: LanguageModel
) -> None:
    with pytest.raises(BadInput, match="no chat template"):
        reading_alignment(fable_2m, _story(STORY), form="chat", n_boot=0)
    lent = reading_alignment(fable_2m, _story(STORY), form="chat", template="fable-2m-instruct", n_boot=0)
    same = fable_2m.with_chat_template(str(fable_2m_instruct.chat_template))
    own = reading_alignment(same, _story(STORY), form="chat", n_boot=0)
    np.testing.assert_allclose(lent.arrays["surprisal"], own.arrays["surprisal"], atol=1e-6)
    assert any("inside that of fable-2m-instruct" in warning for warning in lent.warnings)
    tuned = reading_alignment(fable_2m_instruct, _story(STORY), form="chat", template="fable-2m-instruct", n_boot=0)
    assert not any("inside that of" in warning for warning in tuned.warnings)
    bare = reading_alignment(fable_2m, _story(STORY), template="fable-2m-instruct", n_boot=0)
    assert not any("inside that of" in warning for warning in bare.warnings)


def test_a_missing_time_is_refused_with_its_place(fable_2m: LanguageModel) -> None:
    times = _story(STORY)
    times.words.loc[11, "time"] = np.nan
    with pytest.raises(BadInput, match=r"the time of document one, word 12 \('below,'\) is nan; .*\(1 such words\)"):
        reading_alignment(fable_2m, times)
    times.words.loc[11, "n"] = 0  # nobody's time was kept: known, counted, left out
    result = reading_alignment(fable_2m, times, n_boot=0)
    assert result.table["n"].iloc[0] == len(STORY) - 2
    assert result.details["n_without_time"] == 1


def test_a_story_out_of_order_is_refused_with_its_place(fable_2m: LanguageModel) -> None:
    times = _story(STORY)
    words = times.words.iloc[[0, 1, 3, 2, *range(4, len(STORY))]].reset_index(drop=True)
    with pytest.raises(BadInput, match=r"document one is not in reading order: word 3 should come next, and word 4"):
        reading_alignment(fable_2m, replace(times, words=words))
    pieces = pd.concat([words, words.iloc[:9].assign(document="two"), words.iloc[:9]], ignore_index=True)
    pieces["position"] = [*range(len(STORY)), *range(9), *range(9)]
    with pytest.raises(BadInput, match="document one comes in several pieces"):
        reading_alignment(fable_2m, replace(times, words=pieces))


def test_too_few_words_and_data_that_are_no_reading_times_are_refused(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="leaves 19 words to score"):
        reading_alignment(fable_2m, _story(STORY[:20]))
    with pytest.raises(BadInput, match="holds no reading times"):
        ReadingAlignment(data="fable_instructions").run(fable_2m)


@pytest.fixture(scope="module")
def natural(real_data: Path, fable_8m: LanguageModel) -> Result:
    """fable-8m on Natural Stories as published."""
    return ReadingAlignment(data="natural_stories", n_boot=200).run(fable_8m)


def test_natural_stories_scores_as_published_models_do(natural: Result, fable_8m_instruct: LanguageModel) -> None:
    tuned = ReadingAlignment(data="natural_stories", n_boot=0).run(fable_8m_instruct)
    r = natural.value(metric="pearson_r", mapping="corrected")
    assert 0.36 < r < 0.38
    assert natural.table["n"].iloc[0] == 10_246
    assert abs(tuned.value(metric="pearson_r", mapping="corrected") - r) < 0.01
    assert natural.value(metric="delta_ll", mapping="corrected") > 0
    assert "published" in natural.details["release"]


def test_the_page_on_natural_stories_tells_what_is_measured(natural: Result) -> None:
    page = (Path(__file__).parents[2] / "docs" / "natural_stories.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].split("(")[0].strip(): [float(cell.strip(" *")) for cell in line.split("|")[2:7]]
        for line in page.splitlines()
        if line.startswith(("| surprisal", "| length"))
    }
    times = load_data("natural_stories")
    assert isinstance(times, ReadingTimes)
    length = lag_profile(times.words["word"].str.len().to_numpy(float), times)
    np.testing.assert_allclose(rows["surprisal"], natural.arrays["lag_r"].values, atol=0.0051)
    np.testing.assert_allclose(rows["length"], length, atol=0.0051)
    last = times.words.groupby("document", sort=False)["time"].last()
    assert last.min() > 835
    assert last.max() < 1132
    assert last.min() > 2 * times.words["time"].mean()
    for release in ("realigned", "2018"):
        assert f"`natural_stories:{release}`" in page


def test_natural_stories_look_one_word_out_of_step_until_realigned(natural: Result) -> None:
    surprisal = natural.arrays["surprisal"].values.astype(float)
    results = {}
    for release in ("published", "realigned", "2018"):
        times = load_data("natural_stories", release)
        assert isinstance(times, ReadingTimes)
        results[release] = measure({"corrected": surprisal}, times, SETTINGS, silent)
    out_of_step = "one word out of step with the text"
    assert any(out_of_step in warning for warning in results["published"].warnings)
    assert not any(out_of_step in warning for warning in results["realigned"].warnings)
    lags = {lag: results["realigned"].value(metric="lag_r", target=lag) for lag in ("-1", "+0", "+1")}
    assert lags["-1"] < 0.1 < lags["+0"] < lags["+1"]
    gain = {release: result.value(metric="delta_ll") for release, result in results.items()}
    assert gain["realigned"] > gain["published"]
    assert results["published"].value(metric="pearson_r") > results["2018"].value(metric="pearson_r")
