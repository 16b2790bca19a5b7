"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tuneshift.cli.completion import complete_data, complete_model
from tuneshift.cli.output import only_json
from tuneshift.numerics.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from tuneshift.models import LanguageModel


def _for_machines(context: typer.Context, wanted: bool) -> bool:
    """Keep standard output clean for the command's one JSON object, until the command ends."""
    if wanted and not context.resilient_parsing:
        context.with_resource(only_json())
    return wanted


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="Hub id, local folder, or embedded name such as fable-8m.",
        autocompletion=complete_model,
    ),
]
Tuned = Annotated[
    str | None, typer.Option(help="Compare with this tuned version of MODEL.", autocompletion=complete_model)
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", callback=_for_machines, help="Print one JSON object with all rows, for machines, and nothing else."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of everything random.")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that comes with the model. Only for sources you trust.")
]
DataSetName = Annotated[
    str, typer.Option(help="Data set (see `tuneshift data`) or a file of your own.", autocompletion=complete_data)
]


def load(ref: str, device: str = "auto", dtype: str = "auto", trust_remote_code: bool = False) -> LanguageModel:
    """Load a model; torch and transformers are imported here, so that `--help` stays quick."""
    from tuneshift.models import LanguageModel

    return LanguageModel.load(ref, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
