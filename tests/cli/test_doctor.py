"""The doctor names what is missing or damaged, with one command that mends it, and never falls ill itself."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from typed_commands import Command

from tuneshift.human import DATA_SETS


def seen(command: Command, *words: str) -> dict[str, dict[str, str]]:
    done = command("doctor", "--json", *words)
    assert done.status == 0, done.err
    return {row["what"]: row for row in json.loads(done.out)["rows"]}


def test_a_damaged_data_file_is_found_and_the_command_that_mends_it_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TUNESHIFT_DATA", str(tmp_path))
    for source in DATA_SETS["natural_stories"].sources:
        (tmp_path / source.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source.path).write_text("not what was published")
    rows = seen(command)
    assert rows["data natural_stories"]["state"].startswith("damaged: ")
    assert rows["data natural_stories"]["to mend it"] == "tuneshift data natural_stories --fetch"
    assert rows["data simulated_brain"]["state"] == "comes with the package"
    assert rows["data blank2014"] == {
        "what": "data blank2014", "state": "not here", "to mend it": "tuneshift data blank2014 --fetch"
    }  # fmt: skip
    assert rows["TUNESHIFT_DATA"]["state"] == str(tmp_path)
    assert "model hub" not in rows


def test_a_folder_that_is_none_and_a_package_that_is_missing_are_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name in ("himalaya", "trl"):
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("tuneshift.cli.doctor.version", version)
    monkeypatch.setenv("TUNESHIFT_DATA", str(tmp_path / "nowhere"))
    rows = seen(command)
    assert rows["TUNESHIFT_DATA"]["state"] == f"{tmp_path / 'nowhere'} is no folder"
    assert rows["himalaya"] == {"what": "himalaya", "state": "not installed", "to mend it": "pip install himalaya"}
    assert rows["extra tune"]["to mend it"] == "pip install 'tuneshift[tune]'"


def test_caches_have_a_place_and_a_size(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert seen(command)["cache of data"]["state"] == f"{tmp_path / 'tuneshift'}, not made yet"
    (tmp_path / "tuneshift").mkdir()
    (tmp_path / "tuneshift" / "file").write_bytes(b"x" * (1 << 25))
    assert seen(command)["cache of data"]["state"] == f"{tmp_path / 'tuneshift'}, 0.03 GiB"


def test_the_hub_is_asked_only_on_request(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def no_answer(*words: Any, **options: Any) -> None:
        asked.append(words)
        raise ConnectionError("no route to host")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", no_answer)
    seen(command)
    assert asked == []
    assert seen(command, "--online")["model hub"]["state"] == "no answer (ConnectionError)"
    assert len(asked) == 1
