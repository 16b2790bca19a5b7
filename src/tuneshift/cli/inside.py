"""Commands that look at weights: heads and concepts, of one model or of a base and its tuned version."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tuneshift.cli.options import AsJson, Device, Dtype, Model, TrustRemoteCode, load
from tuneshift.cli.output import show
from tuneshift.cli.progress import progress_bars

Tuned = Annotated[str | None, typer.Option(help="Compare with this tuned version of MODEL.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(heads)
    app.command()(concepts)


def heads(
    model: Model,
    tuned: Tuned = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Attention heads: which word pairs each head's query-key weights look for, and how tuning moved them."""
    from tuneshift.inside import HeadPatterns, head_shift

    _inside(model, tuned, HeadPatterns(), head_shift, (device, dtype, trust_remote_code), as_json)


def concepts(
    model: Model,
    tuned: Tuned = None,
    namer: Annotated[
        str | None, typer.Option(help="URL of an OpenAI-compatible endpoint that names the concepts.")
    ] = None,
    namer_model: Annotated[
        str | None, typer.Option(help="Model to ask there; its key comes from the environment.")
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Feed-forward concepts: what the principal components of each layer write, and how far tuning rotated them."""
    from tuneshift.inside import FeedforwardConcepts, concept_shift

    spec = FeedforwardConcepts(namer=namer, namer_model=namer_model)
    _inside(model, tuned, spec, concept_shift, (device, dtype, trust_remote_code), as_json)


def _inside(ref: str, tuned: str | None, spec: Any, shift: Any, loading: tuple[str, str, bool], as_json: bool) -> None:
    base = load(ref, *loading)
    with progress_bars() as progress:
        if tuned is None:
            result = spec.run(base, progress).with_columns(model=base.name)
        else:
            other = load(tuned, *loading)
            result = shift(base, other, spec, progress=progress)
            result = result.with_columns(model=other.name, base_model=base.name, tuned=True)
    show(result.table, result.warnings, as_json=as_json)
