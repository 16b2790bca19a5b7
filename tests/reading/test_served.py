"""A model behind a server reads as the same model does in memory, whatever dialect the server speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served_fable import SERVED, FableServer
from served_texts import TEXTS, as_times, many_texts

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, load_data
from tuneshift.models import LanguageModel
from tuneshift.reading import ServedModel, SurprisalFile, reading_alignment
from tuneshift.reading.served.served_model import ServedSurprisals, served_surprisals
from tuneshift.reading.served.server import Server
from tuneshift.reading.served.word_windows import Room, document_windows

QUICK: dict[str, Any] = {"n_boot": 20, "mixed_model": False}
CLOSE = {"rtol": 1e-6, "atol": 1e-6}  # what float32 logits allow


def _served(server: FableServer, times: ReadingTimes, cache: Path, **options: Any) -> ServedSurprisals:
    return served_surprisals(ServedModel("served", server.url, cache=cache, **options), times)


def _in_memory(model: LanguageModel, times: ReadingTimes) -> np.ndarray:
    parts = [model.surprisals([words])["surprisal_plain"].to_numpy() for words in times.documents.values()]
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("dialect", "asked_by"),
    [
        ("echo", "echo"),
        ("echo_1", "echo with a token more"),
        ("content", "echo"),
        ("vllm", "prompt_logprobs"),
    ],
)
@pytest.mark.parametrize("spelling", ["text", "stripped", "pieces"])
def test_every_dialect_gives_the_plain_surprisals_of_the_model_in_memory(
    serve: Any, fable_2m: LanguageModel, tmp_path: Path, dialect: str, asked_by: str, spelling: str
) -> None:
    times = as_times(TEXTS)
    found = _served(serve(dialect, spelling=spelling), times, tmp_path)
    np.testing.assert_allclose(found.plain, _in_memory(fable_2m, times), **CLOSE)
    assert found.facts["form"] == asked_by
    assert found.facts["start_tokens"] == (["?"] if dialect == "vllm" else ["<|endoftext|>"])
    assert "a server tells the probability of the tokens sent" in found.notes[0]


@pytest.mark.parametrize("dialect", ["echo", "echo_1", "content", "vllm"])
def test_without_a_start_token_first_words_are_left_out_and_counted(serve: Any, tmp_path: Path, dialect: str) -> None:
    times = as_times(TEXTS)
    with_start = _served(serve(dialect), times, tmp_path)
    found = _served(serve(dialect, start=False), times, tmp_path)
    first = times.words["position"].to_numpy() == 0
    assert np.array_equal(np.isnan(found.plain), first)
    assert not np.allclose(found.plain[~first], with_start.plain[~first])
    assert found.facts["start_tokens"] == []
    assert "nothing is known of the first word of each document of two texts; these 2 words" in found.notes[1]


@pytest.mark.parametrize("dialect", ["echo", "vllm"])
def test_the_pipeline_scores_a_served_model_as_the_model_in_memory(
    serve: Any, fable_2m: LanguageModel, tmp_path: Path, dialect: str
) -> None:
    model = ServedModel("served", serve(dialect).url, cache=tmp_path)
    served = reading_alignment(model, "simulated_reading", **QUICK)
    here = reading_alignment(fable_2m, "simulated_reading", **QUICK).table
    both = served.table.merge(
        here[here["mapping"] == "plain"], on=["metric", "target", "split"], suffixes=("", "_here")
    )
    both = both[both["participant"].isna()]
    assert {"pearson_r", "delta_ll", "slope"} <= set(both["metric"])
    np.testing.assert_allclose(both["value"], both["value_here"], rtol=1e-5)
    assert set(served.table["mapping"]) == {"plain"}
    assert served.details["server"]["served_model"] == SERVED


def test_what_a_server_said_stands_in_a_study_as_a_file(serve: Any, tmp_path: Path) -> None:
    served = reading_alignment(ServedModel("x", serve().url, cache=tmp_path), "simulated_reading", **QUICK)
    words = served.arrays["surprisal"].to_dataframe("surprisal").rename(columns={"text": "word"})
    words[["document", "position", "word", "surprisal"]].to_csv(tmp_path / "x.csv", index=False)
    from_file = reading_alignment(SurprisalFile("x", tmp_path / "x.csv"), "simulated_reading", **QUICK)
    np.testing.assert_allclose(from_file.table["value"], served.table["value"], rtol=1e-4)


def test_the_pipeline_leaves_first_words_out_where_the_server_has_no_start_token(serve: Any, tmp_path: Path) -> None:
    times = load_data("simulated_reading")
    model = ServedModel("served", serve(start=False).url, cache=tmp_path)
    result = reading_alignment(model, times, exclude="none", **QUICK)
    n_documents = times.words["document"].nunique()
    assert result.details["n_without_surprisal"] == n_documents
    assert result.details["n_scored"] == len(times.words) - n_documents
    assert np.isfinite(result.table.loc[result.table["metric"].isin(["pearson_r", "delta_ll", "lag_r"]), "value"]).all()


@pytest.mark.parametrize("stated", [64, None, 500], ids=["stated", "untold", "wrong"])
def test_windows_between_words_overlap_by_half_and_add_every_word_once(
    serve: Any, fable_2m: LanguageModel, tmp_path: Path, stated: int | None
) -> None:
    words = next(iter(many_texts(1, 150).documents.values()))
    server = Server(serve(context=64).url, None, {})
    room = Room(stated and stated - 2)
    room.accepted(["abc"], 2)
    dialect = server.probe()[0]
    windows = list(
        document_windows(words, lambda some: server.scores(some, server.ask(" ".join(some), dialect), ""), room)
    )
    assert [w.fresh for w in windows] == [0, *(w.stop for w in windows[:-1])]
    assert windows[-1].stop == len(words)
    for window in windows:
        table = fable_2m.surprisals([words[window.start : window.stop]])
        np.testing.assert_allclose(window.bits, table["surprisal_plain"], **CLOSE)
        np.testing.assert_array_equal(window.n_tokens, table["n_tokens"])
    before = [int(w.n_tokens[: w.fresh - w.start].sum()) for w in windows[1:]]
    assert min(before) >= room.tokens / 2
    assert max(int(w.n_tokens.sum()) for w in windows) <= 62
    assert len(windows) <= 40


def test_a_context_length_of_ones_own_goes_before_the_server_s(serve: Any, tmp_path: Path) -> None:
    found = _served(serve(stated=1024), many_texts(1, 120), tmp_path, context_length=48)
    assert found.facts["context_length"] == 48
    assert 23 < found.facts["window_tokens"] < 48


def test_a_served_model_has_the_plain_form_only(serve: Any, tmp_path: Path) -> None:
    model = ServedModel("served", serve().url, cache=tmp_path)
    with pytest.raises(BadInput, match="form 'chat' needs a model that is loaded here"):
        reading_alignment(model, "simulated_reading", form="chat")


def test_the_only_model_of_a_server_needs_no_name_and_another_name_is_not_answered_for(
    serve: Any, tmp_path: Path
) -> None:
    times = as_times(TEXTS)
    assert _served(serve(), times, tmp_path).facts["served_model"] == SERVED
    with pytest.raises(BadInput, match=r"serves no model 'fable/served-8m' \(did you mean 'fable/served-2m'\?\)"):
        _served(serve(), times, tmp_path, served_model="fable/served-8m")
    with pytest.raises(BadInput, match=r"with --served-model; it serves fable/served-2m, other\.$"):
        _served(serve(names=(SERVED, "other")), times, tmp_path)


def test_a_server_that_scores_only_what_it_writes_is_refused_with_what_to_do(serve: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gives no log probabilities of a prompt .* are not the text's.*vLLM, SGLang"):
        _served(serve("generated"), as_times(TEXTS), tmp_path)
