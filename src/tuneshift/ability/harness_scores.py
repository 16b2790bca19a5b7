"""Every number of a results file of lm-evaluation-harness, of whichever layout, and what of it is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneshift.errors import BadInput

NO_FILTER = "none"
"""What the harness calls it when answers go through no filter; files before v0.4 know no filters at all."""
_STDERR = "_stderr"
_NO_METRICS = ("alias", "name", "sample_len", "sample_count", "samples", "task", "version", " ")
_NO_STDERR = ("N/A", "", None)
_BYPASS = "bypass"
_LARGEST_COUNT = 1 << 53


@dataclass(frozen=True)
class Score:
    """One metric of one task under one filter; `error` is its standard error, None where there is none."""

    metric: str
    filter: str
    value: float
    error: float | None = None

    def __str__(self) -> str:
        return self.metric if self.filter == NO_FILTER else f"{self.metric} under {self.filter}"


@dataclass
class Scores:
    """The scores of every task, as the file names it, in its order; `left_out` and `no_interval` hold reasons by name.

    `counts` are the questions that were asked, `asked_in_part` the tasks of which only some questions were.
    """

    by_task: dict[str, list[Score]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    no_interval: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    asked_in_part: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(scores) for scores in self.by_task.values())


def scores_of(results: Mapping[str, Any], where: str) -> Scores:
    """Return the scores of all tasks and groups of a results file; `where` is what errors call it.

    Keys are "acc" with "acc_stderr" (to v0.3 and the leaderboard's first) or "acc,none" with "acc_stderr,none" (metric
    and filter, since v0.4). Raises BadInput for a value that is NaN or infinite, and for two numbers of one name.
    """
    found = Scores()
    tables = dict(results["results"])
    if isinstance(groups := results.get("groups"), dict):
        tables |= {name: table for name, table in groups.items() if name not in tables and table != {}}
    averaged = any(shots_of(task) is not None for task in tables)
    for task, table in tables.items():
        _check_name(task, where)
        if averaged and task == "all":
            found.left_out[task] = "the file's own average over unlike tasks"
        elif not isinstance(table, dict):
            found.left_out[task] = f"{_kind(table)} where a table of metrics is expected"
        else:
            _read_task(task, table, where, found)
    _count(results, tables, found)
    return found


def bare_name(task: str) -> str:
    """Return a task's name without suite and number of examples: `arc:challenge` of `harness|arc:challenge|25`."""
    return task.split("|")[1] if shots_of(task) is not None else task


def shots_of(task: str) -> int | None:
    """Return the number of examples that a task's name itself holds (`harness|arc:challenge|25`), None without one."""
    parts = task.split("|")
    named = len(parts) in (3, 4) and parts[1] and parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < 10
    return int(parts[2]) if named else None


def _read_task(task: str, table: dict[str, Any], where: str, found: Scores) -> None:
    keys = [key for key in table if key not in _NO_METRICS]
    for key in keys:
        _check_name(key, where)
    metrics = _by_metric([key for key in keys if not _is_stderr(key)], "", task, where)
    errors = _by_metric([key for key in keys if _is_stderr(key)], _STDERR, task, where)
    scores = []
    for (metric, kept), key in metrics.items():
        value, named = table[key], f"{key} of {task}"
        if not metric:
            found.left_out[named] = "a metric without a name"
        elif metric == _BYPASS:
            found.left_out[named] = "the harness's sign that nothing was scored"
        elif isinstance(value, bool) or not isinstance(value, int | float):
            found.left_out[named] = f"{_kind(value)} where a number is expected"
        else:
            error = table[errors[metric, kept]] if (metric, kept) in errors else None
            scores.append(Score(metric, kept, _number(value, key, task, where), _error(error, named, found)))
    for name in errors.keys() - metrics.keys():
        found.left_out[f"{errors[name]} of {task}"] = "a standard error without its metric"
    if scores:
        found.by_task[task] = scores
    elif not metrics and not errors:
        found.left_out[task] = "a heading without numbers"


def _by_metric(keys: list[str], ending: str, task: str, where: str) -> dict[tuple[str, str], str]:
    """Return keys by metric and filter; "acc" and "acc,none" are the same."""
    found: dict[tuple[str, str], str] = {}
    for key in keys:
        metric, _, kept = key.partition(",")
        name = (metric.removesuffix(ending), kept or NO_FILTER)
        if name in found:
            raise BadInput(
                f"{where}, task {task!r}: {found[name]!r} and {key!r} are two numbers of one name; keep one."
            )
        found[name] = key
    return found


def _is_stderr(key: str) -> bool:
    return key.partition(",")[0].endswith(_STDERR)


def _check_name(name: str, where: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInput(f"{where}: the name {name!a} holds half a letter (a lone surrogate); mend it.") from error


def _number(value: float, key: str, task: str, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        kind = "not a number (NaN)" if number != number else "infinite"
        raise BadInput(
            f"{where}, task {task!r}: {key} is {kind}; run that task again, or take it out of the file if it cannot be "
            "measured."
        )
    return number


def _error(value: Any, named: str, found: Scores) -> float | None:
    if value in _NO_STDERR:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        found.no_interval[named] = f"its standard error is {_kind(value)}"
    elif not 0 <= value < math.inf:
        found.no_interval[named] = "its standard error is NaN, infinite or below 0"
    elif value > 1e300:
        found.no_interval[named] = "its standard error is beyond all measure"
    else:
        return float(value)
    return None


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    kinds = {bool: "a truth value", str: "a text", list: "a list", dict: "a table", int: "a number", float: "a number"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def _count(results: Mapping[str, Any], tables: Mapping[str, Any], found: Scores) -> None:
    """Collect how many questions were asked; the file says it under `n-samples`, or beside the metrics."""
    told: dict[str, Any] = {}
    for spelling in ("n_samples", "n-samples"):
        told |= results[spelling] if isinstance(results.get(spelling), dict) else {}
    for task in found.by_task:
        said = told.get(task)
        effective = said.get("effective") if isinstance(said, dict) else said
        beside = next((tables[task][key] for key in ("sample_len", "samples") if key in tables[task]), None)
        n = next((n for n in (effective, beside) if _is_count(n)), None)
        if n is None:
            continue
        found.counts[task] = n
        whole = said.get("original") if isinstance(said, dict) else None
        if _is_count(whole) and n < whole:
            found.asked_in_part.append(task)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_COUNT
