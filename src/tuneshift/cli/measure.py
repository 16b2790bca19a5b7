"""Commands that measure one model: brain, reading, attribute."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneshift.cli.completion import complete_data, complete_model
from tuneshift.cli.options import AsJson, DataSetName, Device, Dtype, Model, Seed, TrustRemoteCode, load
from tuneshift.cli.out_file import require_writable, write_out
from tuneshift.cli.output import print_table, show, tell
from tuneshift.cli.progress import progress_bars

if TYPE_CHECKING:
    import pandas as pd


class Split(StrEnum):
    """How held-out stimuli are chosen."""

    grouped = "grouped"
    contiguous = "contiguous"
    shuffled = "shuffled"


class Mapping(StrEnum):
    """How hidden states are mapped to responses."""

    ridge = "ridge"
    linear = "linear"
    rsa = "rsa"
    cka = "cka"


class Ceiling(StrEnum):
    """How the noise ceiling is estimated."""

    leave_one_out = "leave_one_out"
    split_half = "split_half"
    extrapolated = "extrapolated"


class Form(StrEnum):
    """In which form a prompt is given to the model."""

    plain = "plain"
    chat = "chat"


class TextForm(StrEnum):
    """In which form a text to be read is given to the model."""

    plain = "plain"
    chat = "chat"
    instructed = "instructed"


class Regression(StrEnum):
    """How delta-LL is computed: held out by story, or in sample as it was published."""

    cross_validated = "cross_validated"
    published = "published"


class Exclude(StrEnum):
    """Which words Pearson r and delta-LL leave out."""

    document_initial = "document_initial"
    sentence_initial = "sentence_initial"
    none = "none"


class Unit(StrEnum):
    """The unit of surprisals in a file."""

    bits = "bits"
    nats = "nats"
    base10 = "base10"
    logprob = "logprob"
    log2prob = "log2prob"
    log10prob = "log10prob"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(brain)
    app.command()(reading)
    app.command()(attribute)


def brain(
    model: Model,
    data: DataSetName,
    split: Annotated[
        Split | None, typer.Option(help="Default: grouped; contiguous where there are fewer than 5 passages.")
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            "--group-by", metavar="LABEL", help="Hold out together what shares this label of the stimuli (a topic)."
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, metavar="K", help="Hold out the stimuli in K parts, one after the other."),
    ] = None,
    mapping: Annotated[Mapping, typer.Option(help="From hidden states to responses.")] = Mapping.ridge,
    ceiling: Annotated[
        Ceiling | None, typer.Option(help="Noise ceiling; default: leave one out, where there is more than one person.")
    ] = None,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Measure the untrained twin instead: same architecture, random weights.")
    ] = False,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls", help="Add untrained twins, nuisance baselines, unique variance, p-values and surrogates."
        ),
    ] = False,
    surrogates: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Score N recordings without relation to the text (with --controls: 20)."),
    ] = None,
    decoder: Annotated[
        bool, typer.Option("--decoder", help="Read the decoder of an encoder-decoder model such as T5.")
    ] = False,
    fir: Annotated[
        bool, typer.Option("--fir", help="Fit the haemodynamic response (2 to 8 s) instead of assuming its shape.")
    ] = False,
    delays: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST,LAST", help="Delays of a fitted response in seconds, in steps of the repetition time."
        ),
    ] = None,
    units: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="K", help="Keep of each layer its K language units (sentences against non-words) alone."
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Brain alignment: do hidden states predict people's brain responses to the same text?"""
    from tuneshift.brain import BrainAlignment

    spec: dict[str, Any] = {"data": data, "mapping": mapping.value, "controls": controls, "seed": seed}
    if split is not None:
        spec["split"] = split.value
    spec["stack"] = "decoder" if decoder else "encoder"
    spec["response"] = "fir" if fir or delays is not None else "canonical"
    if delays is not None:
        spec["delays"] = _two_seconds(delays)
    if group_by is not None:
        spec["group_by"] = group_by
    if folds is not None:
        spec["folds"] = folds
    if surrogates is not None:
        spec["surrogates"] = surrogates
    if ceiling is not None:
        spec["ceiling"] = ceiling.value
    if units is not None:
        spec["units"] = units
    measurement = BrainAlignment(**spec)
    language_model = load(model, device, dtype, trust_remote_code)
    if untrained:
        language_model = language_model.untrained(seed)
    with progress_bars() as progress:
        result = measurement.run(language_model, progress)
    table = result.table
    summary = table[(table["participant"] == "mean") & (table["target"] == "mean")]
    show(table, result.warnings, measurement, as_json=as_json, summary=summary)


