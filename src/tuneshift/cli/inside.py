"""Commands that look at weights: heads and concepts, of one model or of a base and its tuned version."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tuneshift.cli.options import AsJson, Device, Model, TrustRemoteCode
from tuneshift.cli.output import show
from tuneshift.cli.progress import progress_bars
from tuneshift.errors import BadInput

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
    namer: Annotated[
        str | None, typer.Option(help="URL of an OpenAI-compatible endpoint that names the concepts.")
    ] = None,
    namer_model: Annotated[
        str | None, typer.Option(help="Model to ask there; its key comes from the environment (TUNESHIFT_NAMER_KEY).")
    ] = None,
    named_components: Annotated[int, typer.Option(help="How many components of a layer to name.")] = 20,
    prices: Annotated[
        str | None, typer.Option("--namer-prices", help="Prices a million prompt and answer tokens, such as 0.15,0.6.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what naming would take, and stop.")] = False,
    device: Device = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Feed-forward concepts: what the principal components of each layer write, and how far tuning rotated them."""
    from tuneshift.inside import FeedforwardConcepts, concept_shift

    spec = FeedforwardConcepts(words=words, namer=namer, namer_model=namer_model, named_components=named_components)
    if namer is not None:
        _tell_cost(spec, model, tuned, prices, trust_remote_code)
    if estimate:
        return
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


def _tell_cost(spec: Any, ref: str, tuned: str | None, prices: str | None, trust_remote_code: bool) -> None:
    """Say on standard error what naming takes, before anything is measured or asked."""
    from tuneshift.models.weights import Weights

    n_layers = Weights.open(ref, device="cpu", trust_remote_code=trust_remote_code).anatomy.n_layers
    cost = spec.naming_estimate(n_layers * (1 if tuned is None else 2))
    price = "" if prices is None else f", {cost.price(*_prices(prices)):,.2f} at these prices"
    typer.echo(
        f"Naming takes about {cost}{price}; answers kept from before cost nothing, refusals are asked again twice.",
        err=True,
    )


def _prices(text: str) -> tuple[float, float]:
    try:
        prompt, answer = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(
            f"--namer-prices takes two numbers with a comma between, such as 0.15,0.6, not {text!r}."
        ) from None
    return prompt, answer
