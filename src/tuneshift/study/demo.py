"""Ready studies: the demonstration on the embedded models, and every shift of one pair."""

from __future__ import annotations

from typing import Any

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS
from tuneshift.models import embedded_names
from tuneshift.models.lent_template import chat_template_of
from tuneshift.study.config import Study

DEMO_MODELS = ("fable-2m", "fable-2m-instruct", "fable-2m-no-instructions", "fable-8m", "fable-8m-instruct")


def demo_study() -> Study:
    """Return the study that `tuneshift demo` runs: on real data sets where they lie on this machine, else simulated."""
    measurements, notes = _measurements("fable-8m-instruct")
    return _study("demo", [_entry(name) for name in DEMO_MODELS], measurements, notes)


def pair_study(base: str, tuned: str) -> Study:
    """Return the study of one base model and its tuned version, with every measurement there is.

    A tuned model without a chat template is measured on plain prompts only, and the study's notes say so.
    """
    measurements, notes = _measurements(tuned)
    try:
        chat_template_of(tuned)
    except BadInput:
        measurements = [entry for entry in measurements if entry.get("form") != "chat"]
        notes += f" {tuned} has no chat template: prompts are measured in plain form only."
    entries = [{"model": base}, {"model": tuned, "base": base}]
    study = _study("pair", entries, measurements, notes)
    name = "_v_".join(entry.label.replace("/", "_") for entry in reversed(study.models))
    return study.model_copy(update={"name": name})


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
