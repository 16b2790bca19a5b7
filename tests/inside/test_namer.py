"""Naming concepts: a local endpoint that answers, refuses, stalls, talks nonsense or hangs up; the key stays secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.inside import FeedforwardConcepts, concept_shift
from tuneshift.inside.concepts.categories import change_rows, label, share_rows
from tuneshift.inside.concepts.naming.answers import KeptAnswers
from tuneshift.inside.concepts.naming.categories import Answer, question, read_answer
from tuneshift.inside.concepts.naming.endpoint import Endpoint
from tuneshift.inside.concepts.naming.namer import Namer
from tuneshift.models import LanguageModel

KEY = "sk-planted-secret-key"
GOOD = '{"concept": "family", "level": "semantics", "tasks": ["daily writing"]}'

Reply = tuple[int, dict[str, str], bytes] | None
"""Status, headers, body; None hangs up without an answer."""


class Server:
    """An endpoint whose replies the test chooses; it keeps what it was asked."""

    def __init__(self) -> None:
        self.replies: Callable[[int, dict[str, Any]], Reply] = lambda number, body: completion(GOOD)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with owner._lock:
                    number = len(owner.requests)
                    owner.requests.append(body | {"path": self.path})
                    owner.headers.append(dict(self.headers))
                reply = owner.replies(number, body)
                if reply is None:
                    self.connection.close()
                    return
                status, headers, content = reply
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def completion(text: str | None) -> Reply:
    return 200, {}, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(autouse=True)
def _key_and_own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUNESHIFT_NAMER_KEY", KEY)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def _endpoint(server: Server, waits: list[float] | None = None, **options: Any) -> Endpoint:
    slept: list[float] = [] if waits is None else waits
    return Endpoint(server.url, "a-model", sleep=slept.append, **options)


def _everything_in(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.is_file())


def test_a_question_carries_model_seed_and_key(server: Server) -> None:
    assert _endpoint(server).ask(question(["mother", "father"]), seed=3) == GOOD
    assert server.requests[0]["path"] == "/v1/chat/completions"
    assert (server.requests[0]["model"], server.requests[0]["seed"]) == ("a-model", 3)
    assert server.requests[0]["messages"][-1]["content"] == "Words: mother, father"
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_no_key_in_the_environment_sends_none(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNESHIFT_NAMER_KEY")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
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


def test_an_endpoint_without_a_model_is_refused() -> None:
    with pytest.raises(BadInput, match="give both"):
        FeedforwardConcepts(namer="https://example.org/v1")


def test_answers_are_read_out_of_whatever_surrounds_them() -> None:
    expected = Answer("family", "semantics", ("daily writing",))
    for text in (GOOD, f"Sure! Here it is:\n```json\n{GOOD}\n```", f"{{broken {GOOD}", f"{GOOD} {{}}"):
        assert read_answer(text) == expected
    found = read_answer('{"concept": "tense", "level": ["Morphology"], "tasks": "Coding", "more": 1}')
    assert found == Answer("tense", "morphology", ("coding",))
    assert read_answer('{"concept": "x", "level": "astrology", "tasks": ["cooking", 3]}') == Answer("x", "", ())
    for text in ("I'm sorry, I can't help with that.", "", '{"concept": ""}', '["concept"]', '{"level": "syntax"}'):
        assert read_answer(text) is None


@given(st.text(max_size=200))
def test_no_answer_whatever_breaks_the_reading(text: str) -> None:
    found = read_answer(text)
    assert found is None or found.concept


def test_refusals_are_asked_again_and_then_left_without_a_name(server: Server, tmp_path: Path) -> None:
    """The first component is refused always, the second once."""

    def reply(number: int, body: dict[str, Any]) -> Reply:
        refused = "alpha" in body["messages"][-1]["content"] or body["seed"] < 1000
        return completion("I cannot do that." if refused else GOOD)

    server.replies = reply
    words = {"first": ["alpha", "one"], "second": ["beta", "two"], "same as second": ["beta", "two"]}
    namer = Namer(_endpoint(server), KeptAnswers(tmp_path / "kept"), seeds=2)
    answers = namer.name(words)
    assert answers["first"] == [None, None]
    assert answers["second"] == [read_answer(GOOD)] * 2 == answers["same as second"]
    assert len(server.requests) == 2 * 3 + 2 * 2
    assert namer.name(words) == answers  # refusals are kept too
    assert len(server.requests) == 10


def test_what_was_answered_before_a_failure_is_not_asked_again(server: Server, tmp_path: Path) -> None:
    words = {number: [f"word{number}", "other"] for number in range(6)}
    server.replies = lambda number, body: completion(GOOD) if number < 4 else (401, {}, b"")
    namer = Namer(_endpoint(server), KeptAnswers(tmp_path / "kept"), seeds=1, at_once=1)
    with pytest.raises(BadInput, match="refuses the key"):
        namer.name(words)
    server.replies = lambda number, body: completion(GOOD)
    before = len(server.requests)
    told: list[str] = []
    assert len(namer.name(words, lambda what, done, total: told.append(f"{what} {done}/{total}"))) == 6
    assert len(server.requests) == before + 2
    assert told[0].startswith("naming concepts: 2 requests (4 more are answered already), about ")
    assert told[-1].endswith("6/6")


def test_a_damaged_kept_answer_is_asked_for_again(server: Server, tmp_path: Path) -> None:
    namer = Namer(_endpoint(server), KeptAnswers(tmp_path / "kept"), seeds=1)
    namer.name({0: ["a", "b"]})
    (kept,) = (path for path in (tmp_path / "kept").rglob("*") if path.is_file())
    kept.write_text("{")
    assert namer.name({0: ["a", "b"]}) == {0: [read_answer(GOOD)]}
    assert len(server.requests) == 2


def test_the_estimate_counts_each_question_once(server: Server, tmp_path: Path) -> None:
    namer = Namer(_endpoint(server), KeptAnswers(tmp_path / "kept"), seeds=5)
    cost = namer.cost({0: ["a", "b"], 1: ["a", "b"], 2: ["c"]})
    letters = sum(len(m["content"]) for words in (["a", "b"], ["c"]) for m in question(words))
    assert (cost.requests, cost.kept) == (10, 0)
    assert cost.prompt_tokens == 5 * letters // 4
    assert cost.price(1.0, 2.0) == pytest.approx((cost.prompt_tokens + 2 * cost.answer_tokens) / 1e6)


def _answers(levels: list[str]) -> dict[tuple[int, int], list[Answer | None]]:
    return {(layer, i): [Answer("x", level, ())] * 2 for layer in (1, 2) for i, level in enumerate(levels)}


def test_shares_of_categories_are_those_of_answers() -> None:
    answers = _answers(["syntax", "semantics", "semantics", ""])
    answers[1, 3] = [None, Answer("x", "syntax", ("coding",))]
    rows = share_rows(answers, 2, lambda **values: values)
    share = {(row["layer"], row["target"]): row["value"] for row in rows}
    assert share["1-1", "syntax"] == pytest.approx(0.5)
    assert share["1-1", "semantics"] == pytest.approx(0.5)
    assert share["1-1", "coding"] == pytest.approx(0.25)
    assert share["2-2", "syntax"] == pytest.approx(0.25)
    assert all(row["ci_low"] <= row["value"] <= row["ci_high"] for row in rows)


def test_a_change_of_category_has_the_interval_of_its_components() -> None:
    base, tuned = _answers(["syntax"] * 10 + ["semantics"] * 10), _answers(["syntax"] * 2 + ["semantics"] * 18)
    rows = change_rows(base, tuned, 2, lambda **values: values)
    found = next(row for row in rows if row["target"] == "semantics" and row["metric"] == "category_share_change")
    assert found["value"] == pytest.approx(0.4)
    spread = np.sqrt(0.5 * 0.5 / 20 + 0.1 * 0.9 / 20)
    assert found["ci_low"] == pytest.approx(0.4 - 1.96 * spread, abs=0.08)
    assert found["ci_high"] == pytest.approx(0.4 + 1.96 * spread, abs=0.08)
    unmoved = change_rows(base, base, 2, lambda **values: values)
    assert all(row["value"] == 0 for row in unmoved if row["metric"] == "category_share_change")


def test_a_component_goes_by_its_first_name_and_its_usual_categories() -> None:
    said = [Answer("kin", "semantics", ()), None, Answer("family", "semantics", ("coding",)), Answer("x", "syntax", ())]
    assert label(said) == ("kin", "semantics")
    assert label([None]) == ("", "")


def test_a_pair_is_named_end_to_end_and_the_key_is_written_nowhere(
    server: Server, fable_2m: LanguageModel, fable_2m_instruct: LanguageModel, tmp_path: Path
) -> None:
    spec = FeedforwardConcepts(
        namer=server.url, namer_model="a-model", namer_seeds=2, named_components=3, kept_components=4, n_words=300
    )
    result = concept_shift(fable_2m, fable_2m_instruct, spec)
    components = result.details["concepts"]["components"]
    assert {c["name"] for c in components if c["component"] < 3} == {"family"}
    assert {c["category"] for c in components if c["component"] < 3} == {"semantics, daily writing"}
    assert {c["name"] for c in components if c["component"] == 3} == {""}
    assert result.value(metric="category_share", layer="1-1", target="semantics") == 1
    assert result.value(metric="category_share_change", layer="1-1", target="semantics") == 0
    asked = len(server.requests)
    assert asked <= 4 * 3 * 2 * 2
    assert concept_shift(fable_2m, fable_2m_instruct, spec).table.equals(result.table)
    assert len(server.requests) == asked
    kept = _everything_in(tmp_path)
    assert "family" in kept
    assert KEY not in kept + json.dumps(result.details) + result.table.to_csv() + str(spec.settings()) + repr(spec)


def test_the_command_says_the_cost_first_and_never_the_key(server: Server, tmp_path: Path) -> None:
    from tuneshift.cli.app import app

    arguments = ["concepts", "fable-2m", "--namer", server.url, "--namer-model", "a-model", "--named-components", "2"]
    estimate = CliRunner().invoke(app, [*arguments, "--estimate", "--namer-prices", "1,2"])
    assert estimate.exit_code == 0
    assert "Naming takes about 40 requests" in estimate.stderr
    assert server.requests == []
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["rows"]
    assert sum(row["metric"] == "category_share" for row in rows) == 40
    assert KEY not in done.output + estimate.output + _everything_in(tmp_path)
    assert len(server.requests) == 40
