"""What the pages on extending show works from outside the package: their files are installed and used as they stand."""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from outside_package import python, write_package
from pages import blocks, commands, differing_line, text_of
from transformers import NemotronConfig, NemotronForCausalLM
from typer.testing import CliRunner

import tuneshift
from tuneshift.cli.app import app
from tuneshift.errors import BadInput
from tuneshift.models.anatomy import known_architectures
from tuneshift.models.revision import local_folder

DATA_SET, MODEL, ARCHITECTURE, MEASUREMENT = (
    f"extend/{name}.md" for name in ("data_set", "model", "architecture", "measurement")
)
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in ("nemotron_anatomy", "check_anatomy", "minimal_pairs"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def shown(page: str) -> list[str]:
    """The outputs that a page shows, in order."""
    return [block.text for block in blocks(page) if block.language == "text"]


def commands_of(page: str) -> list[list[str]]:
    return [words for block in blocks(page) if block.language == "sh" for words in commands(block.text)]


def output_of(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def refusal_of(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert isinstance(done.exception, BadInput)
    return str(done.exception)


def test_a_data_set_of_another_package_is_listed_checked_and_loaded(folder: Path) -> None:
    write_package(DATA_SET, folder)
    (folder / "data" / "foxes").mkdir(parents=True)
    shutil.move(folder / "foxes.csv", folder / "data" / "foxes" / "foxes.csv")
    here = {"TUNESHIFT_DATA": str(folder / "data")}
    (command,) = commands_of(DATA_SET)
    done = python(folder, "-m", "tuneshift", *command, **here)
    assert done.returncode == 0, done.stderr
    assert differing_line(shown(DATA_SET)[0], done.stdout) is None, done.stdout
    for first in ("foxes_data", "tuneshift"):  # whichever of the two is imported first
        code = f"import {first}, tuneshift as ts; print(ts.load_data('foxes').words['time'].tolist())"
        done = python(folder, "-W", "error::UserWarning", "-c", code, **here)
        assert done.stdout.strip() == "[245.5, 305.0, 380.5]", done.stderr


def test_a_changed_file_of_that_data_set_is_refused(folder: Path) -> None:
    write_package(DATA_SET, folder)
    (folder / "foxes").mkdir()
    (folder / "foxes" / "foxes.csv").write_text((folder / "foxes.csv").read_text().replace("251", "252"))
    done = python(folder, "-m", "tuneshift", "data", "foxes", "--check", TUNESHIFT_DATA=str(folder))
    assert done.returncode != 0
    assert "sha256" in done.stdout + done.stderr


def test_models_of_ones_own_have_a_name_a_base_and_a_place_in_plans(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(MODEL, folder)
    refusal_of("models", "our-chat")
    monkeypatch.setenv("TUNESHIFT_MODELS", "my_models.yaml")
    for command, output in zip(commands_of(MODEL), shown(MODEL), strict=True):
        found = output_of(*command)
        assert differing_line(output, found) is None, found


@pytest.fixture
def nemotron(tmp_path: Path) -> Path:
    """A small random Nemotron with the tokenizer of fable-2m."""
    fable = local_folder("fable-2m")
    assert fable is not None
    folder = tmp_path / "tiny-nemotron"
    torch.manual_seed(0)
    config = NemotronConfig(
        vocab_size=8192, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    NemotronForCausalLM(config).save_pretrained(folder)
    for file in fable.glob("*token*"):
        shutil.copy(file, folder)
    return folder


def test_an_architecture_of_another_package_has_heads_and_concepts(
    folder: Path, nemotron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(ARCHITECTURE, folder)
    message = refusal_of("heads", str(nemotron))
    assert "architecture 'nemotron' is not known" in message
    assert "tuneshift.architectures" in message
    monkeypatch.syspath_prepend(folder)
    for command in ("heads", "concepts"):
        rows = json.loads(output_of(command, str(nemotron), "--json"))["rows"]
        assert {row["layer"] for row in rows} >= {"1", "2"}
    check: Any = runpy.run_path(str(folder / "check_anatomy.py"))["check"]
    check(tuneshift.load_model(str(nemotron)), layer=1)


def test_an_architecture_whose_package_is_broken_is_named(
    folder: Path, nemotron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(ARCHITECTURE, folder)
    (folder / "nemotron_anatomy.py").write_text("import nothing_of_that_name\n")
    monkeypatch.syspath_prepend(folder)
    message = refusal_of("heads", str(nemotron))
    assert "nemotron_anatomy:nemotron cannot be used: No module named 'nothing_of_that_name'" in message


def test_the_page_names_every_architecture_that_is_known() -> None:
    page = text_of(ARCHITECTURE)
    assert [name for name in known_architectures() if not name.startswith("own_") and f"`{name}`" not in page] == []


@pytest.fixture(scope="module")
def grammar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The page's study on four models, run with its measurement installed: its folder, the refusal before, the look."""
    folder = tmp_path_factory.mktemp("grammar")
    write_package(MEASUREMENT, folder)
    (command,) = commands_of(MEASUREMENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        refusal = refusal_of(*command)
        patch.syspath_prepend(folder)
        output_of(*command)
        looked = io.StringIO()
        with contextlib.redirect_stdout(looked):
            runpy.run_path(str(folder / "look.py"))
        yield folder, refusal, looked.getvalue()
    sys.modules.pop("minimal_pairs", None)


def test_a_measurement_of_another_package_is_run_stored_and_compared_in_pairs(grammar: tuple[Path, str, str]) -> None:
    folder, refusal, looked = grammar
    assert "minimal_pairs" in refusal
    assert differing_line(shown(MEASUREMENT)[0], looked) is None, looked
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "pairs" / "cells").rglob("*") if path.is_file()}
    assert stamps
    output_of(*commands_of(MEASUREMENT)[0])
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps, "a finished cell is not measured again"


def test_findings_speak_of_its_headline_metric_in_its_own_words(grammar: tuple[Path, str, str]) -> None:
    results = tuneshift.StudyResults.load(grammar[0] / "pairs")
    (finding,) = results.findings()
    assert (finding.question, finding.what) == ("other", "preference for grammatical sentences (own sentences)")
    assert "how much it prefers grammatical sentences" in finding.sentence
    assert [bar.label for bar in finding.bars] == ["fable-2m-instruct", "fable-8m-instruct"]
    assert results.findings("other") == [finding]
    assert results.findings("brains") == []


def test_its_section_has_its_title_its_question_figures_and_a_place_in_the_methods(
    grammar: tuple[Path, str, str],
) -> None:
    page = (grammar[0] / "pairs" / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="kind-minimal_pairs"') :]
    section = section[: section.index("</section>")]
    assert ">Grammar</h3>" in section
    assert "Does the model find the grammatical sentence of a pair more probable?" in section
    figures = re.findall(r'<figure id="figure-([\w-]+)"', section)
    assert {"minimal_pairs-own-sentences-preference", "minimal_pairs-pairs-own-sentences-preference"} <= set(figures)
    assert "Preference for grammatical sentences (own sentences)" in section
    methods = page[page.index('id="methods-text"') :]
    methods = methods[: methods.index("</div>")]
    assert "Numbers: preference for grammatical sentences (bits) and pairs judged rightly (share)." in methods


def test_with_four_models_its_scores_are_correlated_with_size(grammar: tuple[Path, str, str]) -> None:
    results = tuneshift.StudyResults.load(grammar[0] / "pairs")
    (row,) = results.correlations().query("metric == 'preference'").to_dict("records")
    points = results.correlation_points().query("metric == 'preference'")
    assert (row["measurement"], row["property"], row["n"]) == ("minimal_pairs", "log10 parameters", 4)
    assert row["pearson_r"] == pytest.approx(np.corrcoef(points["x"], points["y"])[0, 1])
    assert sorted(points["model"]) == ["fable-2m", "fable-2m-instruct", "fable-8m", "fable-8m-instruct"]


def test_its_meaning_is_read_where_its_package_is_not_installed(grammar: tuple[Path, str, str]) -> None:
    folder, *_ = grammar
    code = "import sys, tuneshift as ts; print(ts.StudyResults.load(sys.argv[1]).findings()[0].what)"
    done = python(folder / "pairs", "-c", code, ".")
    assert done.stdout.strip() == "preference for grammatical sentences (own sentences)", done.stderr
