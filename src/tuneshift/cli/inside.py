"""Commands that look at weights: heads and concepts, of one model or of a base and its tuned version."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tuneshift.cli.options import AsJson, Device, Model, TrustRemoteCode
from tuneshift.cli.output import show
from tuneshift.cli.progress import progress_bars

Tuned = Annotated[str | None, typer.Option(help="Compare with this tuned version of MODEL.")]
Words = Annotated[
    str | None, typer.Option(help="File of words, one a line, alone or with a count; default: the model's own words.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(heads)
    app.command()(concepts)


def heads(
    model: Model,
    tuned: Tuned = None,
    words: Words = None,
    vectors: Annotated[
        str | None, typer.Option(help="File of word vectors such as GloVe's; default: the model's own embeddings.")
    ] = None,
    planes: Annotated[
        bool, typer.Option("--planes", help="Take the planes that rotary embeddings turn, not single dimensions.")
    ] = False,
    device: Device = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Attention heads: which word pairs each head's query-key weights look for, and how tuning moved them."""
    from tuneshift.inside import HeadPatterns, head_shift

    spec = HeadPatterns(words=words, vectors=vectors, unit="plane" if planes else "dimension")
    _inside(model, tuned, spec, head_shift, (device, trust_remote_code), as_json)


def concepts(
    model: Model,
    tuned: Tuned = None,
    words: Words = None,
    device: Device = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Feed-forward concepts: what the principal components of each layer write, and how far tuning rotated them."""
    from tuneshift.inside import FeedforwardConcepts, concept_shift

    spec = FeedforwardConcepts(words=words)
    _inside(model, tuned, spec, concept_shift, (device, trust_remote_code), as_json)


def _inside(ref: str, tuned: str | None, spec: Any, shift: Any, opening: tuple[str, bool], as_json: bool) -> None:
    """Read weights from files, one layer at a time: no model is loaded, so that one of any size will do."""
    from tuneshift.models.weights import Weights

    device, trust_remote_code = opening
    base = Weights.open(ref, device=device, trust_remote_code=trust_remote_code)
    with progress_bars() as progress:
        if tuned is None:
            result = spec.run(base, progress).with_columns(model=base.name)
        else:
            other = Weights.open(tuned, device=device, trust_remote_code=trust_remote_code)
            result = shift(base, other, spec, progress=progress)
            result = result.with_columns(model=other.name, base_model=base.name, tuned=True)
    show(result.table, result.warnings, as_json=as_json)
