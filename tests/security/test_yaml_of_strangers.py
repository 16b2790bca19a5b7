"""YAML is data: whatever file it stands in, no tag makes an object or runs a command, and no alias fills the memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.human.recordings.series.recipe import read_recipe
from tuneshift.models.registry import read_cards
from tuneshift.study import StudyResults, load_study
from tuneshift.study.store import DamagedCell, Store

STUDY = "models: [fable-2m]\nmeasurements:\n  - {kind: reading, data: simulated_reading}\n"


def load_results(path: Path) -> None:
    """Read a results folder whose study.yaml holds the text."""
    folder = path.parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "study.yaml").write_bytes(path.read_bytes())
    StudyResults.load(folder)


READERS = [load_study, read_cards, read_recipe, load_results]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {canary}']",
        "!!python/object/apply:subprocess.check_output [['touch', '{canary}']]",
        "!!python/object/new:pathlib.Path ['{canary}']",
        "!!python/name:os.system",
        "!!python/module:antigravity",
    ],
)
def test_a_tag_that_would_run_code_is_refused(tmp_path: Path, reader: object, tag: str) -> None:
    canary, path = tmp_path / "it_ran", tmp_path / "file.yaml"
    for text in (f"name: {tag}\n{STUDY}", f"models: {tag}\n", tag):
        path.write_text(text.replace("{canary}", str(canary)))
        with pytest.raises(BadInput):
            reader(path)  # type: ignore[operator]
    assert not canary.exists()


@pytest.mark.parametrize("reader", READERS)
def test_aliases_of_aliases_end_in_a_sentence_at_once(tmp_path: Path, reader: object) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    path = tmp_path / "file.yaml"
    path.write_text("\n".join([*lines, "name: *i", "models: *i", "series: *i"]))  # a billion, were they filled in
    started = time.monotonic()
    with pytest.raises(BadInput) as refused:
        reader(path)  # type: ignore[operator]
    assert time.monotonic() - started < 60
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize("reader", READERS)
def test_yaml_nested_without_end_ends_in_a_sentence(tmp_path: Path, reader: object) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("models: " + "[" * 5000)
    with pytest.raises(BadInput):
        reader(path)  # type: ignore[operator]


names = st.text(max_size=30) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "a", " ", "\0", "\n", "\x1b[31m", "C:"]), max_size=6
).map("".join)


@settings(deadline=None)
@given(name=names)
def test_the_name_of_a_study_is_a_folder_below_this_one(name: str) -> None:
    try:
        study = load_study({"name": name, "models": ["fable-2m"], "measurements": [{"kind": "concepts"}]})
    except BadInput:
        return
    here = Path("/somewhere")
    assert (here / study.name).parent == here
    assert (here / study.name).resolve() != here.parent
    assert study.name.isprintable()


@pytest.mark.parametrize("name", ["../other", "..", "/etc", "a/b", "", "a\0b", "..\\other"])
def test_no_cell_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedCell):
        Store(tmp_path).read(name)
