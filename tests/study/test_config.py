"""A study file says what it means, and what it gets wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from fake_study import Counted
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.reading import ReadingAlignment
from tuneshift.study import Study, load_study
from tuneshift.study.jobs import describe, plan_jobs
from tuneshift.study.study_file import StudyText

GOOD = "name: x\nmodels: [fable-2m, fable-2m-instruct]\nmeasurements:\n  - counted\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(BadInput) as refused:
        load_study(written(folder, text))
    return str(refused.value)


@pytest.mark.parametrize(
    "form",
    ["- counted", "- counted: {number: 0}", "- {kind: counted, number: 0}", "- counted:"],
)
def test_a_measurement_has_a_short_form_and_a_long_one(tmp_path: Path, form: str) -> None:
    study = load_study(written(tmp_path, f"name: x\nmodels: [fable-2m]\nmeasurements:\n  {form}\n"))
    assert study.measurements[0] == Counted()


def test_the_registry_knows_the_base_of_a_tuned_model(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, GOOD))
    base = study.base_of(study.models[1])
    assert base is not None
    assert base.label == "fable-2m"
    assert study.base_of(study.models[0]) is None


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD.replace("measurements", "measurments"))
    assert "study.yaml line 3" in message
    assert "'measurments' (did you mean 'measurements'?)" in message


def test_an_unknown_key_of_a_model_is_named(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, GOOD.replace("[fable-2m, fable-2m-instruct]", "\n  - fable-2m\n  - {model: b, bass: c}")
    )
    assert "line 4" in message
    assert "'bass' (did you mean 'base'?)" in message


@pytest.mark.parametrize("form", ["- {kind: counted, numbr: 2}", "- counted: {numbr: 2}"])
def test_an_unknown_key_of_a_measurement_is_named(tmp_path: Path, form: str) -> None:
    message = refusal(tmp_path, GOOD.replace("- counted", form))
    assert "line 4" in message
    assert "measurement 'counted'" in message
    assert "'numbr' (did you mean 'number'?)" in message


def test_an_unknown_measurement_is_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD.replace("- counted", "- countd"))
    assert "line 4" in message
    assert "did you mean 'counted'?" in message


def test_a_key_given_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD + "name: y\n")
    assert "line 5" in message
    assert "first on line 1" in message


def test_a_wrong_value_is_named_with_its_key_and_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD.replace("- counted", "- {kind: counted, number: many}"))
    assert "line 4" in message
    assert "number" in message
    assert "'many'" in message


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert "'measurements' is missing" in refusal(tmp_path, "name: x\nmodels: [fable-2m]\n")


def test_a_base_that_is_not_in_the_study_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("[fable-2m, fable-2m-instruct]", "\n  - fable-2m\n  - {model: fable-8m, base: fable-2n}")
    message = refusal(tmp_path, text)
    assert "line 4" in message
    assert "did you mean 'fable-2m'?" in message


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two models are called 'fable-2m'" in refusal(tmp_path, GOOD.replace("fable-2m-instruct", "fable-2m"))


@pytest.mark.parametrize(
    "text",
    ["", "- a\n- b\n", "name: [x\n", "a: !!python/object/apply:os.system ['true']\n", "x: *nowhere\n", "a: &a [*a]\n"],
)
def test_what_is_no_study_is_refused_in_words(tmp_path: Path, text: str) -> None:
    assert "study.yaml" in refusal(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadInput, match="UTF-8"):
        load_study(path)


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    refusal = ""
    try:
        StudyText(text, "some.yaml")
    except BadInput as refused:
        refusal = str(refused)
    assert not refusal or refusal.startswith("some.yaml")


@given(
    keys=st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=6), st.lists(st.integers(), max_size=4), min_size=1, max_size=6
    )
)
@settings(max_examples=50, deadline=None)
def test_every_key_is_found_on_its_line(keys: dict[str, list[int]]) -> None:
    text = yaml.safe_dump(keys, sort_keys=False)
    read = StudyText(text, "x")
    assert read.values == keys
    lines = text.splitlines()
    for key in keys:
        number = int(read.where((key,)).rsplit(" ", 1)[1])
        assert yaml.safe_load(lines[number - 1].split(":")[0]) == yaml.safe_load(key)


def test_paths_in_a_study_file_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "surprisal.json").write_text("[]")
    text = "name: x\nmodels:\n  - {name: api-model, surprisals: surprisal.json}\nmeasurements:\n  - counted\n"
    assert load_study(written(tmp_path, text)).models[0].surprisals == (tmp_path / "surprisal.json").resolve()


def test_a_model_without_a_source_is_refused(tmp_path: Path) -> None:
    assert "needs `model:`" in refusal(tmp_path, GOOD.replace("[fable-2m, fable-2m-instruct]", "[{name: x}]"))


def test_seeds_fill_measurements_that_set_none() -> None:
    study = load_study(
        {"name": "x", "models": ["a"], "measurements": ["counted", {"counted": {"seed": 7}}], "seeds": [1, 2]}
    )
    assert [job.measurement.seed for job in plan_jobs(study)] == [1, 2, 7]  # type: ignore[attr-defined]
    assert load_study({"name": "x", "models": ["a"], "measurements": ["counted"], "seed": 3}).seeds == (3,)


def test_a_measurement_is_described_by_what_is_not_its_default() -> None:
    assert describe(Counted()) == "counted"
    assert describe(Counted(number=3, fails=("a", "b"))) == "counted number=3 fails=a,b"


def test_a_file_of_ones_own_is_described_by_its_folder_and_name() -> None:
    assert describe(ReadingAlignment(data="/home/ada/times/mine.csv")) == "reading times/mine.csv plain"
    assert (
        describe(ReadingAlignment(data="natural_stories", spillover=0)) == "reading natural_stories plain spillover=0"
    )


def test_a_study_in_python_reads_like_one_in_a_file(tmp_path: Path) -> None:
    document = yaml.safe_load(GOOD)
    assert load_study(document) == load_study(written(tmp_path, GOOD))
    assert isinstance(load_study(document), Study)
    with pytest.raises(BadInput, match="did you mean 'models'"):
        load_study({**document, "model": []})
