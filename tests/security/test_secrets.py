"""Keys go where they are needed and nowhere else: not into results, reports, caches, logs or tracebacks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tuneshift.cli import main
from tuneshift.errors import BadInput
from tuneshift.report import write_report
from tuneshift.study import load_study, run
from tuneshift.study.secrets import NOT_WRITTEN, without_secrets

sys.path.append(str(Path(__file__).parents[1] / "inside"))

from naming_server import Server

CANARIES = {
    "TUNESHIFT_NAMER_KEY": "sk-canary-of-the-namer-0123456789",
    "OPENAI_API_KEY": "sk-canary-of-openai-0123456789",
    "HF_TOKEN": "hf_canaryOfTheHub0123456789",
    "AWS_SECRET_ACCESS_KEY": "canary/of/the/cloud/0123456789",
}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


def leaks(folder: Path, *texts: str) -> list[str]:
    """Return which canaries stand in which file, or in which of the texts."""
    found = [
        f"{name} in {path}"
        for path in folder.rglob("*")
        if path.is_file()
        for name, value in CANARIES.items()
        if value.encode() in path.read_bytes() or value in str(path)
    ]
    return found + [f"{name} in {text[:80]}" for text in texts for name, value in CANARIES.items() if value in text]


def test_a_study_with_a_namer_writes_no_key_anywhere(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    study = load_study(
        {
            "name": "named",
            "models": ["fable-2m"],
            "measurements": [
                {"kind": "concepts", "namer": server.url, "namer_model": "m", "named_components": 1, "namer_seeds": 1}
            ],
            "executor": {"environment": {**CANARIES, "PROXY": "http://me:canary-password@proxy", "HF_HOME": "/models"}},
        }
    )
    results = run(study, out=tmp_path / "out")
    assert not results.failures
    write_report(results, tmp_path / "out" / "report.html")
    assert server.headers[0]["Authorization"] == f"Bearer {CANARIES['TUNESHIFT_NAMER_KEY']}"
    captured = capfd.readouterr()
    assert list((tmp_path / "cache").rglob("*.json")), "answers are kept"
    assert leaks(tmp_path, captured.out, captured.err, caplog.text) == []
    as_run = yaml.safe_load((tmp_path / "out" / "study.yaml").read_text())["executor"]["environment"]
    assert as_run == {**dict.fromkeys(CANARIES, NOT_WRITTEN), "PROXY": NOT_WRITTEN, "HF_HOME": "/models"}
    with pytest.raises(BadInput, match="was a secret, which a run never writes down; give it again"):
        load_study(tmp_path / "out" / "study.yaml")


def test_a_server_that_repeats_the_key_does_not_get_it_printed_even_with_a_traceback(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = f'{{"error": {{"message": "wrong key {CANARIES["TUNESHIFT_NAMER_KEY"]}"}}}}'.encode()
    server.replies = lambda number, body: (401, {}, said)
    line = ["concepts", "fable-2m", "--namer", server.url, "--namer-model", "m", "--named-components", "1"]
    monkeypatch.setenv("TUNESHIFT_DEBUG", "")
    monkeypatch.setattr(sys, "argv", ["tuneshift", *line])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    captured = capfd.readouterr()
    assert "refuses the key" in captured.err
    monkeypatch.setattr(sys, "argv", ["tuneshift", "--debug", *line])
    with pytest.raises(BadInput) as raised:
        main()
    import traceback

    trace = "".join(traceback.format_exception(raised.value))
    assert leaks(tmp_path, captured.out, captured.err, capfd.readouterr().err, trace) == []


def test_what_is_called_or_looks_like_a_secret_is_left_out_and_nothing_else() -> None:
    kept = {
        "OMP_NUM_THREADS": "4",
        "HF_HOME": "/models",
        "HTTPS_PROXY": "http://proxy:3128",
        "CUDA_VISIBLE_DEVICES": "",
    }
    assert without_secrets(kept) == kept
    for name, value in {
        "WANDB_API_KEY": "x", "DB_PASSWORD": "x", "GITHUB_TOKEN": "x", "MY_CREDENTIALS": "x", "A": "sk-abcdefgh12",
        "B": "ghp_abcdefgh12", "C": "https://u:p@host/", "D": "eyJhbGciOiJIUzI1NiIsInR5", "E": "AKIAABCDEFGHIJKLMNOP",
    }.items():  # fmt: skip
        assert without_secrets({name: value}) == {name: NOT_WRITTEN}
