"""From lm-evaluation-harness results, fresh or read from a file, to rows of the long table."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scipy.stats import norm

from tuneshift.ability.categories import bbh_category, mmlu_category
from tuneshift.errors import BadInput

_ACCURACY = ("acc", "exact_match")
_PERPLEXITY = ("word_perplexity", "perplexity")
_Z = float(norm.ppf(0.975))


def read_harness_results(path: str | Path) -> dict[str, Any]:
    """Read the results JSON that lm-evaluation-harness wrote; BadInput where the file is no such file."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path} cannot be read as JSON ({error}); give the results_*.json of an lm-eval run."
        ) from error
    if not isinstance(found, dict) or not isinstance(found.get("results"), dict):
        raise BadInput(f"{path} has no key 'results'; give the results_*.json of an lm-eval run.")
    return found


def results_of(model: str, place: Path) -> Path:
    """Return the results file of a model: `place` itself, or in a folder the model's newest.

    In a folder that is MODEL.json, MODEL/results_*.json or ORGANISATION__MODEL/results_*.json, as lm-eval names them.
    Raises BadInput where the folder has none, or several of the same name.
    """
    if not place.is_dir():
        return place
    own = {path.parent for path in place.rglob("results_*.json") if path.parent.name.rpartition("__")[2] == model}
    if (place / f"{model}.json").is_file():
        return place / f"{model}.json"
    if len(own) > 1:
        raise BadInput(f"{place} holds results of {model!r} in {' and '.join(sorted(p.name for p in own))}; keep one.")
    if not own:
        raise BadInput(
            f"{place} holds no results of {model!r}: expected {model}.json, or a folder called {model} or "
            f"ORGANISATION__{model} with results_*.json."
        )
    return max(own.pop().glob("results_*.json"), key=lambda path: path.name)  # their names end with the time


def of_another_model(results: Mapping[str, Any], model: str) -> tuple[str, ...]:
    """Return a warning where a results file says that it is about a model of another name."""
    said = str(results.get("model_name") or "").rstrip("/").rpartition("/")[2]
    if not said or said == model:
        return ()
    return (f"the results file is about a model called {said}, and was taken for {model}",)


def ability_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a task, category and benchmark: accuracy (share) or perplexity (per word).

    Intervals are 95% normal ones from the harness's standard errors. The mean over a category of BBH tasks counts
    every task once; MMLU categories are the harness's own groups, weighted by questions. Harness groups other than
    these carry the target `group:NAME`.
    """
    counts = results.get("n-samples", {})
    groups = set(results.get("groups") or {}) | set(results.get("group_subtasks") or {})
    rows: list[dict[str, Any]] = []
    by_category: dict[str, list[float]] = defaultdict(list)
    for task, scores in results["results"].items():
        found = _score(scores)
        if found is None:
            continue
        metric, value, error = found
        if bbh_category(task) and task not in groups and metric == "accuracy":
            by_category[str(bbh_category(task))].append(value)
        rows.append(
            {
                "measurement": "ability",
                "dataset": task.split("_")[0],
                "target": _target(task, groups),
                "metric": metric,
                "value": value,
                "ci_low": None if error is None else value - _Z * error,
                "ci_high": None if error is None else value + _Z * error,
                "n": counts.get(task, {}).get("effective"),
                "unit": "share" if metric == "accuracy" else "per word",
            }
        )
    for category, values in by_category.items():
        mean = sum(values) / len(values)
        row = {"measurement": "ability", "dataset": "bbh", "target": f"category:{category}", "metric": "accuracy"}
        rows.append({**row, "value": mean, "n": len(values), "unit": "share"})
    return rows


def _target(task: str, groups: set[str]) -> str:
    category = mmlu_category(task)
    if category is not None:
        return f"category:{category}"
    if "_" not in task or task in ("bbh_zeroshot", "bbh_fewshot", "bbh_cot_fewshot", "bbh_cot_zeroshot"):
        return "mean"
    return f"group:{task}" if task in groups else task


def _score(scores: Mapping[str, Any]) -> tuple[str, float, float | None] | None:
    """Pick the one number of a task: keys look like "acc,none" and "acc_stderr,none" (metric, filter)."""
    for wanted, names in (("accuracy", _ACCURACY), ("perplexity", _PERPLEXITY)):
        for key, value in scores.items():
            name, _, kept = key.partition(",")
            if name in names and isinstance(value, int | float):
                error = scores.get(f"{name}_stderr,{kept}")
                return wanted, float(value), float(error) if isinstance(error, int | float) else None
    return None
