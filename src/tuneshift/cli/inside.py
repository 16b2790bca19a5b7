"""Commands that look at weights: heads and concepts, of one model or of a base and its tuned version."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneshift.cli.options import AsJson, Device, Model, TrustRemoteCode, Tuned
from tuneshift.cli.out_file import require_writable, write_out
from tuneshift.cli.output import print_json, print_table, show, tell
from tuneshift.cli.progress import progress_bars
from tuneshift.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

    from tuneshift.measurement import Specification
    from tuneshift.result import Result

Words = Annotated[
    str | None, typer.Option(help="File of words, one a line, alone or with a count; default: the model's own words.")
]
Layer = Annotated[int | None, typer.Option(help="Also print what this layer looks for or writes; counted from 1.")]
Out = Annotated[Path | None, typer.Option(help="Write word pairs or components of all layers to this JSON file.")]


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
    layer: Layer = None,
    out: Out = None,
    device: Device = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Attention heads: which word pairs each head's query-key weights look for, and how tuning moved them."""
    from tuneshift.inside import HeadPatterns, head_shift

    require_writable(out)
    spec = HeadPatterns(words=words, vectors=vectors, unit="plane" if planes else "dimension")
    result = _measured(model, tuned, spec, head_shift, device, trust_remote_code)
    _show(result, spec, as_json, out, _pairs(result, layer))


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
    named_components: Annotated[int, typer.Option(min=1, help="How many components of a layer to name.")] = 20,
    namer_seeds: Annotated[int, typer.Option(min=1, help="How often to ask about each component.")] = 5,
    prices: Annotated[
        str | None, typer.Option("--namer-prices", help="Prices a million prompt and answer tokens, such as 0.15,0.6.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what naming would take, and stop.")] = False,
    layer: Layer = None,
    out: Out = None,
    device: Device = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Feed-forward concepts: what the principal components of each layer write, and how far tuning rotated them."""
    from tuneshift.inside import FeedforwardConcepts, concept_shift

    require_writable(out)
    if namer is None and (estimate or prices is not None or namer_model is not None):
        raise BadInput("--estimate, --namer-prices and --namer-model are about naming; give an endpoint with --namer.")
    spec = FeedforwardConcepts(
        words=words,
        namer=namer,
        namer_model=namer_model,
        namer_seeds=namer_seeds,
        named_components=named_components,
    )
    if namer is not None:
        cost = _tell_cost(spec, model, tuned, prices, trust_remote_code)
        if estimate:
            if as_json:
                print_json([asdict(cost)])
            return
    result = _measured(model, tuned, spec, concept_shift, device, trust_remote_code)
    _show(result, spec, as_json, out, _components(result, layer))


def _measured(ref: str, tuned: str | None, spec: Any, shift: Any, device: str, trust_remote_code: bool) -> Result:
    """Read weights from files, one layer at a time: no model is loaded, so that one of any size will do."""
    from tuneshift.models.weights import Weights

    base = Weights.open(ref, device=device, trust_remote_code=trust_remote_code)
    with progress_bars() as progress:
        if tuned is None:
            alone: Result = spec.run(base, progress)
            return alone.with_columns(model=base.name)
        other = Weights.open(tuned, device=device, trust_remote_code=trust_remote_code)
        both: Result = shift(base, other, spec, progress=progress)
        return both.with_columns(model=other.name, base_model=base.name, tuned=True)


def _show(result: Result, spec: Specification, as_json: bool, out: Path | None, texts: pd.DataFrame | None) -> None:
    write_out(out, result.details)
    targets = result.table["target"].fillna("")
    single = (targets.str.startswith("head ") | targets.str.startswith("component ")).to_numpy(dtype=bool)
    show(result.table, result.warnings, spec, as_json=as_json, summary=result.table[~single])
    if texts is not None and not as_json:
        print_table(texts)


def _pairs(result: Result, layer: int | None) -> pd.DataFrame | None:
    """Return the strongest word pairs of each head of a layer, None where no layer was asked for."""
    import pandas as pd

    if layer is None:
        return None
    heads = result.details["heads"]
    _require_layer(layer, heads["layers"])
    rows = [
        {"model": side, "head": head, "query > key": ", ".join(f"{a} > {b}" for a, b in pairs)}
        for side, layers in heads["pairs"].items()
        for head, pairs in enumerate(layers[layer - 1])
    ]
    return pd.DataFrame(rows)


def _components(result: Result, layer: int | None) -> pd.DataFrame | None:
    """Return the words of the first components of a layer, None where no layer was asked for."""
    import pandas as pd

    if layer is None:
        return None
    components = result.details["concepts"]["components"]
    _require_layer(layer, components[-1]["layer"])
    rows = [
        {
            "model": c["side"],
            "component": c["component"],
            "variance": f"{c['share']:.3f}",
            "name": c["name"],
            "category": c["category"],
            "words": ", ".join(c["words_top"][:12]),
            "against": ", ".join(c["words_bottom"][:5]),
        }
        for c in components
        if c["layer"] == layer
    ]
    table = pd.DataFrame(rows)
    return table.loc[:, [name for name in table if (table[name] != "").any()]]


def _require_layer(layer: int, n_layers: int) -> None:
    if not 1 <= layer <= n_layers:
        raise BadInput(f"--layer {layer} is no layer of this model; give one of 1 to {n_layers}.")


def _tell_cost(spec: Any, ref: str, tuned: str | None, prices: str | None, trust_remote_code: bool) -> Any:
    """Say on standard error what naming takes, before anything is measured or asked, and return it."""
    from tuneshift.models.weights import Weights

    n_layers = Weights.open(ref, device="cpu", trust_remote_code=trust_remote_code).anatomy.n_layers
    cost = spec.naming_estimate(n_layers * (1 if tuned is None else 2))
    price = "" if prices is None else f", {cost.price(*_prices(prices)):,.2f} at these prices"
    tell(f"Naming takes about {cost}{price}; answers kept from before cost nothing, refusals are asked again twice.")
    return cost


def _prices(text: str) -> tuple[float, float]:
    try:
        prompt, answer = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(
            f"--namer-prices takes two numbers with a comma between, such as 0.15,0.6, not {text!r}."
        ) from None
    return prompt, answer
