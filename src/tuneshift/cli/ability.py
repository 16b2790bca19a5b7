"""Command that measures what a model can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuneshift.cli.options import AsJson, Device, Dtype, Model, Seed, TrustRemoteCode, load
from tuneshift.cli.output import show
from tuneshift.cli.progress import progress_bars
from tuneshift.errors import BadInput


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(ability)


def ability(
    model: Model,
    tasks: Annotated[
        str, typer.Option(help="Tasks or groups of lm-evaluation-harness, with commas.")
    ] = "mmlu,bbh,wikitext",
    include_path: Annotated[Path | None, typer.Option(help="Folder of your own task files.")] = None,
    results_file: Annotated[Path | None, typer.Option(help="Read results lm-eval already wrote; run nothing.")] = None,
    num_fewshot: Annotated[int | None, typer.Option(min=0, help="Examples before each question.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions a task, for a trial.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Abilities through lm-evaluation-harness (extra `ability`): MMLU, BBH, perplexity."""
    from tuneshift.ability import AbilityScores

    chosen = tuple(task.strip() for task in tasks.split(",") if task.strip())
    if not chosen:
        raise BadInput(f"--tasks {tasks!r} names no task; give some with commas between, such as mmlu,bbh.")
    if include_path is not None and not include_path.is_dir():
        raise BadInput(f"--include-path {include_path} is no folder; give the folder that holds your task files.")
    measurement = AbilityScores(
        tasks=chosen,
        include_path=include_path,
        results_file=results_file,
        num_fewshot=num_fewshot,
        limit=limit,
        seed=seed,
    )
    language_model = load(model, device, dtype, trust_remote_code)
    with progress_bars() as progress:
        result = measurement.run(language_model, progress).with_columns(model=language_model.name)
    show(result.table, result.warnings, measurement, as_json=as_json)
