"""`tuneshift reading NAME --endpoint URL`: rows, notes and exit status; and the key in none of them."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from served_fable import SERVED

from tuneshift.cli import main
from tuneshift.errors import BadInput
from tuneshift.reading.served import server as conversation

KEY = "sk-planted-secret-key-0123456789"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("TUNESHIFT_DEBUG", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def typed(url: str, *words: str) -> tuple[int, str, str]:
        line = ["reading", "big", "--endpoint", url, "--data", "simulated_reading", "--no-mixed-model", *words]
        monkeypatch.setattr(sys, "argv", ["tuneshift", *line])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capfd.readouterr()

    return typed


def test_one_object_with_the_rows_of_the_plain_surprisal_and_what_it_is(
    serve: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESHIFT_API_KEY", KEY)
    server = serve("vllm", stated=1024)
    status, out, err = run(server.url, "--served-model", SERVED, "--json")
    document = json.loads(out)
    assert status == 0
    assert {row["mapping"] for row in document["rows"]} == {"plain"}
    assert {row["model"] for row in document["rows"]} == {"big"}
    assert any("so word ends are not corrected for" in warning for warning in document["warnings"])
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    kept = list((tmp_path / "cache" / "tuneshift" / "surprisals").rglob("*.json"))
    assert len(kept) == len(server.requests) - 2  # the probe had to be put in three forms
    assert KEY not in out + err + "".join(path.read_text() for path in kept)


def test_the_notes_for_people_stand_under_the_table(serve: Any, run: Any, tmp_path: Path) -> None:
    status, out, err = run(serve(start=False).url, "--cache", str(tmp_path / "here"))
    assert status == 0
    assert "pearson_r" in out
    assert "note: big: surprisal is the plain sum over a word's tokens" in err
    assert "these 24 words are left out" in err
    assert list((tmp_path / "here").rglob("probe.json"))


def test_a_server_that_is_busy_for_good_is_a_failure_and_one_that_is_none_bad_input(
    serve: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = conversation.Service
    monkeypatch.setattr(conversation, "Service", lambda *words, **options: service(*words, **options, first_wait=0.0))
    server = serve()
    server.interrupt = lambda number, body: (429, {}, b"")
    status, out, err = run(server.url, "--json")
    assert (status, out) == (1, "")
    assert "gave no answer (status 429); see that the server runs" in err
    server.interrupt = lambda number, body: (200, {}, b"<html>")
    status, out, err = run(server.url, "--json")
    assert (status, out) == (2, "")
    assert "in place of JSON it sends '<html>'" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 404])
def test_a_server_that_repeats_the_key_does_not_get_it_printed_even_with_a_traceback(
    serve: Any, run: Any, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESHIFT_API_KEY", KEY)
    server = serve(names=(SERVED, f"model-of-{KEY}"))
    server.interrupt = lambda number, body: (
        status,
        {},
        json.dumps({"error": {"message": f"wrong key {KEY}"}}).encode(),
    )
    code, out, err = run(server.url, "--served-model", SERVED)
    assert code == 2
    assert "[key]" in err
    monkeypatch.setattr(sys, "argv", ["tuneshift", "--debug", *sys.argv[1:]])
    with pytest.raises(BadInput) as raised:
        main()
    told = "".join(traceback.format_exception(raised.value))
    assert KEY not in out + err + told + "".join(capfd.readouterr())