def _two_seconds(value: str) -> tuple[float, float]:
    from tuneshift.errors import BadInput

    try:
        first, last = (float(part) for part in value.split(","))
    except ValueError:
        raise BadInput(f"--delays {value!r}: give the first and the last delay in seconds, as 2,9.") from None
    return first, last


def reading(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Model, or with --surprisals or --endpoint any name for it.",
            autocompletion=complete_model,
        ),
    ],
    data: DataSetName,
    surprisals: Annotated[
        Path | None, typer.Option(help="Read word surprisals from this JSON or CSV file instead of a model.")
    ] = None,
    unit: Annotated[Unit, typer.Option(help="Unit of the surprisals in the file.")] = Unit.bits,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask an OpenAI-compatible server (https://.../v1) for plain surprisals; see the manual."
        ),
    ] = None,
    served_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The server's name of the model; default: its only one.")
    ] = None,
    context_length: Annotated[
        int | None, typer.Option(min=16, metavar="TOKENS", help="What it reads at once; default: what the server says.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the server's answers are kept; default: the user's cache.")
    ] = None,
    form: Annotated[
        TextForm, typer.Option(help="The text bare, in the chat template, or behind an instruction to read it.")
    ] = TextForm.plain,
    instruction: Annotated[str | None, typer.Option(help="The instruction of --form instructed.")] = None,
    template: Annotated[
        str | None, typer.Option(help="Model (or .jinja file) that lends its chat template to one without.")
    ] = None,
    regression: Annotated[Regression, typer.Option(help="How delta-LL is computed.")] = Regression.cross_validated,
    exclude: Annotated[
        Exclude, typer.Option(help="Words left out: each document's first, each sentence's first, or none.")
    ] = Exclude.document_initial,
    spillover: Annotated[int, typer.Option(min=0, max=5, help="How many words before count in the regression.")] = 2,
    ceiling: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=1.0, help="Reliability of the times (r), where you know it and the data cannot tell."
        ),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Score the logarithms of mean times instead of times.")] = False,
    mixed_model: Annotated[
        bool | None,
        typer.Option(
            "--mixed-model/--no-mixed-model",
            help="Mixed model over readers; default: where times by reader exist, up to a million.",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Behavioural alignment: does a word that surprises the model slow readers down?"""
    from tuneshift.errors import BadInput
    from tuneshift.reading import ReadingAlignment, ServedModel, SurprisalFile

    if endpoint is not None and surprisals is not None:
        raise BadInput("--surprisals and --endpoint are two sources of surprisals; give one of them.")
    if endpoint is None and (served_model, context_length, cache) != (None, None, None):
        raise BadInput("--served-model, --context-length and --cache belong to a server; name it with --endpoint URL.")
    if endpoint is not None and form is not TextForm.plain:
        raise BadInput(
            f"--form {form.value} needs a model that is loaded here; a server (--endpoint) reads plain text."
        )
    measurement = ReadingAlignment(
        data=data,
        form=form.value,
        instruction=instruction,
        template=template,
        exclude=exclude.value,
        regression=regression.value,
        spillover=spillover,
        ceiling=ceiling,
        log=log,
        mixed_model=mixed_model,
        seed=seed,
    )
    source: Any
    if endpoint is not None:
        source = ServedModel(model, endpoint, served_model, context_length=context_length, cache=cache)
    elif surprisals is not None:
        source = SurprisalFile(name=model, path=surprisals, unit=unit.value)
    else:
        source = load(model, device, dtype, trust_remote_code)
    with progress_bars() as progress:
        result = measurement.run(source, progress)
    if "sanity" in result.details:
        tell(f"{source.name}: {result.details['sanity']}")
    table = result.table
    show(table, result.warnings, measurement, as_json=as_json, summary=table[table["participant"].isna()])


def attribute(
    model: Model,
    prompts: Annotated[
        str,
        typer.Option(
            help="Prompt set (see `tuneshift data`) or a JSONL file of prompts.", autocompletion=complete_data
        ),
    ],
    responses: Annotated[
        Path | None, typer.Option(help="JSONL file of responses, one a prompt; default: the prompts' references.")
    ] = None,
    generated: Annotated[bool, typer.Option("--generated", help="Attribute the model's own greedy answers.")] = False,
    form: Annotated[Form, typer.Option(help="Plain text, or inside the chat template.")] = Form.plain,
    template: Annotated[
        str | None,
        typer.Option(help="Model (or .jinja file) that lends its chat template to one without (with --form chat)."),
    ] = None,
    mark_instructions: Annotated[
        bool, typer.Option("--mark-instructions", help="Find instruction words by rule where none are marked.")
    ] = False,
    without_task: Annotated[list[str] | None, typer.Option(help="Leave out prompts of this task (repeatable).")] = None,
    n_prompts: Annotated[int, typer.Option(min=1, help="How many prompts to use, from the first on.")] = 40,
    show_words: Annotated[
        int | None, typer.Option("--show", min=1, metavar="N", help="Print the N strongest prompt words a response.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write tokens, levels and densities of every prompt to this JSON file.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """Prompt attribution: which prompt words drive the response, and how much of that is the instruction?"""
    from tuneshift.inside import PromptAttribution

    require_writable(out)
    measurement = PromptAttribution(
        prompts=prompts,
        form=form.value,
        template=template,
        without_tasks=tuple(without_task or ()),
        responses="generated" if generated else str(responses) if responses else "reference",
        mark_instructions=mark_instructions,
        n_prompts=n_prompts,
        seed=seed,
    )
    language_model = load(model, device, dtype, trust_remote_code)
    with progress_bars() as progress:
        result = measurement.run(language_model, progress)
    table = result.table
    summary = table[(table["target"] == "mean") | table["target"].str.startswith("task:").fillna(False)]
    show(table, result.warnings, measurement, as_json=as_json, summary=summary)
    pictures = result.details["pictures"]
    if show_words is not None and not as_json:
        print_table(_strongest(pictures, show_words))
    if (show_words is not None or out is not None) and len(pictures) < result.details["n_prompts"]:
        tell(f"note: tokens are kept of the first {len(pictures)} of {result.details['n_prompts']} prompts.")
    write_out(out, {"model": language_model.name, "form": form.value, "prompts": pictures})


def _strongest(pictures: list[dict[str, Any]], n: int) -> pd.DataFrame:
    """Return a row a prompt: its response and the words it leans on most, those of the instruction in brackets."""
    import pandas as pd

    from tuneshift.inside.attribution.top_words import prompt_words, strongest_words

    rows = []
    for one in pictures:
        words = strongest_words(
            prompt_words(*(one[key] for key in ("prompt_tokens", "density", "instruction", "own"))), n
        )
        told = (f"{f'[{w.word}]' if w.instruction else w.word} {w.density:.2f}" for w in words)
        response = " ".join("".join(one["response_tokens"]).split())
        response = response if len(response) <= _LONGEST_RESPONSE else f"{response[:_LONGEST_RESPONSE]}..."
        rows.append({"prompt": one["prompt"], "response": response, "strongest words": ", ".join(told)})
    return pd.DataFrame(rows)


_LONGEST_RESPONSE = 40
