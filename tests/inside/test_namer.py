"""Naming concepts: answers read, kept, asked for again; shares of categories; the key is written nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naming_server import GOOD, KEY, Reply, Server, completion
from typer.testing import CliRunner

from tuneshift.errors import BadInput
from tuneshift.inside import FeedforwardConcepts, concept_shift
from tuneshift.inside.concepts.categories import change_rows, label, share_rows
from tuneshift.inside.concepts.naming.answers import KeptAnswers
from tuneshift.inside.concepts.naming.categories import Answer, question, read_answer
from tuneshift.inside.concepts.naming.endpoint import Endpoint
from tuneshift.inside.concepts.naming.namer import Namer
from tuneshift.models import LanguageModel

pytestmark = pytest.mark.usefixtures("_key_and_own_cache")


def _everything_in(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.is_file())


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    namer = Namer(Endpoint(server.url, "a-model"), KeptAnswers(tmp_path / "kept"), seeds=2)
    answers = namer.name(words)
    assert answers["first"] == [None, None]
    assert answers["second"] == [read_answer(GOOD)] * 2 == answers["same as second"]
    assert len(server.requests) == 2 * 3 + 2 * 2
    assert namer.name(words) == answers  # refusals are kept too
    assert len(server.requests) == 10


def test_what_was_answered_before_a_failure_is_not_asked_again(server: Server, tmp_path: Path) -> None:
    words = {number: [f"word{number}", "other"] for number in range(6)}
    server.replies = lambda number, body: completion(GOOD) if number < 4 else (401, {}, b"")
    namer = Namer(Endpoint(server.url, "a-model"), KeptAnswers(tmp_path / "kept"), seeds=1, at_once=1)
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
    namer = Namer(Endpoint(server.url, "a-model"), KeptAnswers(tmp_path / "kept"), seeds=1)
    namer.name({0: ["a", "b"]})
    (kept,) = (path for path in (tmp_path / "kept").rglob("*") if path.is_file())
    kept.write_text("{")
    assert namer.name({0: ["a", "b"]}) == {0: [read_answer(GOOD)]}
    assert len(server.requests) == 2


def test_the_estimate_counts_each_question_once(server: Server, tmp_path: Path) -> None:
    namer = Namer(Endpoint(server.url, "a-model"), KeptAnswers(tmp_path / "kept"), seeds=5)
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
    arguments += ["--namer-seeds", "3"]
    estimate = CliRunner().invoke(app, [*arguments, "--estimate", "--namer-prices", "1,2"])
    assert estimate.exit_code == 0
    assert "Naming takes about 24 requests" in estimate.stderr
    assert server.requests == []
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["rows"]
    assert sum(row["metric"] == "category_share" for row in rows) == 40
    assert KEY not in done.output + estimate.output + _everything_in(tmp_path)
    assert len(server.requests) == 24
