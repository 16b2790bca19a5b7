"""An endpoint that answers, refuses, stalls, talks nonsense or hangs up; the key goes there and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from naming_server import GOOD, KEY, Reply, Server, completion

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.inside import FeedforwardConcepts
from tuneshift.inside.concepts.naming.categories import question
from tuneshift.inside.concepts.naming.endpoint import Endpoint

pytestmark = pytest.mark.usefixtures("_key_and_own_cache")


def _endpoint(server: Server, waits: list[float] | None = None, **options: Any) -> Endpoint:
    slept: list[float] = [] if waits is None else waits
    return Endpoint(server.url, "a-model", sleep=slept.append, **options)


def test_a_question_carries_model_seed_and_key(server: Server) -> None:
    assert _endpoint(server).ask(question(["mother", "father"]), seed=3) == GOOD
    assert server.requests[0]["path"] == "/v1/chat/completions"
    assert (server.requests[0]["model"], server.requests[0]["seed"]) == ("a-model", 3)
    assert server.requests[0]["messages"][-1]["content"] == "Words: mother, father"
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_no_key_in_the_environment_sends_none(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNESHIFT_NAMER_KEY")
    for name in ("TUNESHIFT_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    _endpoint(server).ask(question(["a"]), seed=0)
    assert "Authorization" not in server.headers[0]


def test_a_busy_server_is_asked_again_after_the_time_it_names(server: Server) -> None:
    busy = [(429, {"Retry-After": "7"}, b"{}"), (503, {}, b"down"), (429, {"Retry-After": "0"}, b""), None]
    server.replies = lambda number, body: busy[number] if number < 4 else completion(GOOD)
    waits: list[float] = []
    assert _endpoint(server, waits).ask(question(["a"]), seed=0) == GOOD
    assert waits[0] == 7
    assert 1.5 <= waits[1] <= 2.5  # doubled once, spread by a quarter
    assert waits[2] == 0
    assert 6 <= waits[3] <= 10
    assert len(server.requests) == 5


def test_a_date_to_come_back_at_is_understood(server: Server) -> None:
    past = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.replies = lambda number, body: (429, past, b"") if number == 0 else completion(GOOD)
    waits: list[float] = []
    _endpoint(server, waits).ask(question(["a"]), seed=0)
    assert waits == [0]


def test_a_server_that_asks_for_hours_is_not_waited_for(server: Server) -> None:
    server.replies = lambda number, body: (429, {"Retry-After": "7200"}, b"")
    waits: list[float] = []
    with pytest.raises(MeasurementFailed, match=r"asks to wait 7200 s.*run again later: answers so far are kept"):
        _endpoint(server, waits).ask(question(["a"]), seed=0)
    assert waits == []


@pytest.mark.parametrize(
    "reply",
    [
        None,
        (200, {}, b"not json"),
        (200, {}, b'{"choices": []}'),
        (200, {"Content-Length": "5000"}, b'{"choices"'),
        (500, {}, b""),
    ],
)
def test_a_server_that_stays_broken_is_given_up_on(server: Server, reply: Reply) -> None:
    server.replies = lambda number, body: reply
    with pytest.raises(MeasurementFailed, match="gave no answer"):
        _endpoint(server, attempts=3, timeout=2).ask(question(["a"]), seed=0)
    assert len(server.requests) == 3


def test_nobody_there_at_all_is_said(server: Server) -> None:
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(MeasurementFailed, match="connection failed"):
        _endpoint(server, attempts=2).ask(question(["a"]), seed=0)


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refuses the key"), (403, "refuses the key"), (404, "check the URL")]
)
def test_a_refused_request_is_not_sent_again_and_the_key_is_not_repeated(
    server: Server, status: int, said: str
) -> None:
    body = json.dumps({"error": {"message": f"no such thing for {KEY}"}}).encode()
    server.replies = lambda number, _: (status, {}, body)
    with pytest.raises(BadInput, match=said) as caught:
        _endpoint(server).ask(question(["a"]), seed=0)
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)
    assert "no such thing for [key]" in str(caught.value)


def test_a_redirect_does_not_carry_the_key_away(server: Server) -> None:
    server.replies = lambda number, body: (302, {"Location": server.url + "/elsewhere"}, b"")
    with pytest.raises(BadInput, match="redirects elsewhere"):
        _endpoint(server).ask(question(["a"]), seed=0)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url", ["example.org/v1", "ftp://example.org", "", "https://user:pass@example.org", "https://a.b?k=1"]
)
def test_addresses_that_are_none_or_hold_secrets_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="naming endpoint's address") as caught:
        FeedforwardConcepts(namer=url, namer_model="m")
    assert "pass" not in str(caught.value)
