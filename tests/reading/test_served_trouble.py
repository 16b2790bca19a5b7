"""Servers that are busy, slow, broken, strange or other than they were; and runs that are killed midway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served_fable import SERVED, FableServer, Reply
from served_texts import TEXTS, as_times, many_texts

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.human import ReadingTimes, load_data
from tuneshift.models import LanguageModel
from tuneshift.reading import ServedModel
from tuneshift.reading.served.served_model import ServedSurprisals, served_surprisals
from tuneshift.reading.served.server import PROBE

KEY = "sk-planted-secret-key"
TIMES = as_times(TEXTS)


def _served(server: FableServer, cache: Path, times: ReadingTimes = TIMES, **service: Any) -> ServedSurprisals:
    options = {"sleep": lambda seconds: None, **service}
    return served_surprisals(ServedModel("served", server.url, SERVED, cache=cache, service=options), times)


def _kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*.json") if path.name != "probe.json"]


def test_a_server_that_limits_its_rate_is_asked_again_when_it_says(serve: Any, tmp_path: Path) -> None:
    server, waits = serve(), []
    busy = {1: (429, {"Retry-After": "7"}, b"{}"), 2: (429, {}, b""), 4: (500, {}, b"down"), 5: (503, {}, b"")}
    server.interrupt = lambda number, body: busy.get(number, 0.0)
    found = _served(server, tmp_path, sleep=waits.append)
    assert np.isfinite(found.plain).all()
    assert waits[0] == 7
    assert 1.5 <= waits[1] <= 2.5  # doubled once, spread by a quarter
    assert len(server.requests) == 1 + 2 + len(busy)


def test_dropped_connections_and_answers_that_break_off_are_asked_for_again(serve: Any, tmp_path: Path) -> None:
    server = serve()
    broken: dict[int, Any] = {0: None, 1: None, 3: (200, {"Content-Length": "5000"}, b'{"choices"')}
    server.interrupt = lambda number, body: broken.get(number, 0.0)
    assert np.isfinite(_served(server, tmp_path).plain).all()
    assert server.texts == [PROBE] * 3 + [TEXTS["mill"]] * 2 + [TEXTS["wheel"]]


def test_hiccups_of_all_kinds_change_nothing_but_the_number_of_requests(serve: Any, tmp_path: Path) -> None:
    server, times = serve("vllm"), many_texts(12, 12)
    quiet = _served(server, tmp_path / "quiet", times)
    n_quiet = len(server.requests)
    hiccups = [(429, {"Retry-After": "1"}, b""), None, (200, {}, b"<html>busy"), (502, {}, b""), (200, {}, b"{}")]
    server.interrupt = lambda number, body: hiccups[number // 2 % 5] if number % 2 and number > n_quiet + 4 else 0.0
    found = _served(server, tmp_path / "loud", times)
    np.testing.assert_array_equal(found.plain, quiet.plain)
    assert len(server.requests) > 1.7 * n_quiet


def test_silence_is_waited_for_so_long_and_no_longer(serve: Any, tmp_path: Path) -> None:
    server = serve()
    server.interrupt = lambda number, body: 8.0 if number == 1 else 0.0
    assert np.isfinite(_served(server, tmp_path, timeout=3.0).plain).all()
    assert len(server.requests) == 4


def test_a_server_that_stays_busy_is_given_up_on_with_what_to_do(serve: Any, tmp_path: Path) -> None:
    server = serve()
    server.interrupt = lambda number, body: (503, {}, b"") if number > 1 else 0.0
    with pytest.raises(MeasurementFailed, match=rf"{server.url}/completions gave no answer \(status 503\); see that"):
        _served(server, tmp_path, attempts=3)
    assert len(server.requests) == 2 + 3
    assert len(_kept(tmp_path)) == 1
    server.close()
    with pytest.raises(MeasurementFailed, match=r"gave no answer \(connection failed"):
        _served(server, tmp_path, attempts=2)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((200, {}, b"<html><body>Welcome to nginx!</body></html>"), "in place of JSON it sends '<html><body>Welcome"),
        ((200, {}, b""), "in place of JSON it sends nothing"),
        ((200, {}, b'{"choices": []}'), "answers with no completion but '{\"choices\": \\[\\]}'"),
        ((200, {}, b'{"error": "out of memory"}'), 'answers with no completion but \'{"error": "out of'),
        ((404, {}, b'{"detail": "Not Found"}'), r"Not Found\); the address should end in /v1, and it serves fable/"),
        ((401, {}, b'{"error": {"message": "no key"}}'), r"status 401: no key\); set TUNESHIFT_API_KEY to a key"),
        ((403, {}, b""), r"refuses the key \(status 403\)"),
        ((302, {"Location": "http://elsewhere/v1"}, b""), "redirects elsewhere"),
        ((400, {}, b'{"error": {"message": "bad things"}}'), "refused with status 400: bad things"),
    ],
)
@pytest.mark.parametrize("midway", [False, True], ids=["at first", "midway"])
def test_what_is_no_answer_is_refused_in_one_sentence(
    serve: Any, tmp_path: Path, reply: Reply, said: str, midway: bool
) -> None:
    server = serve()
    server.interrupt = lambda number, body: 0.0 if midway and number == 0 else reply
    with pytest.raises(BadInput, match=said) as caught:
        _served(server, tmp_path)
    assert server.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _kept(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model's maximum context length is 64 tokens. However, you requested 90 tokens in the prompt."),
        (400, "The decoder prompt (length 90) is longer than the maximum model length of 64."),
        (400, "The input (90 tokens) is longer than the model's context length (64 tokens)."),
        (400, "the request exceeds the available context size. try increasing the context size"),
        (500, "Requested tokens (90) exceed context window of 64"),
        (422, "Input validation error: `inputs` must have less than 64 tokens. Given: 90"),
        (413, ""),
    ],
)
def test_too_long_is_answered_by_a_smaller_window_however_it_is_said(
    serve: Any, tmp_path: Path, status: int, message: str
) -> None:
    server, waits = serve(), []
    refusal = status, {}, json.dumps({"error": {"message": message}}).encode()
    server.interrupt = lambda number, body: refusal if len(body["prompt"]) > 150 else 0.0
    times = many_texts(1, 60)
    found = _served(server, tmp_path, times, sleep=waits.append)
    assert np.isfinite(found.plain).all()
    assert found.facts["windows"] > 2
    assert waits == []
    n_before = len(server.requests)
    _served(server, tmp_path, times)  # refusals are kept as well
    assert server.texts[n_before:] == [PROBE]


def test_a_word_that_is_too_long_by_itself_is_said(serve: Any, tmp_path: Path) -> None:
    server = serve(context=40)
    with pytest.raises(BadInput, match=r"the server finds even 1 words too long \(This model's maximum context"):
        _served(server, tmp_path, as_times({"one": "日" * 60 + " and more"}))


@pytest.mark.parametrize("status", [200, 404, 500, 501])
def test_a_server_without_a_list_of_models_is_asked_for_the_one_that_is_named(
    serve: Any, tmp_path: Path, status: int
) -> None:
    server = serve()
    server.list_of_models = status, {}, b"<html>no list</html>"
    assert np.isfinite(_served(server, tmp_path).plain).all()
    unnamed = ServedModel("served", server.url, cache=tmp_path, service={"sleep": lambda seconds: None})
    with pytest.raises(
        (BadInput, MeasurementFailed), match=r"--served-model; it lists no|asked for its models|status 5"
    ):
        served_surprisals(unnamed, TIMES)


def test_an_address_without_v1_is_told_so(serve: Any, tmp_path: Path) -> None:
    url = serve().url.removesuffix("/v1")
    with pytest.raises(
        BadInput, match=rf"{url} has no completions of .*status 404.*should end in /v1, and it lists no"
    ):
        served_surprisals(ServedModel("served", url, SERVED, cache=tmp_path), TIMES)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://a.b/v1", "", "http://me:pass@a.b/v1", "http://a.b?key=1"])
def test_addresses_that_are_none_or_hold_secrets_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the endpoint's address") as caught:
        served_surprisals(ServedModel("served", url, SERVED, cache=tmp_path), TIMES)
    assert "pass" not in str(caught.value)


def _with(answer: Reply, change: Any) -> Reply:
    content = json.loads(answer[2])
    change(content["choices"][0]["logprobs"])
    return answer[0], {}, json.dumps(content).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found["token_logprobs"].__setitem__(4, float("nan")), "is nan"),
        (lambda found: found["token_logprobs"].__setitem__(4, 2.5), "is 2.5; the log of a probability is never above"),
        (lambda found: found["token_logprobs"].__setitem__(4, -9999.0), "is -9999; no model"),
        (lambda found: found["token_logprobs"].__setitem__(4, None), "has no log probability"),
        (lambda found: found["tokens"].pop(4), "1 log probabilities|tokens and"),
        (lambda found: found["tokens"].__setitem__(4, " wrong"), "do not give the text back: after .* ' wrong'"),
    ],
)
def test_answers_that_cannot_be_right_are_refused_with_the_place_and_not_kept(
    serve: Any, tmp_path: Path, change: Any, said: str
) -> None:
    server = serve()
    server.interrupt = lambda number, body: _with(server.answer(body), change) if number >= 2 else 0.0
    with pytest.raises(BadInput, match=said) as caught:
        _served(server, tmp_path)
    assert "document wheel of two texts" in str(caught.value)
    assert len(_kept(tmp_path)) == 1


def test_what_was_answered_once_is_not_asked_for_again(serve: Any, tmp_path: Path) -> None:
    server = serve(context=64)
    times = many_texts(2, 60)
    first = _served(server, tmp_path, times)
    n_first = len(server.requests)
    again = _served(server, tmp_path, times)
    np.testing.assert_array_equal(again.plain, first.plain)
    assert server.texts[n_first:] == [PROBE]
    assert again.facts == first.facts


def test_damaged_answers_are_asked_for_again_and_counted(serve: Any, tmp_path: Path) -> None:
    server = serve()
    times = many_texts(4, 12)
    first = _served(server, tmp_path, times)
    good = sorted(_kept(tmp_path))
    contents = [path.read_text() for path in good]
    good[0].write_text(contents[0][: len(contents[0]) // 2])
    good[1].write_text(contents[2])  # another text's answer
    good[3].write_text('{"answer": {"tokens": [1], "logprobs": [true]}}')
    n_before = len(server.requests)
    again = _served(server, tmp_path, times)
    np.testing.assert_array_equal(again.plain, first.plain)
    assert len(server.requests) - n_before == 1 + 3
    assert "3 damaged files of kept answers could not be read" in again.notes[-1]
    assert [path.read_text() for path in good] == contents


def test_another_model_under_the_same_name_does_not_get_the_old_one_s_answers(
    serve: Any, tmp_path: Path, fable_2m_instruct: LanguageModel
) -> None:
    server = serve()
    base = _served(server, tmp_path)
    server.model, model = fable_2m_instruct, server.model
    tuned = _served(server, tmp_path)
    assert not np.allclose(tuned.plain, base.plain)
    assert "so it serves another model now; answers kept from then were not used" in tuned.notes[-1]
    server.model = model
    n_before = len(server.requests)
    np.testing.assert_array_equal(_served(server, tmp_path).plain, base.plain)
    assert server.texts[n_before:] == [PROBE]


def test_a_run_that_is_killed_goes_on_with_what_is_missing(serve: Any, tmp_path: Path) -> None:
    server = serve()
    times = load_data("simulated_reading")
    n_documents = times.words["document"].nunique()
    line = ["reading", "served", "--endpoint", server.url, "--data", "simulated_reading", "--cache", str(tmp_path)]
    killed: list[int] = []

    def kill_at_the_tenth(number: int, body: dict[str, Any]) -> float:
        if number == 10 and not killed:
            killed.append(number)
            os.kill(process.pid, signal.SIGKILL)
        return 0.0

    server.interrupt = kill_at_the_tenth
    environment = {**os.environ, "TUNESHIFT_API_KEY": KEY}
    process = subprocess.Popen([sys.executable, "-m", "tuneshift", *line], env=environment, stdout=subprocess.DEVNULL)
    assert process.wait(timeout=120) == -signal.SIGKILL
    assert server.headers[-1]["Authorization"] == f"Bearer {KEY}"
    n_killed = len(server.requests)
    assert (n_killed, len(_kept(tmp_path))) == (11, 9)  # the probe and ten documents, of which nine were answered
    found = _served(server, tmp_path, times)
    assert len(server.requests) - n_killed == 1 + n_documents - 9
    whole = _served(server, tmp_path / "fresh", times)
    np.testing.assert_array_equal(found.plain, whole.plain)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY in path.read_text()]
