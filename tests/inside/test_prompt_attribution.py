"""Prompt attribution of the embedded models: what is counted, what is left out, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import tuneshift as ts
from tuneshift.errors import BadInput
from tuneshift.inside import Attribution, PromptAttribution
from tuneshift.inside.attribution.attribution import instruction_spans
from tuneshift.models.lent_template import chat_template_of


@pytest.fixture(scope="module")
def base(fable_2m):
    return fable_2m


@pytest.fixture(scope="module")
def tuned(fable_2m_instruct):
    return fable_2m_instruct


@pytest.fixture(scope="module")
def measured(tuned):
    return PromptAttribution(form="chat", n_prompts=6).run(tuned)


def one_backward_per_token(model, given: list[int], answer: list[int]) -> np.ndarray:
    """The published way: for each response token a forward and a backward pass of its own."""
    embed = model.torch_model.get_input_embeddings()
    raw = np.zeros((len(given), len(answer)))
    for m in range(len(answer)):
        ids = torch.tensor([[*given, *answer[:m]]])
        embeddings = embed(ids).detach().requires_grad_(True)
        p = model.torch_model(inputs_embeds=embeddings).logits[0, -1].softmax(-1)[answer[m]]
        p.backward()
        raw[:, m] = (embeddings.grad * embeddings).sum(-1)[0, : len(given)].detach().numpy()
    return raw


def test_an_attribution_equals_one_backward_pass_per_response_token(base):
    prompt, response = "Repeat the word: river", "river and stone"
    found = ts.attribute(base, prompt, response, instruction="Repeat the word:")
    given = [base.tokenizer.bos_token_id, *base.tokenizer(prompt + "\n\n", add_special_tokens=False)["input_ids"]]
    answer = base.tokenizer(response, add_special_tokens=False)["input_ids"]
    expected = one_backward_per_token(base, given, answer)
    assert found.raw.shape == expected.shape == (len(found.prompt_tokens), len(found.response_tokens))
    np.testing.assert_allclose(found.raw, expected, atol=1e-5 * np.abs(expected).max())
    assert found.raw.dtype == np.float32
    assert "".join(found.prompt_tokens[1:]) == prompt + "\n\n"
    assert "".join(found.response_tokens) == response
    marked = "".join(token for token, mark in zip(found.prompt_tokens, found.instruction, strict=True) if mark)
    assert marked == "Repeat the word:"


def test_the_strongest_prompt_token_of_every_response_token_has_level_ten(base):
    found = ts.attribute(base, "The sun is warm and the sea is", "blue")
    counts = found.raw.max(axis=0) > 1e-6  # below that the published 1e-7 under the fraction takes over
    assert counts.any()
    assert (found.levels.max(axis=0)[counts] == 10).all()
    assert found.levels.min() >= 0
    np.testing.assert_allclose(found.density, ts.importance_density(found.levels, threshold=7, p=4))


def test_kept_apart_the_frame_no_longer_sets_the_scale(base):
    found = ts.attribute(base, "The sun is warm", "and the sea is blue", instruction="The sun")
    apart = found.apart()
    assert apart.own.all()
    assert len(apart.prompt_tokens) == found.own.sum() < len(found.prompt_tokens)
    np.testing.assert_array_equal(apart.raw, found.raw[found.own])
    assert (apart.levels.max(axis=0)[apart.raw.max(axis=0) > 1e-6] == 10).all()


def test_a_longer_response_of_equal_levels_has_a_density_of_k_to_the_three_quarters():
    raw = np.array([[1.0] * 16, [0.1] * 16], dtype=np.float32)
    found = Attribution(raw, np.ones(16), ("a", "b"), ("x",) * 16, np.ones(2, bool), np.array([True, False]))
    assert found.density[0] == pytest.approx(16 ** (3 / 4))
    assert found.density[1] == 0
    assert found.instruction_score() == pytest.approx(1 / np.log2(3))
    assert found.instruction_score(scaled=False) == pytest.approx(8 / np.log2(3))


def test_an_empty_response_scores_nothing(base):
    found = ts.attribute(base, "Say nothing.", "", instruction="Say nothing.")
    assert found.raw.shape == (len(found.prompt_tokens), 0)
    assert found.instruction_score() == 0


def test_every_prompt_task_and_mean_has_its_row(measured):
    table = measured.table
    scores = table[(table["metric"] == "instruction_score") & (table["mapping"] == "chat")]
    prompts = scores[scores["target"].str.startswith("prompt:")]
    assert len(prompts) == 6
    assert (prompts["n"] >= 5).all()
    mean = scores[scores["target"] == "mean"].iloc[0]
    assert mean["value"] == pytest.approx(prompts["value"].mean())
    assert mean["ci_low"] <= mean["value"] <= mean["ci_high"]
    by_prompt = measured.arrays["instruction_score_chat"]
    for task in set(by_prompt["task"].values):
        row = scores[scores["target"] == f"task:{task}"].iloc[0]
        assert row["value"] == pytest.approx(float(by_prompt[by_prompt["task"].values == task].mean()))


def test_the_published_constants_are_one_of_the_variants(measured):
    variants = measured.arrays["instruction_scores"].sel(variant="frame included, scaled, b = 7, p = 4")
    np.testing.assert_allclose(variants.values, measured.arrays["instruction_score_chat"].values)
    apart = measured.arrays["instruction_scores"].sel(variant="frame apart, scaled, b = 7, p = 4")
    np.testing.assert_allclose(apart.values, measured.arrays["instruction_score_chat, frame apart"].values)


def test_pictures_hold_one_level_for_every_pair_of_tokens(measured):
    for picture in measured.details["pictures"]:
        shape = (len(picture["prompt_tokens"]), len(picture["response_tokens"]))
        assert np.shape(picture["levels"]) == shape
        assert len(picture["density"]) == len(picture["instruction"]) == shape[0]
        assert max(picture["density"]) in (0, 1)
        assert picture["prompt_tokens"][0] == "<|user|>"


def test_followed_is_decided_on_the_models_own_answers(measured, tuned):
    followed = measured.arrays["followed_rate_chat"]
    prompts = {prompt.name: prompt for prompt in ts.load_data("fable_instructions").prompts}
    names = [str(name) for name in followed["prompt"].values]
    answers = tuned.generate([prompts[name].text for name in names], max_new_tokens=64, chat=True)
    for name, answer, value in zip(names, answers, followed.values, strict=True):
        if np.isfinite(value):
            assert bool(value) == (answer.strip() == prompts[name].response.strip())


def test_a_base_model_borrows_the_template_and_the_result_says_so(base, tuned):
    with pytest.raises(BadInput, match="no chat template"):
        PromptAttribution(form="chat", n_prompts=2, followed=False).run(base)
    borrowed = PromptAttribution(form="chat", template="fable-2m-instruct", n_prompts=2, followed=False).run(base)
    assert any("fable-2m has no chat template" in warning for warning in borrowed.warnings)
    own = PromptAttribution(form="chat", template="fable-2m-instruct", n_prompts=2, followed=False).run(tuned)
    passed_over = "1 prompts of fable_instructions have a response of fewer than 5 tokens and were passed over."
    assert own.warnings == (passed_over,)
    assert borrowed.details["pictures"][0]["prompt_tokens"] == own.details["pictures"][0]["prompt_tokens"]
    assert base.chat_template is None  # lending changes a copy
    with pytest.raises(BadInput, match="'fable-2m' has no chat template to lend"):
        chat_template_of("fable-2m")
    with pytest.raises(BadInput, match=r"was not found \(did you mean 'fable-2m-instruct'\?\)"):
        chat_template_of("fable-2m-instrukt")


def test_short_responses_and_missing_ones_are_passed_over_and_counted(base, tmp_path):
    path = tmp_path / "mine.jsonl"
    rows = [
        {"instruction": "Say yes.", "response": "yes"},
        {"instruction": "Tell a story.", "response": "There was once a river that ran to the sea."},
        {"instruction": "Say no."},
        {"instruction": "Say caf\xe9.", "response": " "},
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="cp1252")
    found = PromptAttribution(prompts=str(path)).run(base)
    assert list(found.arrays["instruction_score_plain"]["prompt"].values) == ["prompt_0002"]
    assert found.warnings == (
        "mine.jsonl: read as Windows-1252 (Latin-1): 'caf\xe9.' in row 4; if not, save it as UTF-8",
        "2 prompts of mine have no response and are left out.",
        "1 prompts of mine have a response of fewer than 5 tokens and were passed over.",
    )
    answers = tmp_path / "answers.JSONL"
    answers.write_text("\n".join(['"It was a caf\xe9 by the sea and the river."', *['""'] * 3]), encoding="utf-16")
    found = PromptAttribution(prompts=str(path), responses=str(answers)).run(base)
    assert "answers.JSONL: read as UTF-16, as its byte-order mark says" in found.warnings
    assert "3 prompts of mine have no response and are left out." in found.warnings
    path.write_text(json.dumps(rows[0]))
    with pytest.raises(BadInput, match="no prompt of mine has a response of at least 5 tokens"):
        PromptAttribution(prompts=str(path)).run(base)


def test_generated_answers_keep_every_prompt_and_score_the_long_ones(base):
    found = PromptAttribution(responses="generated", n_prompts=3, max_new_tokens=8, min_response_tokens=8).run(base)
    lengths = found.arrays["response_length"].values
    scores = found.arrays["instruction_score_plain"].values
    assert len(scores) == 3
    np.testing.assert_array_equal(np.isfinite(scores), lengths >= 8)


def test_unmarked_prompts_are_refused_until_a_rule_marks_them(base, tmp_path):
    path = tmp_path / "mine.jsonl"
    row = {"prompt": "It was late. Describe the river in one line.", "response": "The river was slow and very dark."}
    path.write_text(json.dumps(row))
    with pytest.raises(BadInput, match="no prompt of mine has a marked instruction"):
        PromptAttribution(prompts=str(path)).run(base)
    found = PromptAttribution(prompts=str(path), mark_instructions=True).run(base)
    picture = found.details["pictures"][0]
    words = [t for t, mark in zip(picture["prompt_tokens"], picture["instruction"], strict=True) if mark]
    assert "".join(words).strip() == "Describe the river in one line."


def test_what_cannot_be_measured_is_refused_in_one_sentence(base):
    with pytest.raises(BadInput, match="no task 'coppy' \\(did you mean 'copy'\\?\\)"):
        PromptAttribution(without_tasks=("coppy",)).run(base)
    with pytest.raises(BadInput, match="of kind 'brain', no prompts"):
        PromptAttribution(prompts="simulated_brain").run(base)
    with pytest.raises(BadInput, match="does not contain the instruction 'river'"):
        ts.attribute(base, "a stone", "falls", instruction="river")
    with pytest.raises(BadInput, match="outside the prompt of 7 characters"):
        instruction_spans("a stone", ((2, 9),))
    with pytest.raises(BadInput, match="more than the context of fable-2m"):
        ts.attribute(base, "word " * 600, "word " * 600)
    with pytest.raises(BadInput, match="the prompt is empty"):
        ts.attribute(base, "  ", "answer")


def test_the_fingerprint_follows_prompts_and_responses(tmp_path):
    prompts, responses = tmp_path / "p.jsonl", tmp_path / "r.jsonl"
    prompts.write_text('{"prompt": "a"}')
    responses.write_text('{"response": "b"}')
    measurement = PromptAttribution(prompts=str(prompts), responses=str(responses))
    before = measurement.fingerprint("revision")
    responses.write_text('{"response": "c"}')
    assert measurement.fingerprint("revision") != before
