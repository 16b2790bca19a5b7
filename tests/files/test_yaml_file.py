"""YAML files of every kind: keys given twice, tabs and foreign encodings end in one sentence with the line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneshift.errors import BadInput
from tuneshift.files.yaml_file import YamlText
from tuneshift.human.recordings.series.recipe import read_recipe
from tuneshift.models.lent_template import chat_template_of
from tuneshift.models.registry import read_cards
from tuneshift.study import load_study

STUDY = "name: x\nmodels: [fable-2m]\nmeasurements:\n  - {kind: reading, data: simulated_reading}\n"
CARDS = "models:\n  - name: mine\n    family: f\n"
RECIPE = "name: r\nseries: a.nii\nwords: w.csv\n"
KINDS: list[tuple[Callable[[Path], Any], str]] = [(load_study, STUDY), (read_cards, CARDS), (read_recipe, RECIPE)]


@pytest.mark.parametrize(("reader", "text"), KINDS, ids=["study", "cards", "recipe"])
def test_a_settings_file_is_read_with_a_mark_and_windows_line_ends(
    tmp_path: Path, reader: Callable[[Path], Any], text: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    plain = reader(path)
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
        assert reader(path) == plain


@pytest.mark.parametrize(("reader", "text"), KINDS, ids=["study", "cards", "recipe"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda t: t.encode() + b"# caf\xe9 cr\xe8me\n",
            "is not UTF-8 text .*Windows-1252.*'caf\xe9'.*save it as UTF-8",
        ),
        (lambda t: t.encode() + b"# \xcf\xf0\xe8\xe2\xe5\xf2 \xea\xe0\xea \xe4\xe5\xeb\xe0\n", "row [45]: .*UTF-8"),
        (lambda t: t.encode() + b"name: again\nname: again\n", r"line \d: key 'name' is given twice"),
        (lambda t: t.encode() + b"notes:\n\tdeep: x\n", r"line \d: this is no YAML \(a tab stands where .* blanks\)"),
        (lambda t: t.encode() + b"notes: \x00\n", r"row \d: byte \d+ is zero"),
        (lambda t: t.encode() + "notes: a\ufffdb\n".encode(), r"row \d: holds U\+FFFD"),
        (lambda t: t.encode() + b"notes: 2026-02-31\n", "this is no YAML .day is out of range.*quotation marks"),
    ],
)
def test_what_is_wrong_with_a_settings_file_is_one_sentence_with_its_line(
    tmp_path: Path, reader: Callable[[Path], Any], text: str, spoil: Callable[[str], bytes], said: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(spoil(text))
    with pytest.raises(BadInput, match=rf"(?s)file\.yaml.*{said}") as refused:
        reader(path)
    assert "\n" not in str(refused.value)


def test_a_key_given_twice_in_a_row_of_models_is_refused_and_not_the_last_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CARDS + "    family: g\n")
    with pytest.raises(BadInput, match=r"mine\.yaml line 4: key 'family' is given twice \(first on line 3\)"):
        read_cards(path)


def test_a_lent_template_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "MINE.JINJA"
    path.write_bytes("{{ messages }} caf\xe9".encode("utf-8-sig"))
    assert chat_template_of(str(path)) == "{{ messages }} caf\xe9"
    path.write_bytes("{{ messages }} caf\xe9".encode("latin-1"))
    with pytest.raises(BadInput, match=r"template: .*MINE\.JINJA is not UTF-8 text"):
        chat_template_of(str(path))


def test_values_are_those_of_the_text_with_its_merged_keys() -> None:
    assert YamlText("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", "f").values == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
