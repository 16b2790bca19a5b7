"""Command that tunes a model on instructions, or on the same responses without them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuneshift.cli.options import AsJson, Device, Dtype, Model, Seed, load
from tuneshift.cli.output import print_json, tell
from tuneshift.cli.progress import progress_bars
from tuneshift.errors import BadInput


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(tune)


def tune(
    model: Model,
    data: Annotated[Path, typer.Option(help="JSON or JSONL file: instruction, input, output (or prompt, response).")],
    out: Annotated[Path, typer.Option(help="Folder of the checkpoints.")],
    without_instructions: Annotated[
        bool, typer.Option("--without-instructions", help="The control: the same responses, no instructions.")
    ] = False,
    checkpoints: Annotated[int, typer.Option(min=1, help="How many checkpoints to keep, evenly spaced.")] = 1,
    epochs: Annotated[int, typer.Option(min=1, help="Times through the data.")] = 1,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak of the cosine schedule.")] = 1e-4,
    lora: Annotated[
        bool, typer.Option("--lora", help="Low-rank adapters (peft), kept, and merged at the end.")
    ] = False,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    as_json: AsJson = False,
) -> None:
    """Instruction tuning, with checkpoints and a study over them (extra `tune`)."""
    from tuneshift.models.instruction_data import read_instruction_data
    from tuneshift.models.tuning import TuningOptions
    from tuneshift.models.tuning import tune as tune_model

    if not learning_rate > 0:
        raise BadInput(f"--learning-rate {learning_rate} is no number above 0; try 1e-4.")
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out {out} is a file; give a folder for the checkpoints.")
    examples = read_instruction_data(data)
    for sentence in examples.said:
        tell(f"note: {sentence}", style="yellow")
    options = TuningOptions(
        without_instructions=without_instructions,
        checkpoints=checkpoints,
        epochs=epochs,
        max_steps=max_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        lora=lora,
        seed=seed,
    )
    with progress_bars() as progress:
        folders = tune_model(load(model, device, dtype), examples, out, options, progress)
    if as_json:
        print_json({"checkpoint": str(folder), "study": str(out / "study.yaml")} for folder in folders)
        return
    for folder in folders:
        typer.echo(str(folder))
    typer.echo(f"a study over them: tuneshift run {out / 'study.yaml'}")
