"""Command that measures what a model can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuneshift.cli.options import AsJson, Device, Dtype, Model, Seed, TrustRemoteCode, load
from tuneshift.cli.output import show
from tuneshift.cli.progress import progress_bars


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
    num_fewshot: Annotated[int | None, typer.Option(help="Examples before each question.")] = None,
    limit: Annotated[int | None, typer.Option(help="Questions a task, for a trial.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Abilities through lm-evaluation-harness (extra `ability`): MMLU, BBH, perplexity."""
    from tuneshift.ability import AbilityScores

    measurement = AbilityScores(
        tasks=tuple(task.strip() for task in tasks.split(",") if task.strip()),
        include_path=include_path,
        results_file=results_file,
        num_fewshot=num_fewshot,
        limit=limit,
        seed=seed,
    )
    language_model = load(model, device, dtype, trust_remote_code)
    with progress_bars() as progress:
        result = measurement.run(language_model, progress).with_columns(model=language_model.name)
    show(result.table, result.warnings, as_json=as_json)
