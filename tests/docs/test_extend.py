"""What the pages on extending show works from outside the package: their files are installed and used as they stand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from outside_package import install, python, tuneshift
from pages import blocks, commands, differing_line, text_of
from transformers import Starcoder2Config, Starcoder2ForCausalLM

from tuneshift.models.anatomy import _FAMILIES
from tuneshift.models.revision import local_folder

DATA_SET, MODEL, ARCHITECTURE, MEASUREMENT = (
    f"extend/{name}.md" for name in ("data_set", "model", "architecture", "measurement")
)


def shown(page: str) -> list[str]:
    """The outputs that a page shows, in order."""
    return [block.text for block in blocks(page) if block.language == "text"]


def commands_of(page: str) -> list[list[str]]:
    return [words for block in blocks(page) if block.language == "sh" for words in commands(block.text)]


def test_a_data_set_of_another_package_is_listed_checked_and_loaded(tmp_path: Path) -> None:
    folder = install(DATA_SET, tmp_path)
    (tmp_path / "data" / "foxes").mkdir(parents=True)
    shutil.move(folder / "foxes.csv", tmp_path / "data" / "foxes" / "foxes.csv")
    here = {"TUNESHIFT_DATA": str(tmp_path / "data")}
    (command,) = commands_of(DATA_SET)
    done = tuneshift(folder, *command, **here)
    assert done.returncode == 0, done.stderr
    assert differing_line(shown(DATA_SET)[0], done.stdout) is None, done.stdout
    for first in ("foxes_data", "tuneshift"):  # whichever of the two is imported first
        code = f"import {first}, tuneshift as ts; print(ts.load_data('foxes').words['time'].tolist())"
        done = python(folder, "-W", "error::UserWarning", "-c", code, **here)
        assert done.stdout.strip() == "[245.5, 305.0, 380.5]", done.stderr


def test_a_changed_file_of_that_data_set_is_refused(tmp_path: Path) -> None:
    folder = install(DATA_SET, tmp_path)
    (tmp_path / "foxes").mkdir()
    (tmp_path / "foxes" / "foxes.csv").write_text((folder / "foxes.csv").read_text().replace("251", "252"))
    done = tuneshift(folder, "data", "foxes", "--check", TUNESHIFT_DATA=str(tmp_path))
    assert done.returncode == 2
    assert "sha256" in done.stderr


def test_models_of_ones_own_have_a_name_a_base_and_a_place_in_plans(tmp_path: Path) -> None:
    folder = install(MODEL, tmp_path)
    outputs = shown(MODEL)
    listing, planning = commands_of(MODEL)
    for command, output in ((listing, outputs[0]), (planning, outputs[1])):
        done = tuneshift(folder, *command, TUNESHIFT_MODELS="my_models.yaml")
        assert done.returncode == 0, done.stderr
        assert differing_line(output, done.stdout) is None, done.stdout
    done = tuneshift(folder, "models", "our-chat", TUNESHIFT_MODELS="")
    assert done.returncode == 2


@pytest.fixture
def starcoder(tmp_path: Path) -> Path:
    """A small random StarCoder2 with the tokenizer of fable-2m."""
    fable = local_folder("fable-2m")
    assert fable is not None
    folder = tmp_path / "tiny-starcoder"
    torch.manual_seed(0)
    config = Starcoder2Config(
        vocab_size=8192, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    Starcoder2ForCausalLM(config).save_pretrained(folder)
    for file in fable.glob("*token*"):
        shutil.copy(file, folder)
    return folder


def test_an_architecture_of_another_package_has_heads_and_concepts(tmp_path: Path, starcoder: Path) -> None:
    folder = install(ARCHITECTURE, tmp_path)
    unknown = tuneshift(folder, "heads", str(starcoder), installed=False)
    assert unknown.returncode == 2
    assert "architecture 'starcoder2' is not known" in unknown.stderr
    for command in ("heads", "concepts"):
        done = tuneshift(folder, command, str(starcoder), "--json")
        assert done.returncode == 0, done.stderr
        assert {row["layer"] for row in json.loads(done.stdout)["rows"]} >= {"1", "2"}
    code = f"import tuneshift as ts; from check_anatomy import check; check(ts.load_model({str(starcoder)!r}), layer=1)"
    assert python(folder, "-c", code).returncode == 0


def test_an_architecture_whose_package_is_broken_is_named(tmp_path: Path, starcoder: Path) -> None:
    folder = install(ARCHITECTURE, tmp_path)
    (folder / "starcoder_anatomy.py").write_text("import nothing_of_that_name\n")
    done = tuneshift(folder, "heads", str(starcoder))
    assert done.returncode == 2
    assert "starcoder_anatomy:starcoder2 cannot be used: No module named 'nothing_of_that_name'" in done.stderr


def test_the_page_names_every_architecture_that_is_known() -> None:
    assert [
        name for name in _FAMILIES if not name.startswith("own_") and f"`{name}`" not in text_of(ARCHITECTURE)
    ] == []


def test_a_measurement_of_another_package_is_run_stored_and_compared_in_pairs(tmp_path: Path) -> None:
    folder = install(MEASUREMENT, tmp_path)
    (command,) = commands_of(MEASUREMENT)
    done = tuneshift(folder, *command)
    assert done.returncode == 0, done.stderr
    looked = python(folder, "look.py")
    assert looked.returncode == 0, looked.stderr
    assert differing_line(shown(MEASUREMENT)[0], looked.stdout) is None, looked.stdout
    stamps = {path: path.stat().st_mtime_ns for path in (folder / "pairs" / "cells").rglob("*") if path.is_file()}
    assert tuneshift(folder, *command).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps, "a finished cell is not measured again"


def test_that_kind_is_unknown_where_its_package_is_not_installed(tmp_path: Path) -> None:
    folder = install(MEASUREMENT, tmp_path)
    done = tuneshift(folder, "run", "pairs.yaml", installed=False)
    assert done.returncode == 2
    assert "minimal_pairs" in done.stderr
