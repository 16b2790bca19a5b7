"""From the scores of a results file to rows of the long table, and the sentences that go with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy.stats import norm

from tuneshift.ability.categories import dataset_of_total, is_total, mmlu_category, part_of
from tuneshift.ability.category_means import TOTAL, PartScore, category_means, mean_row
from tuneshift.ability.harness_scores import Score, Scores, bare_name, scores_of, shots_of
from tuneshift.ability.primary import ACCURACIES, ACCURACY, check_range, own_name, primaries, unit_of
from tuneshift.human.text.problems import some

_Z = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Taken:
    """Rows of the long table, sentences that a reader must see, JSON-ready details, and how much was taken."""

    rows: list[dict[str, Any]]
    warnings: tuple[str, ...]
    details: dict[str, Any]
    n_scores: int
    n_tasks: int


def take(results: Mapping[str, Any], where: str) -> Taken:
    """Return everything that a results file holds; `where` is what errors call it (see `ability_rows`).

    Raises BadInput for numbers that cannot be: NaN, infinite, a share outside 0 to 1, a perplexity below 1.
    """
    scores = scores_of(results, where)
    groups = _groups(results)
    places = _places(list(scores.by_task), groups, results)
    rows: list[dict[str, Any]] = []
    parts: list[PartScore] = []
    chosen: dict[str, dict[str, Score]] = {}
    for task, of_task in scores.by_task.items():
        dataset, target = places[task]
        for score in of_task:
            check_range(score, task, where)
        chosen[task] = primaries(of_task, dataset)
        kinds = {id(score): kind for kind, score in chosen[task].items()}
        for score in of_task:
            columns = {"dataset": dataset, "target": target, "n": scores.counts.get(task)}
            rows.append(_row(score, kinds.get(id(score), own_name(score)), unit_of(score), columns))
        part = part_of(bare_name(task))
        if part is not None and task not in groups and ACCURACY in chosen[task]:
            parts.append(PartScore(part, chosen[task][ACCURACY], scores.counts.get(task)))
    means, said = category_means(parts, {(row["dataset"], row["target"]) for row in rows})
    rows += [_row(mean.score, ACCURACY, "share", mean_row(mean)) for mean in means]
    details = {
        **_provenance(results, scores),
        "chosen": {task: {kind: str(score) for kind, score in kinds.items()} for task, kinds in chosen.items()},
        "left_out": scores.left_out,
        "no_interval": scores.no_interval,
    }
    warnings = (*_choices(scores, chosen), *said, *_left_out(scores), *_trial(scores, results))
    return Taken(rows, warnings, details, len(scores), len(scores.by_task))


def _row(score: Score, metric: str, unit: str | None, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "measurement": "ability",
        **columns,
        "mapping": score.filter,
        "metric": metric,
        "value": score.value,
        "ci_low": None if score.error is None else score.value - _Z * score.error,
        "ci_high": None if score.error is None else score.value + _Z * score.error,
        "unit": unit,
    }


def _groups(results: Mapping[str, Any]) -> set[str]:
    groups, subtasks = results.get("groups"), results.get("group_subtasks")
    named = set(groups) if isinstance(groups, dict) else set()
    # Some versions list every task here, with no subtasks.
    return named | ({name for name, tasks in subtasks.items() if tasks} if isinstance(subtasks, dict) else set())


def _places(tasks: list[str], groups: set[str], results: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return data set and target of each task; two tasks that would share both keep their whole names as targets."""
    families = {part.dataset for task in tasks if (part := part_of(bare_name(task))) is not None}
    found = {task: _place(task, groups, families, results) for task in tasks}
    shared = Counter(found.values())
    return {task: (place[0], task) if shared[place] > 1 else place for task, place in found.items()}


def _place(task: str, groups: set[str], families: set[str], results: Mapping[str, Any]) -> tuple[str, str]:
    name = bare_name(task)
    if (part := part_of(name)) is not None:
        return part.dataset, name
    if (category := mmlu_category(name)) is not None:
        return "mmlu", f"category:{category}"
    if name == "bbh":
        return _dataset_of_plain_bbh(results, families), TOTAL
    if is_total(name) or (name in groups and name in families):
        return dataset_of_total(name), TOTAL
    dataset = re.split("[_:]", name)[0]
    return dataset, TOTAL if dataset == name else f"group:{name}" if task in groups else name


def _dataset_of_plain_bbh(results: Mapping[str, Any], families: set[str]) -> str:
    """Return the data set of the harness's group `bbh`: one of several ways of asking, told by what it is made of."""
    subtasks = results.get("group_subtasks")
    names = subtasks.get("bbh") if isinstance(subtasks, dict) else None
    parts = [part_of(name) for name in names if isinstance(name, str)] if isinstance(names, list) else []
    made_of = {part.dataset for part in parts if part is not None} or {f for f in families if f.startswith("bbh")}
    return made_of.pop() if len(made_of) == 1 else "bbh"


def _choices(scores: Scores, chosen: Mapping[str, Mapping[str, Score]]) -> list[str]:
    """Say which metric became the accuracy wherever that was a choice or is not plain `acc`."""
    ways: dict[str, list[str]] = {}
    without = []
    for task, of_task in scores.by_task.items():
        if not chosen[task]:
            without.append(task)
        accuracy = chosen[task].get(ACCURACY)
        if accuracy is None:
            continue
        beside = [str(score) for score in of_task if score.metric in ACCURACIES and score is not accuracy]
        if beside or str(accuracy) != "acc":
            way = f"{accuracy}{f' (not {some(beside)})' if beside else ''}"
            ways.setdefault(way, []).append(task)
    said = []
    if ways:
        told = "; ".join(f"{way} for {len(tasks)} ({some(tasks)})" for way, tasks in ways.items())
        said.append(f"the accuracy of a task is {told}; all other metrics stand under their own names")
    if without:
        said.append(
            f"neither accuracy nor perplexity, and so in no correlation over models: {some(without, len(without))}"
        )
    return said


def _left_out(scores: Scores) -> list[str]:
    said = []
    for what, reasons in (("left out", scores.left_out), ("without an interval", scores.no_interval)):
        for reason in dict.fromkeys(reasons.values()):
            names = [name for name, why in reasons.items() if why == reason]
            said.append(f"{len(names)} {what} ({reason}): {some(names, len(names))}")
    return said


def _trial(scores: Scores, results: Mapping[str, Any]) -> list[str]:
    config = results.get("config")
    limit = config.get("limit") if isinstance(config, dict) else None
    if isinstance(limit, int | float) and not isinstance(limit, bool):
        return [f"the harness asked only some of the questions (limit {limit}): a trial, not a result"]
    cut = scores.asked_in_part
    return [f"only some of the questions were asked in {len(cut)} ({some(cut)}): a trial, not a result"] if cut else []


def _provenance(results: Mapping[str, Any], scores: Scores) -> dict[str, Any]:
    versions = results.get("versions")
    shots = results.get("n-shot")
    config = results.get("config")
    everywhere = config.get("num_fewshot") if isinstance(config, dict) else None
    told = dict.fromkeys(scores.by_task, everywhere) | (shots if isinstance(shots, dict) else {})
    told |= {task: n for task in scores.by_task if (n := shots_of(task)) is not None}
    return {
        "task_versions": {task: str(v) for task, v in versions.items()} if isinstance(versions, dict) else {},
        "n_shot": {task: n for task, n in told.items() if isinstance(n, int) and not isinstance(n, bool)},
        "harness": "lm-evaluation-harness",
    }
