"""The results of lm-evaluation-harness that a user already has: which file is whose, and what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuneshift.ability.harness_file import read_file
from tuneshift.ability.harness_rows import Taken, take
from tuneshift.errors import BadInput
from tuneshift.files.plain_files import plain_name

_NAMED_BY = ("peft", "delta", "pretrained", "model", "path", "engine")
"""The arguments of a model that name it, in the harness's own order: an adapter before its base."""


def read_harness_results(path: str | Path) -> dict[str, Any]:
    """Return the results JSON that lm-evaluation-harness wrote, of any layout since v0.3.

    Raises BadInput where the file is no such file, and for numbers in it that cannot be, NaN among them.
    """
    found = read_file(Path(path))
    take(found, str(path))
    return found


def take_file(path: Path, model: str) -> Taken:
    """Return what a results file holds for `model`, with sentences on how much that is and whom it is about.

    Raises BadInput as `read_harness_results` does, and where no score is left.
    """
    found = read_file(path)
    taken = take(found, str(path))
    if not taken.rows:
        why = f" ({taken.warnings[0]})" if taken.warnings else ""
        raise BadInput(f"{path} holds no score of any task{why}; give the results_*.json that lm-eval wrote.")
    whose = "" if model_said(found) else ", and the file does not say of which model"
    counted = f"{taken.n_scores} scores of {taken.n_tasks} tasks"
    first = f"abilities read from {path.name}, not measured here ({counted}{_older(path)}){whose}"
    warnings = (first, *of_another_model(found, model), *taken.warnings)
    return Taken(taken.rows, warnings, taken.details, taken.n_scores, taken.n_tasks)


def results_files(folder: Path) -> list[Path]:
    """Return every JSON file below a folder, compressed or not and in any case, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if plain_name(path).endswith(".json") and path.is_file())


def results_of(model: str, place: Path) -> Path:
    """Return the results file of a model: `place` itself, or in a folder the model's newest.

    In a folder that is MODEL.json, MODEL/results_*.json or ORGANISATION__MODEL/results_*.json, as lm-eval names them.
    Raises BadInput where the folder has none, or several of the same name.
    """
    if not place.is_dir():
        return place
    files = results_files(place)
    named = [path for path in files if path.parent == place and _stem(path) == model]
    own = {path.parent for path in files if _is_run(path) and path.parent.name.rpartition("__")[2] == model}
    if len(named) == 1:
        return named[0]
    several = [path.name for path in named] or sorted(path.name for path in own)
    if len(several) > 1:
        raise BadInput(f"{place} holds results of {model!r} in {' and '.join(several)}; keep one.")
    if not own:
        raise BadInput(
            f"{place} holds no results of {model!r}: expected {model}.json, or a folder called {model} or "
            f"ORGANISATION__{model} with results_*.json."
        )
    return _runs(own.pop())[-1]


def _stem(path: Path) -> str:
    return re.sub(r"(?i)\.json(\.gz)?$", "", path.name)


def _is_run(path: Path) -> bool:
    return plain_name(path).startswith("results_")


def _runs(folder: Path) -> list[Path]:
    """Return the results files of one folder, the newest last: their names end with the time."""
    return sorted((path for path in results_files(folder) if path.parent == folder and _is_run(path)), key=_stem)


def _older(path: Path) -> str:
    runs = _runs(path.parent) if _is_run(path) else []
    return f", the newest of {len(runs)} files there" if len(runs) > 1 and path == runs[-1] else ""


def of_another_model(results: Mapping[str, Any], model: str) -> tuple[str, ...]:
    """Return a warning where a results file says that it is about a model of another name."""
    said = model_said(results)
    if not said or said == model:
        return ()
    return (f"the results file is about a model called {said}, and was taken for {model}",)


def model_said(results: Mapping[str, Any]) -> str:
    """Return the name, without organisation or folder, of the model that a results file is about; "" where unsaid."""
    settings = [results.get("config"), results.get("config_general")]
    tables = [table for table in settings if isinstance(table, dict)]
    arguments = [_from_arguments(table.get("model_args")) for table in tables]
    candidates = [results.get("model_name"), *arguments, *(table.get("model_name") for table in tables)]
    for candidate in candidates:
        parts = re.split(r"[/\\]", candidate.strip().rstrip("/\\")) if isinstance(candidate, str) else [""]
        if parts[-1]:
            return " ".join(parts[-1].split())
    return ""


def _from_arguments(arguments: Any) -> str:
    """Return the model in `pretrained=org/name,dtype=float16`, which newer files hold as a table."""
    if isinstance(arguments, str):
        arguments = dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    if not isinstance(arguments, dict):
        return ""
    return next((str(arguments[key]) for key in _NAMED_BY if isinstance(arguments.get(key), str)), "")


def ability_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a metric, filter and task, group or category; `mapping` is the filter.

    Of each task one metric is called "accuracy" (a share) and one "perplexity", where it has such (`primary.py` says
    which); the others keep the harness's names. Intervals are 95% normal ones from the harness's standard errors.
    Categories of MMLU are the harness's own groups, weighted by questions, and computed from the subjects where the
    file has no groups; every BBH task counts once. Other groups carry the target `group:NAME`. Raises BadInput for
    numbers that cannot be.
    """
    return take(results, "the results").rows
