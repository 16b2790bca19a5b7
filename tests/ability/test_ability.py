"""Abilities come from lm-evaluation-harness: run on a local task, or read from a file it wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tuneshift.ability import AbilityScores, ability_rows, read_harness_results
from tuneshift.ability.categories import BBH_CATEGORIES, bbh_category, mmlu_category
from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.result import Result

QUESTIONS = [
    {"question": "The sun rose over the", "choices": ["sea", "xqzv"], "answer": 0},
    {"question": "She opened the", "choices": ["zzkq", "door"], "answer": 1},
    {"question": "He drank a glass of", "choices": ["wine", "vqxz"], "answer": 0},
]


@pytest.fixture
def local_task(tmp_path: Path) -> Path:
    (tmp_path / "questions.jsonl").write_text("\n".join(json.dumps(q) for q in QUESTIONS))
    (tmp_path / "toy.yaml").write_text(
        f"""task: toy_endings
dataset_path: json
dataset_kwargs:
  data_files:
    test: {tmp_path / "questions.jsonl"}
test_split: test
output_type: multiple_choice
doc_to_text: question
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""
    )
    return tmp_path


def test_a_local_task_scores_what_the_models_own_likelihoods_say(local_task: Path, fable_2m: LanguageModel) -> None:
    result = AbilityScores(tasks=("toy_endings",), include_path=local_task).run(fable_2m)
    right = [_likelier(fable_2m, q["question"], q["choices"]) == q["answer"] for q in QUESTIONS]
    assert result.value(target="toy_endings", metric="accuracy") == pytest.approx(sum(right) / 3)
    assert int(result.table["n"].iloc[0]) == 3


def _likelier(model: LanguageModel, question: str, choices: list[str]) -> int:
    scores = []
    context = model.tokenizer(question)["input_ids"]
    for choice in choices:
        ids = model.tokenizer(f"{question} {choice}")["input_ids"]
        with torch.inference_mode():
            logits = model.torch_model(torch.tensor([ids])).logits[0].log_softmax(-1)
        scores.append(sum(float(logits[i - 1, ids[i]]) for i in range(len(context), len(ids))))
    return max(range(len(choices)), key=scores.__getitem__)


def test_an_unknown_task_is_named_with_its_nearest_neighbour(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match=r"no task 'wikitex' \(did you mean 'wikitext'\?\)"):
        AbilityScores(tasks=("wikitex",)).run(fable_2m)


RESULTS = {
    "results": {
        "mmlu": {"acc,none": 0.4, "acc_stderr,none": 0.01, "alias": "mmlu"},
        "mmlu_stem": {"acc,none": 0.3, "acc_stderr,none": 0.02},
        "mmlu_anatomy": {"acc,none": 0.5, "acc_stderr,none": 0.04},
        "bbh_zeroshot": {"exact_match,flexible-extract": 0.35},
        "bbh_zeroshot_snarks": {"exact_match,flexible-extract": 0.6, "exact_match_stderr,flexible-extract": 0.05},
        "bbh_zeroshot_hyperbaton": {"exact_match,flexible-extract": 0.4},
        "wikitext": {"word_perplexity,none": 17.5, "word_perplexity_stderr,none": "N/A"},
    },
    "groups": {"mmlu": {}, "mmlu_stem": {}, "bbh_zeroshot": {}},
    "n-samples": {"mmlu_anatomy": {"original": 135, "effective": 135}},
    "versions": {"mmlu_anatomy": 1.0},
}


def test_results_that_a_user_already_has_are_read(tmp_path: Path, fable_2m: LanguageModel) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(RESULTS))
    result = AbilityScores(results_file=path).run(fable_2m)
    assert result.value(dataset="mmlu", target="mean", metric="accuracy") == 0.4
    assert result.value(dataset="mmlu", target="category:stem") == 0.3
    assert result.value(dataset="bbh", target="category:language_understanding") == pytest.approx(0.5)
    assert result.value(dataset="wikitext", metric="perplexity") == 17.5
    anatomy = result.table[result.table["target"] == "mmlu_anatomy"].iloc[0]
    assert (anatomy["ci_low"], anatomy["ci_high"]) == pytest.approx((0.5 - 1.96 * 0.04, 0.5 + 1.96 * 0.04), abs=1e-4)
    assert int(anatomy["n"]) == 135
    assert "not measured here" in result.warnings[0]


def test_a_folder_of_results_gives_each_model_its_own_newest_ones(tmp_path: Path) -> None:
    def write(path: str, share: float, name: str = "") -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        results = {"results": {"mmlu": {"acc,none": share}}, "model_name": name}
        (tmp_path / path).write_text(json.dumps(results))

    write("me__base/results_2024-01-01T00-00-00.json", 0.1, "me/base")
    write("me__base/results_2025-01-01T00-00-00.json", 0.2, "me/base")
    write("tuned.json", 0.3, "me/another")
    measurement = AbilityScores(results_file=tmp_path)
    before = measurement.data_checksum()

    def read(name: str) -> Result:
        return measurement.run(SimpleNamespace(name=name))  # type: ignore[arg-type]

    assert read("base").value(metric="accuracy") == 0.2
    assert len(read("base").warnings) == 1
    assert read("tuned").value(metric="accuracy") == 0.3
    assert "is about a model called another, and was taken for tuned" in read("tuned").warnings[1]
    with pytest.raises(BadInput, match=r"holds no results of 'other': expected other\.json, or a folder called other"):
        read("other")
    write("you__base/results_2025-01-01T00-00-00.json", 0.4)
    with pytest.raises(BadInput, match="in me__base and you__base; keep one"):
        read("base")
    assert measurement.data_checksum() != before


def test_a_file_that_is_no_harness_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("[1, 2]")
    with pytest.raises(BadInput, match=r"other\.json has no key 'results'"):
        read_harness_results(path)
    with pytest.raises(BadInput, match="cannot be read as JSON"):
        read_harness_results(tmp_path / "absent.json")


def test_every_bbh_task_has_one_category_and_there_are_23() -> None:
    names = [name for tasks in BBH_CATEGORIES.values() for name in tasks]
    assert len(names) == len(set(names)) == 23
    assert bbh_category("bbh_zeroshot_logical_deduction_five_objects") == "algorithmic_reasoning"
    assert bbh_category("bbh_fewshot_salient_translation_error_detection") == "multilingual"
    assert bbh_category("mmlu_anatomy") is None
    assert mmlu_category("mmlu_social_sciences") == "social_sciences"
    assert mmlu_category("other") is None


def test_a_missing_standard_error_gives_no_interval() -> None:
    table = Result.from_rows(ability_rows(RESULTS)).table
    row = table[table["dataset"] == "wikitext"].iloc[0]
    assert math.isfinite(row["value"])
    assert row[["ci_low", "ci_high"]].isna().all()
