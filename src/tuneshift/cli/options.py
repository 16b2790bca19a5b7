"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tuneshift.models import LanguageModel

Model = Annotated[str, typer.Argument(metavar="MODEL", help="Hub id, local folder, or embedded name such as fable-8m.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object with all rows, for machines.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that comes with the model. Only for sources you trust.")
]


def load(ref: str, device: str = "auto", dtype: str = "auto", trust_remote_code: bool = False) -> LanguageModel:
    """Load a model; torch and transformers are imported here, so that `--help` stays quick."""
    from tuneshift.models import LanguageModel

    return LanguageModel.load(ref, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
