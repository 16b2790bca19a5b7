"""Categories of MMLU and BBH where a file holds subjects only: by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from harness_files import read

from tuneshift.ability.categories import BBH_CATEGORIES, MMLU_SUBJECTS, missing_parts, part_of

SHARES = {"stem": 0.2, "humanities": 0.4, "social_sciences": 0.6, "other": 0.8}
SUBJECTS = {subject: category for category, subjects in MMLU_SUBJECTS.items() for subject in subjects}
OLD = {
    f"hendrycksTest-{subject}": {"acc": SHARES[category], "acc_stderr": 0.03} for subject, category in SUBJECTS.items()
}


def target(table: pd.DataFrame, name: str, dataset: str = "mmlu") -> pd.Series[Any]:
    (found,) = (row for _, row in table.iterrows() if (row["dataset"], row["target"]) == (dataset, name))
    return found


def test_there_are_57_subjects_in_the_four_groups_of_the_harness() -> None:
    assert {category: len(subjects) for category, subjects in MMLU_SUBJECTS.items()} == {
        "stem": 19, "humanities": 13, "social_sciences": 12, "other": 13
    }  # fmt: skip
    assert len(SUBJECTS) == 57


@pytest.mark.parametrize(
    "spelling", ["hendrycksTest-{}", "harness|hendrycksTest-{}|5", "mmlu_{}", "leaderboard|mmlu:{}|5|0"]
)
def test_old_subjects_without_counts_each_count_once(tmp_path: Path, spelling: str) -> None:
    scores = {spelling.format(task.partition("-")[2]): metrics for task, metrics in OLD.items()}
    result = read(tmp_path, {"results": scores})
    for category, share in SHARES.items():
        row = target(result.table, f"category:{category}")
        assert float(row["value"]) == pytest.approx(share)
        assert int(row["n"]) == len(MMLU_SUBJECTS[category])
    stem = target(result.table, "category:stem")
    assert float(stem["ci_high"]) - 0.2 == pytest.approx(1.959964 * 0.03 / math.sqrt(19), abs=1e-6)
    # (19 x .2 + 13 x .4 + 12 x .6 + 13 x .8) / 57
    assert float(target(result.table, "mean")["value"]) == pytest.approx(26.6 / 57)
    assert any("every subject counting once, because the file does not say" in said for said in result.warnings)
    assert not any("not all of it" in said for said in result.warnings)


def test_subjects_with_counts_are_weighted_by_questions(tmp_path: Path) -> None:
    stem = {f"mmlu_{subject}": {"acc,none": 0.2} for subject in MMLU_SUBJECTS["stem"]}
    counts = {task: {"original": 100, "effective": 100} for task in stem}
    stem["mmlu_anatomy"], counts["mmlu_anatomy"] = {"acc,none": 0.5}, {"original": 300, "effective": 300}
    result = read(tmp_path, {"results": stem, "n-samples": counts})
    # (18 x 100 x .2 + 300 x .5) / 2,100
    assert float(target(result.table, "category:stem")["value"]) == pytest.approx(510 / 2100)
    assert any("weighted by questions" in said for said in result.warnings)


def test_a_part_of_the_subjects_says_how_many_of_how_many_and_gives_no_total(tmp_path: Path) -> None:
    few = {task: OLD[task] for task in ("hendrycksTest-virology", "hendrycksTest-nutrition", "hendrycksTest-anatomy")}
    result = read(tmp_path, {"results": few})
    assert int(target(result.table, "category:other")["n"]) == 2
    assert "mean" not in set(result.table["target"])
    assert any(
        "mmlu: not all of it is in the file: category:other over 2 of 13 and category:stem over 1 of 19 subjects"
        in said
        for said in result.warnings
    )


def test_the_harnesss_own_groups_stay_as_they_are(tmp_path: Path) -> None:
    groups = {"mmlu": {"acc,none": 0.45}, "mmlu_stem": {"acc,none": 0.25, "acc_stderr,none": 0.01}}
    subjects = {task.replace("hendrycksTest-", "mmlu_"): metrics for task, metrics in OLD.items()}
    result = read(tmp_path, {"results": groups | subjects, "groups": groups})
    assert float(target(result.table, "mean")["value"]) == 0.45
    assert float(target(result.table, "category:stem")["value"]) == 0.25
    assert float(target(result.table, "category:other")["value"]) == pytest.approx(0.8)


def test_bbh_with_tasks_missing_says_so_and_a_whole_one_does_not(tmp_path: Path) -> None:
    names = missing_parts("bbh", "language_understanding", set())
    scores = {f"bbh_zeroshot_{name}": {"exact_match,flexible-extract": 0.5} for name in names}
    assert not any("not all of it" in said for said in read(tmp_path, {"results": scores}).warnings)
    scores.pop("bbh_zeroshot_snarks")
    result = read(tmp_path, {"results": scores})
    assert int(target(result.table, "category:language_understanding", "bbh")["n"]) == 2
    assert any("category:language_understanding over 2 of 3 tasks" in said for said in result.warnings)


def test_the_leaderboards_bbh_lacks_three_tasks_by_design() -> None:
    assert len(missing_parts("bbh", "algorithmic_reasoning", set())) == 18  # two of the 14 come in three sizes
    assert len(missing_parts("leaderboard_bbh", "algorithmic_reasoning", set())) == 15
    assert sum(len(missing_parts("bbh", category, set())) for category in BBH_CATEGORIES) == 27


def test_one_task_under_two_names_gives_no_category(tmp_path: Path) -> None:
    scores = {"bbh_zeroshot_snarks": {"exact_match,none": 0.5}, "bbh_snarks": {"exact_match,none": 0.7}}
    result = read(tmp_path, {"results": scores})
    assert set(result.table["target"]) == {"bbh_zeroshot_snarks", "bbh_snarks"}
    assert any("no means by category, because snarks stands there more than once" in said for said in result.warnings)


def test_a_category_of_two_kinds_of_accuracy_says_so(tmp_path: Path) -> None:
    scores = {"bbh_zeroshot_snarks": {"exact_match,none": 0.5}, "bbh_zeroshot_hyperbaton": {"acc,none": 0.7}}
    said = read(tmp_path, {"results": scores}).warnings
    assert "bbh: its means by category mix exact_match and acc" in said


@pytest.mark.parametrize(
    ("task", "dataset"),
    [
        ("bigbench_navigate", "bigbench"),
        ("bigbench_navigate_multiple_choice", "bigbench_multiple_choice"),
        ("bbh_cot_zeroshot_navigate", "bbh_cot_zeroshot"),
        ("bbh_navigate", "bbh"),
        ("mmlu_anatomy_continuation", "mmlu_continuation"),
        ("mmlu_flan_cot_fewshot_anatomy", "mmlu_flan_cot_fewshot"),
    ],
)
def test_ways_of_asking_are_data_sets_of_their_own(task: str, dataset: str) -> None:
    part = part_of(task)
    assert part is not None
    assert (part.dataset, part.name) == (dataset, "anatomy" if "anatomy" in task else "navigate")


@pytest.mark.parametrize(
    "task", ["mmlu_pro_philosophy", "mmlu_prox_en_philosophy", "mmlu_other", "bbh_zeroshot", "arc"]
)
def test_other_benchmarks_are_no_part(task: str) -> None:
    assert part_of(task) is None


def test_the_plain_group_bbh_is_what_it_is_made_of(tmp_path: Path) -> None:
    scores = {"bbh": {"exact_match,get-answer": 0.5}, "bbh_cot_fewshot_snarks": {"exact_match,get-answer": 0.6}}
    table = read(tmp_path, {"results": scores, "groups": {"bbh": {}}}).table
    assert float(target(table, "mean", "bbh_cot_fewshot")["value"]) == 0.5
