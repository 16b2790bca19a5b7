"""Whatever version of the harness wrote a results file, every number of it is a row, or is named."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from harness_files import GENERATED, LAYOUTS, LEADERBOARD_1, LEADERBOARD_2, V03, measured, read

from tuneshift.ability import AbilityScores, ability_rows
from tuneshift.ability.harness_results import model_said, of_another_model
from tuneshift.compare import compare_pair
from tuneshift.errors import BadInput
from tuneshift.result import Result

Z = 1.959964


def row(result: Result, **where: str) -> pd.Series[Any]:
    table = result.table
    for name, wanted in where.items():
        table = table[table[name] == wanted]
    assert len(table) == 1, (where, len(table))
    return table.iloc[0]


def interval(found: pd.Series[Any]) -> tuple[float, float]:
    return float(found["ci_low"]), float(found["ci_high"])


def test_metrics_of_v03_keep_their_intervals(tmp_path: Path) -> None:
    result = read(tmp_path, V03)
    accuracy = row(result, dataset="hellaswag", metric="accuracy")
    assert (accuracy["value"], accuracy["mapping"]) == (0.4, "none")
    assert interval(accuracy) == pytest.approx((0.4 - Z * 0.02, 0.4 + Z * 0.02), abs=1e-6)
    normed = row(result, dataset="hellaswag", metric="acc_norm")
    assert interval(normed) == pytest.approx((0.5 - Z * 0.03, 0.5 + Z * 0.03), abs=1e-6)
    assert row(result, target="hendrycksTest-virology", metric="accuracy")["dataset"] == "mmlu"
    assert result.details["n_shot"]["hellaswag"] == 5


def test_a_task_has_an_accuracy_and_a_perplexity_where_it_has_both(tmp_path: Path) -> None:
    result = read(tmp_path, V03)
    assert row(result, dataset="lambada", metric="accuracy")["value"] == 0.55
    perplexity = row(result, dataset="lambada", metric="perplexity")
    assert interval(perplexity) == pytest.approx((9.5 - Z * 0.2, 9.5 + Z * 0.2), abs=1e-6)
    assert row(result, dataset="wikitext", metric="perplexity")["value"] == 20.5
    assert row(result, dataset="wikitext", metric="bits_per_byte")["unit"] == "bits per byte"


def test_metrics_that_are_no_accuracy_keep_their_names_and_scales(tmp_path: Path) -> None:
    result = read(tmp_path, V03)
    bleu = row(result, dataset="wmt14-fr-en", metric="bleu")
    assert (bleu["value"], bleu["unit"]) == (31.5, "of 100")
    assert row(result, dataset="cola", metric="mcc")["value"] == -0.02
    assert row(result, dataset="truthfulqa", metric="accuracy")["value"] == 0.25  # mc1, the share of right answers
    assert row(result, dataset="truthfulqa", metric="mc2")["value"] == 0.375
    assert any("so in no correlation over models: wmt14-fr-en, cola" in said for said in result.warnings)


def test_names_of_the_first_leaderboard_are_taken_apart(tmp_path: Path) -> None:
    result = read(tmp_path, LEADERBOARD_1)
    arc = row(result, target="arc:challenge", metric="accuracy")
    assert (arc["dataset"], arc["value"]) == ("arc", 0.5)
    assert row(result, target="arc:challenge", metric="acc_norm")["value"] == 0.55
    assert row(result, target="hendrycksTest-virology")["dataset"] == "mmlu"
    assert result.details["n_shot"]["harness|arc:challenge|25"] == 25
    assert "1 left out (the file's own average over unlike tasks): all" in result.warnings


def test_two_numbers_of_examples_are_two_tasks(tmp_path: Path) -> None:
    document = {"results": {"harness|hellaswag|0": {"acc": 0.3}, "harness|hellaswag|10": {"acc": 0.4}}}
    result = read(tmp_path, document)
    assert set(result.table["target"]) == {"harness|hellaswag|0", "harness|hellaswag|10"}
    assert set(result.table["dataset"]) == {"hellaswag"}


def test_the_second_leaderboard_gives_every_metric_of_every_task(tmp_path: Path) -> None:
    result = read(tmp_path, LEADERBOARD_2)
    ifeval = result.table[result.table["target"] == "leaderboard_ifeval"]
    assert dict(zip(ifeval["metric"], ifeval["value"], strict=True)) == {
        "accuracy": 0.31, "inst_level_strict_acc": 0.42, "prompt_level_loose_acc": 0.33, "inst_level_loose_acc": 0.44
    }  # fmt: skip
    assert row(result, target="group:leaderboard_musr", metric="accuracy")["value"] == 0.4
    assert row(result, target="leaderboard_math_hard", metric="accuracy")["value"] == 0.05
    assert row(result, target="leaderboard_mmlu_pro")["n"] == 12032
    assert row(result, target="leaderboard_bbh_disambiguation_qa")[["ci_low", "ci_high"]].isna().all()
    assert "1 left out (a heading without numbers): leaderboard" in result.warnings


def test_multiple_choice_bbh_is_not_the_bbh_of_direct_answers(tmp_path: Path) -> None:
    document = copy.deepcopy(LEADERBOARD_2)
    document["results"]["bbh_zeroshot_snarks"] = {"exact_match,flexible-extract": 0.2}
    document["results"]["bbh_cot_fewshot_snarks"] = {"exact_match,get-answer": 0.9}
    table = read(tmp_path, document).table
    means = table[table["target"] == "category:language_understanding"]
    found = dict(zip(means["dataset"], means["value"], strict=True))
    assert found == pytest.approx({"leaderboard_bbh": 0.6, "bbh": 0.2, "bbh_cot_fewshot": 0.9})


def test_the_filter_is_chosen_by_a_rule_and_not_by_its_place_in_the_file(tmp_path: Path) -> None:
    document = copy.deepcopy(GENERATED)
    for task, scores in document["results"].items():
        document["results"][task] = dict(reversed(scores.items()))
    for result in (read(tmp_path, GENERATED), read(tmp_path, document)):
        strict = row(result, dataset="gsm8k", metric="accuracy")
        assert (strict["value"], strict["mapping"], strict["n"]) == (0.3, "strict-match", 1319)
        flexible = row(result, dataset="gsm8k", metric="exact_match")
        assert (flexible["value"], flexible["mapping"]) == (0.4, "flexible-extract")
        assert interval(flexible) == pytest.approx((0.4 - Z * 0.0135, 0.4 + Z * 0.0135), abs=1e-6)
        bbh = row(result, target="bbh_zeroshot_snarks", metric="accuracy")  # as the harness's own average over BBH
        assert (bbh["value"], bbh["mapping"]) == (0.6, "flexible-extract")
        assert row(result, dataset="humaneval", metric="accuracy")["mapping"] == "create_test"
        assert row(result, dataset="triviaqa", metric="accuracy")["mapping"] == "remove_whitespace"
        assert any(
            "exact_match under strict-match (not exact_match under flexible-extract) for 1 (gsm8k)" in said
            for said in result.warnings
        )


def test_the_accuracy_is_acc_before_exact_match_before_acc_norm() -> None:
    scores = {"acc_norm,none": 0.3, "exact_match,none": 0.2, "acc,none": 0.1}
    found = {row["metric"]: row["value"] for row in ability_rows({"results": {"toy": scores}})}
    assert found == {"accuracy": 0.1, "exact_match": 0.2, "acc_norm": 0.3}
    del scores["acc,none"]
    found = {row["metric"]: row["value"] for row in ability_rows({"results": {"toy": scores}})}
    assert found == {"accuracy": 0.2, "acc_norm": 0.3}


def test_a_second_metric_called_accuracy_is_not_taken_for_the_first() -> None:
    scores = {"acc,none": 0.1, "accuracy,none": 0.2, "word_perplexity,none": 3.5, "perplexity,none": 2.5}
    rows = ability_rows({"results": {"toy": scores}})
    assert {row["metric"]: row["value"] for row in rows} == {
        "accuracy": 0.1, "harness_accuracy": 0.2, "perplexity": 3.5, "harness_perplexity": 2.5
    }  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_two_rows_of_a_model_have_one_name(layout: str, tmp_path: Path) -> None:
    table = read(tmp_path, LAYOUTS[layout]).table
    assert not table.duplicated(["dataset", "target", "mapping", "metric"]).any()
    assert table["mapping"].notna().all()


def test_old_and_new_results_of_one_task_are_a_pair() -> None:
    old = Result.from_rows(ability_rows({"results": {"piqa": {"acc": 0.5, "acc_norm": 0.6}}}))
    new = Result.from_rows(ability_rows({"results": {"piqa": {"acc,none": 0.75, "acc_norm,none": 0.7}}}))
    pairs = compare_pair(old, new)
    found = dict(zip(pairs["metric"], pairs["difference"], strict=True))
    assert found == pytest.approx({"accuracy": 0.25, "acc_norm": 0.1})


def test_groups_that_stand_beside_the_results_are_taken_too() -> None:
    document = {"results": {"arc_easy": {"acc,none": 0.5}}, "groups": {"ai2_arc": {"acc,none": 0.4}}}
    rows = ability_rows(document)
    assert {row["target"]: row["value"] for row in rows} == {"arc_easy": 0.5, "group:ai2_arc": 0.4}


def test_both_spellings_of_the_number_of_questions_are_read() -> None:
    for spelling in ("n-samples", "n_samples"):
        document = {"results": {"piqa": {"acc,none": 0.5}}, spelling: {"piqa": {"original": 20, "effective": 20}}}
        assert ability_rows(document)[0]["n"] == 20


def test_a_trial_is_called_one(tmp_path: Path) -> None:
    document: dict[str, Any] = {"results": {"piqa": {"acc,none": 0.5}}}
    cut = document | {"n-samples": {"piqa": {"original": 1838, "effective": 10}}}
    limited = document | {"config": {"limit": 10}}
    whole = document | {"n-samples": {"piqa": {"original": 1838, "effective": 1838}}, "config": {"limit": None}}
    assert any("a trial, not a result" in said for said in read(tmp_path, cut).warnings)
    assert any("a trial, not a result" in said for said in read(tmp_path, limited).warnings)
    assert not any("trial" in said for said in read(tmp_path, whole).warnings)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"model_name": "org/mine"}, "mine"),
        ({"config": {"model_args": "pretrained=org/mine,dtype=float16"}}, "mine"),
        ({"config": {"model_args": "pretrained=org/base,peft=me/mine"}}, "mine"),
        ({"config": {"model_args": {"pretrained": "/models/mine/"}}}, "mine"),
        ({"config": {"model_args": "pretrained=C:\\models\\mine"}}, "mine"),
        ({"config": {"model_name": "org/mine"}}, "mine"),
        ({"config_general": {"model_name": "org/mine"}}, "mine"),
        ({"config": {"model_args": ""}}, ""),
        ({"config": ["pretrained=org/mine"], "model_name": 3}, ""),
    ],
)
def test_every_layout_says_whose_results_they_are(said: dict[str, Any], name: str) -> None:
    assert model_said(said) == name
    assert of_another_model(said, "mine") == ()
    assert bool(of_another_model(said, "other")) == bool(name)


def test_a_file_that_does_not_say_whose_it_is_is_called_one(tmp_path: Path) -> None:
    result = read(tmp_path, {"results": {"piqa": {"acc,none": 0.5}}})
    assert result.warnings == (
        "abilities read from harness.json, not measured here (1 scores of 1 tasks), and the file does not say of which "
        "model",
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_results_in_any_encoding_are_the_same(tmp_path: Path, encoding: str) -> None:
    document = V03 | {"note": "mesuré à l'été, évalué après déjà trois essais répétés"}
    (tmp_path / "results.JSON").write_bytes(json.dumps(document, ensure_ascii=False).encode(encoding))
    result = measured(tmp_path / "results.JSON")
    pd.testing.assert_frame_equal(result.table, read(tmp_path, V03).table)


def test_results_in_another_encoding_are_refused_with_the_place(tmp_path: Path) -> None:
    content = json.dumps(V03 | {"note": "évalué"}, ensure_ascii=False, indent=1).encode("cp1252")
    (tmp_path / "results.json").write_bytes(content)
    row = content[: content.index(b"\xe9")].count(b"\n") + 1
    with pytest.raises(BadInput, match=rf"results\.json cannot be read as JSON: in row {row}, byte \d+ is no utf-8"):
        measured(tmp_path / "results.json")


def test_a_folder_may_hold_compressed_results(tmp_path: Path) -> None:
    (tmp_path / "org__mine").mkdir()
    for year, share in (("2024", 0.1), ("2025", 0.2)):
        content = json.dumps({"results": {"piqa": {"acc,none": share}}, "model_name": "org/mine"}).encode()
        path = tmp_path / "org__mine" / f"results_{year}-01-01T00-00-00.json.gz"
        path.write_bytes(gzip.compress(content))
    result = measured(tmp_path)
    assert result.value(metric="accuracy") == 0.2
    assert "the newest of 2 files there" in result.warnings[0]
    before = AbilityScores(results_file=tmp_path).data_checksum()
    path.unlink()
    assert AbilityScores(results_file=tmp_path).data_checksum() not in ("", before)


def test_a_file_of_a_model_twice_in_a_folder_is_refused(tmp_path: Path) -> None:
    for name in ("mine.json", "mine.JSON.gz"):
        (tmp_path / name).write_text(json.dumps(V03))
    with pytest.raises(BadInput, match="holds results of 'mine' in"):
        measured(tmp_path)
