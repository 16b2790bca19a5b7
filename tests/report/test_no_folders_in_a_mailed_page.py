"""A report that one mails does not tell in which folders of whose machine the files lay."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from markupsafe import Markup

from tuneshift.models.revision import local_folder
from tuneshift.report import write_report
from tuneshift.report.page.mailable import without_folders
from tuneshift.study import run


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("/home/ada/runs/with/checkpoint-100", "with/checkpoint-100"),
        ("/home/ada/My Models/tuned one", "My Models/tuned one"),  # a whole text may hold blanks
        ("base+/home/ada/adapters/lora", "base+adapters/lora"),
        ("a cell was damaged; it was moved to /data/x/out/aside/0f3a.", "a cell was damaged; it was moved to aside/0f3a."),
        ("'/tmp/mine.csv', row 3", "'mine.csv', row 3"),
        (r"C:\Users\ada\out\mine.csv is no table", "out/mine.csv is no table"),
    ],
)  # fmt: skip
def test_an_absolute_path_keeps_its_last_two_parts(text: str, cut: str) -> None:
    assert without_folders(text) == cut


@pytest.mark.parametrize(
    "text",
    ["https://huggingface.co/org/model/tree/main", "org/model", "runs/with/checkpoint-100", "and/or", "r / r", "</b>"],
)
def test_addresses_hub_ids_and_relative_paths_stay(text: str) -> None:
    assert without_folders(text) == text


def test_the_letters_of_a_picture_are_no_path() -> None:
    picture = "data:image/png;base64,iVBOR/home/user/of/letters=="
    assert without_folders(picture) == picture


def test_a_picture_stays_markup_without_its_folders() -> None:
    found = without_folders(Markup("<title>/a/b/c/d</title><g/>"))
    assert found == "<title>c/d</title><g/>"
    assert isinstance(found, Markup)


def test_whatever_holds_texts_is_gone_through_and_numbers_are_left_alone() -> None:
    @dataclass(frozen=True)
    class Held:
        rows: tuple[tuple[str, ...], ...]
        numbers: list[float | None]

    numbers = [None, 1.0, 2.0]
    found = without_folders(Held((("/a/b/c/d", "x"),), numbers))
    assert found.rows == (("c/d", "x"),)
    assert found.numbers is numbers


def test_the_page_of_a_study_on_files_of_ones_own_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    home = tmp_path / "ada"
    embedded = local_folder("fable-2m")
    assert embedded is not None
    shutil.copytree(embedded, home / "models" / "mine")
    prompts = home / "prompts" / "mine.jsonl"
    prompts.parent.mkdir()
    row = {"prompt": "Snow fell. Repeat the sentence.", "instruction": "Repeat the sentence.",
           "response": "Snow fell all night long."}  # fmt: skip
    prompts.write_text(json.dumps(row), encoding="utf-8")
    attribution = {"kind": "attribution", "prompts": str(prompts), "followed": False}
    lost = {"model": str(home / "models" / "lost"), "base": "mine"}
    study = {"name": "x", "models": [str(home / "models" / "mine"), lost], "measurements": [attribution]}
    results = run(study, out=home / "out")
    assert len(results.cells) == 1
    page = write_report(results, home / "out" / "report.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in page
    assert str(Path.home()) + "/" not in page
    assert "models/mine" in page  # which model it was is still told
    assert "prompts/mine.jsonl" in page
