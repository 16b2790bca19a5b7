"""Slips of the hand: each is answered by one sentence that names what is wrong, and exit status 2."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typed_commands import Command

from tuneshift.models.embedded_models import embedded_folder

STUDY = "name: x\nmodels: [fable-2m]\nmeasurements:\n  - {kind: reading, data: simulated_reading}\n"
ALIASES = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.fixture(autouse=True)
def _in_a_folder_of_odd_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.txt").write_text("")
    for suffix in ("csv", "jsonl", "yaml", "nc", "json"):
        (tmp_path / f"empty.{suffix}").write_text("")
        (tmp_path / f"binary.{suffix}").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "nul.yaml").write_bytes(b"\0" * 9)
    (tmp_path / "bomb.yaml").write_text(f"a: &a [x]\n{ALIASES}name: *i\n")
    (tmp_path / "deep.yaml").write_text("name: " + "[" * 3000)
    (tmp_path / "above.yaml").write_text(STUDY.replace("name: x", "name: '..'"))
    (tmp_path / "seed.yaml").write_text(STUDY + "seeds: [-1]\n")
    (tmp_path / "colour.yaml").write_text(STUDY.replace("name: x", 'name: "\\e[31m"'))
    (tmp_path / "deep.jsonl").write_text("[" * 100_000)
    (tmp_path / "one.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    (tmp_path / "pattern.yaml").write_text("name: r\nseries: 'a**b'\nwords: words.csv\n")
    (tmp_path / "nothing.yaml").write_text("name: r\nseries: ''\nwords: words.csv\n")
    (tmp_path / "no_scores.json").write_text('{"results": {}}')


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("reading fable-2m --data empty.csv", "empty.csv is empty"),
        ("reading fable-2m --data binary.csv", "binary.csv, row 1: byte 0 is zero, so this is no text file"),
        ("brain fable-2m --data binary.nc", "binary.nc is no netCDF file"),
        ("reading fable-2m --data folder", "no data set is called 'folder'"),
        ("attribute fable-2m --prompts binary.jsonl", "binary.jsonl, row 1: byte 0 is zero, so this is no text file"),
        ("attribute fable-2m --prompts deep.jsonl", "deep.jsonl is nested too deeply"),
        ("attribute fable-2m --prompts fable_instructions --responses empty.jsonl", "empty.jsonl has 0 responses"),
        ("attribute fable-2m --prompts fable_instructions --n-prompts 0", "'--n-prompts'"),
        ("reading fable-2m --data simulated_reading --surprisals binary.csv", "binary.csv, row 1: byte 0 is zero"),
        (
            "reading x --data simulated_reading --surprisals empty.csv --endpoint http://127.0.0.1:9/v1",
            "--surprisals and --endpoint are two sources of surprisals",
        ),
        ("reading x --data simulated_reading --served-model y", "name it with --endpoint URL"),
        ("reading x --data simulated_reading --cache folder", "name it with --endpoint URL"),
        (
            "reading x --data simulated_reading --endpoint http://127.0.0.1:9/v1 --form chat",
            "--form chat needs a model that is loaded here",
        ),
        ("reading x --data simulated_reading --endpoint 127.0.0.1:9/v1", "the endpoint's address is none"),
        ("reading x --data simulated_reading --endpoint http://a.b/v1 --context-length 3", "'--context-length'"),
        ("reading fable-2m --data simulated_reading --seed -1", "'--seed'"),
        ("brain fable-2m --data simulated_brain --seed 4294967296", "'--seed'"),
        ("reading fable-2m --data simulated_reading --device meta", "device 'meta' is unknown here"),
        ("reading fable-2m --data simulated_reading --device mps0", "device 'mps0' is unknown here"),
        ("reading fable-2m --data simulated_reading --dtype int3", "dtype 'int3' is unknown"),
        ("run binary.yaml", "binary.yaml, row 1: byte 0 is zero, so this is no text file"),
        ("run nul.yaml", "nul.yaml, row 1: byte 0 is zero, so this is no text file"),
        ("run bomb.yaml", "more than 200,000 values once its aliases"),
        ("run deep.yaml", "deep.yaml: this YAML is nested too deeply"),
        ("run above.yaml", "a study's name is that of its folder"),
        ("run colour.yaml", "a study's name is that of its folder"),
        ("run seed.yaml", "seed.yaml line 5: seeds.0"),
        ("run folder", "folder cannot be read (Is a directory)"),
        ("run study.yaml --out empty.txt", "empty.txt cannot be written"),
        ("run study.yaml --out empty.txt/below", "cannot be written"),
        ("report folder", "folder holds no study"),
        ("compare fable-2x fable-2m", "did you mean 'fable-2m'?"),
        ("heads fable-2m --layer 9", "--layer 9 is no layer of this model; give one of 1 to 4"),
        ("heads fable-2m --out folder", "--out folder is a folder"),
        ("heads fable-2m --out nowhere/x.json", "make it first"),
        ("concepts fable-2m --named-components -1", "'--named-components'"),
        ("concepts fable-2m --estimate", "give an endpoint with --namer"),
        ("ability fable-2m --tasks ,", "--tasks ',' names no task"),
        ("ability fable-2m --include-path nowhere", "--include-path nowhere is no folder"),
        ("ability fable-2m --limit 0", "'--limit'"),
        ("ability fable-2m --results-file no_scores.json", "no_scores.json holds no score"),
        ("tune fable-2m --data binary.jsonl --out o", "binary.jsonl, row 1: byte 0 is zero, so this is no text file"),
        ("tune fable-2m --data one.jsonl --out o --batch-size 0", "'--batch-size'"),
        ("tune fable-2m --data one.jsonl --out empty.txt", "--out empty.txt is a file"),
        ("tune fable-2m --data one.jsonl --out o --learning-rate nan", "--learning-rate nan is no number above 0"),
        ("data import deep.yaml", "deep.yaml: this YAML is nested too deeply"),
        ("data import pattern.yaml", "is no pattern of file names"),
        ("data import nothing.yaml", "is no pattern of file names"),
    ],
)
def test_a_slip_is_named(command: Command, line: str, words: str) -> None:
    done = command(*line.split())
    assert done.status == 2, done.err
    assert words in done.sentence


def test_a_card_file_nested_without_end_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESHIFT_MODELS", "deep.yaml")
    assert "model cards deep.yaml: this YAML is nested too deeply" in command("models").sentence


def test_a_folder_that_cannot_be_made_is_named(command: Command) -> None:
    done = command("run", "study.yaml", "--out", "/proc/tuneshift/out")  # closed even to root
    assert done.status == 2
    assert "/proc/tuneshift" in done.sentence


def broken_models(folder: Path) -> dict[str, Path]:
    """Copies of an embedded model, each damaged in one way."""
    found = {}
    for damage in ("cut", "header", "tokenizer", "config"):
        found[damage] = Path(shutil.copytree(embedded_folder("fable-2m"), folder / damage))  # type: ignore[arg-type]
    weights = (found["cut"] / "model.safetensors").read_bytes()
    (found["cut"] / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    (found["header"] / "model.safetensors").write_bytes(b"\xff" * 200)
    (found["tokenizer"] / "tokenizer.json").write_text("{}")
    config = json.loads((found["config"] / "config.json").read_text())
    (found["config"] / "config.json").write_text(json.dumps(config | {"hidden_size": -3}))
    return found


@pytest.mark.parametrize("words", [["reading", "--data", "simulated_reading"], ["heads"]], ids=["loaded", "opened"])
def test_a_damaged_model_folder_is_named(command: Command, tmp_path: Path, words: list[str]) -> None:
    for damage, folder in broken_models(tmp_path).items():
        done = command(*words, str(folder))
        assert done.status == 2, (damage, done.err)
        assert str(folder) in done.sentence
