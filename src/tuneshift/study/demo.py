"""Ready studies: the demonstration on the embedded models, and every shift of one pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS, ReadingTimes, Recording, load_data
from tuneshift.models import embedded_names
from tuneshift.models.lent_template import chat_template_of
from tuneshift.study.config import Study

DEMO_MODELS = ("fable-2m", "fable-2m-instruct", "fable-2m-no-instructions", "fable-8m", "fable-8m-instruct")


def demo_study() -> Study:
    """Return the study that `tuneshift demo` runs: on real data sets where they lie on this machine, else simulated."""
    measurements, notes = _measurements("fable-8m-instruct")
    return _study("demo", [_entry(name) for name in DEMO_MODELS], measurements, notes)


def pair_study(
    base: str, tuned: str, brain: Sequence[str] = (), reading: Sequence[str] = (), controls: bool = False
) -> Study:
    """Return the study of one base model and its tuned version, with every measurement there is.

    `brain` and `reading` name recordings and reading times (data sets, or files of one's own) in place of the ready
    ones; `controls` adds to every brain score what `tuneshift brain --controls` does. A tuned model without a chat
    template is measured on plain prompts only, and the study's notes say so. Raises BadInput for a name or a file that
    is no recording or holds no reading times: all are read here, before anything is measured.
    """
    measurements, notes = _measurements(tuned)
    recordings = [_own("brain", name, Recording) for name in dict.fromkeys(brain)]
    times = [_own("reading", name, ReadingTimes) for name in dict.fromkeys(reading)]
    measurements, notes = _in_place_of_ready(measurements, notes, recordings, times)
    if controls:
        measurements = [{**entry, "controls": True} if entry["kind"] == "brain" else entry for entry in measurements]
    try:
        chat_template_of(tuned)
    except BadInput:
        measurements = [entry for entry in measurements if entry.get("form") != "chat"]
        notes += f" {tuned} has no chat template: prompts are measured in plain form only."
    entries = [{"model": base}, {"model": tuned, "base": base}]
    study = _study("pair", entries, measurements, notes)
    name = "_v_".join(entry.label.replace("/", "_") for entry in reversed(study.models))
    return study.model_copy(update={"name": name})


_HOLDS = {Recording: "no brain recording", ReadingTimes: "no reading times"}


def _own(kind: str, name: str, wanted: type[Recording | ReadingTimes]) -> dict[str, Any]:
    """Return the measurement on data that somebody named, once they are read and are what they should be."""
    if not isinstance(load_data(name), wanted):
        other = "reading" if kind == "brain" else "brain"
        raise BadInput(f"--{kind} {name} holds {_HOLDS[wanted]}; `tuneshift data {name}` says what it is (--{other}?).")
    data = str(Path(name).resolve()) if Path(name).is_file() else name  # the study as run may be moved
    extra = {"untrained": 1, "surrogates": 20} if kind == "brain" else {}
    return {"kind": kind, "data": data, **extra}


def _in_place_of_ready(
    measurements: list[dict[str, Any]], notes: str, recordings: list[dict[str, Any]], times: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """Put the data that somebody named where the ready ones stood, and say so."""
    chosen = {"brain": recordings, "reading": times}
    if not recordings and not times:
        return measurements, notes
    named = [Path(entry["data"]).name for entry in (*recordings, *times)]
    told = f"Data named on the command line: {', '.join(named)}."
    for kind, entries in chosen.items():
        ready = next(entry for entry in measurements if entry["kind"] == kind)
        if not entries:
            told += f" Beside them, for {kind}: {ready['data']}."
            chosen[kind] = [ready]
    others = [entry for entry in measurements if entry["kind"] not in chosen]
    return [*chosen["brain"], *chosen["reading"], *others], told


def _study(name: str, models: list[dict[str, Any]], measurements: list[dict[str, Any]], notes: str) -> Study:
    return Study.model_validate({"name": name, "models": models, "measurements": measurements, "notes": notes})


def _entry(name: str) -> dict[str, Any]:
    base = "-".join(name.split("-")[:2])
    return {"model": name} if base == name else {"model": name, "base": base}


def _measurements(chat_model: str) -> tuple[list[dict[str, Any]], str]:
    """Return the measurements that this machine can make, and a sentence that says whose data they use.

    `chat_model` lends its chat template to models without one.
    """
    assert set(DEMO_MODELS) <= set(embedded_names())
    real = {name: DATA_SETS[name].is_here() for name in ("alice2016", "natural_stories")}
    brain = "alice2016" if real["alice2016"] else "simulated_brain"
    reading = "natural_stories" if real["natural_stories"] else "simulated_reading"
    found = [name for name, here in real.items() if here]
    notes = (
        f"Real data found and used: {' and '.join(found)}."
        if found
        else "Simulated participants: no folder of real data was found (set TUNESHIFT_DATA to one, or run "
        "`tuneshift data --fetch`)."
    )
    if len(found) == 1:
        notes += " The other data set is simulated."
    prompts = {"kind": "attribution", "prompts": "fable_instructions", "n_prompts": 24}  # two minutes for all
    split = "contiguous" if real["alice2016"] else "grouped"
    measurements: list[dict[str, Any]] = [
        {"kind": "brain", "data": brain, "split": split, "untrained": 1, "surrogates": 20},
        {"kind": "reading", "data": reading},
        {**prompts, "form": "plain"},
        {**prompts, "form": "chat", "template": chat_model},
        {"kind": "internals"},
    ]
    return measurements, notes
