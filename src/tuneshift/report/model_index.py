"""Results as the `model-index` section of a Hugging Face model card."""

from __future__ import annotations

from typing import Any

import pandas as pd
import yaml
from huggingface_hub import EvalResult
from huggingface_hub.repocard_data import eval_results_to_model_index

from tuneshift.vocabulary import Vocabulary, ours
from tuneshift.vocabulary.rows import over_all


def model_index(table: pd.DataFrame, model: str, vocabulary: Vocabulary | None = None) -> str:
    """Return the `model-index` YAML of one model's summary rows (over all participants and targets).

    The value of each row carries its interval, number of observations and noise ceiling as arguments, so that nothing
    the long table knows about a number is lost on the card. Raises ValueError where the table has no such model.
    """
    vocabulary = vocabulary or ours()
    tasks = {kind.name: kind.task for kind in vocabulary.kinds if kind.task[0]}
    rows = table[(table["model"] == model) & table["measurement"].isin(tasks) & table["value"].notna()]
    rows = rows[over_all(rows)]
    if rows.empty:
        raise ValueError(f"the table has no summary row of a model called {model!r}")
    results = [_evaluation(row, tasks[row["measurement"]]) for row in rows.to_dict("records")]
    return yaml.safe_dump({"model-index": eval_results_to_model_index(model, results)}, sort_keys=False)


def _evaluation(row: dict[Any, Any], task: tuple[str, str]) -> EvalResult:
    kind, name = task
    dataset = _text(row["dataset"]) or "none"
    settings = {
        key: _plain(row[key])
        for key in ("split", "mapping", "layer", "ci_low", "ci_high", "n", "ceiling", "unit", "fingerprint")
        if not pd.isna(row[key])
    }
    return EvalResult(
        task_type=kind,
        task_name=name,
        dataset_type=dataset,
        # The hub merges rows that share task, data set and configuration: settings keep layers and splits apart.
        dataset_config="-".join(str(settings[k]) for k in ("split", "mapping", "layer") if k in settings) or None,
        dataset_name=dataset,
        metric_type=str(row["metric"]),
        metric_name=str(row["metric"]),
        metric_value=float(row["value"]),
        metric_args=settings,
    )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
