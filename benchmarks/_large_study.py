"""A made-up study as large as they come: no model is run, every number is drawn, and the folder is what a run leaves.

8 bases and 17 models tuned from them, 6 recordings of 12 participants in 12 regions, 33 layers, one corpus of reading
times, the inside of every pair, and one ability: about a million rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from tuneshift.result import COLUMNS, Result
from tuneshift.study.cell import SCHEMA, encode_result, to_arrow
from tuneshift.study.index import JobRecord, StudyIndex
from tuneshift.study.store import Store

FAMILIES = {"alder": (1.1, 7.2), "birch": (0.5, 3.1), "cedar": (1.6, 13.0), "hazel": (2.8, 8.0)}
"""Family -> billions of parameters of its bases; the names are trees because no such models exist."""
RECORDINGS = tuple(f"simulated_{name}" for name in ("dawn", "noon", "dusk", "night", "tide", "frost"))
"""Named as what a program made is named, so that the page says above every number that nobody was measured."""
READING, TASK = "simulated_almanac", "simulated_riddles"
REGIONS = tuple(f"region {number:02d}" for number in range(1, 13))
STORIES, INSIDE = 10, {
    "head_overlap": ("", "Jaccard index", 0.9), "concept_overlap": ("", "Jaccard index", 0.8), "weight_change": ("", "share", 0.05),
    "rotation_deg": ("mean principal angle", "degrees", 12.0), "state_cka": ("", "CKA", 0.95), "state_change": ("", "share", 0.2),
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How much of it is made; `pairs` are tuned models."""

    pairs: int = 17
    recordings: int = 6
    layers: int = 33
    people: int = 12


@dataclass(frozen=True)
class MadeUp:
    """A model that does not exist."""

    name: str
    base: str | None
    parameters: float
    family: str


def models(pairs: int = 17) -> list[MadeUp]:
    """Return 8 bases and the models tuned from them."""
    bases = [
        MadeUp(f"{family}-{size:g}b", None, size * 1e9, family) for family, sizes in FAMILIES.items() for size in sizes
    ]
    forms = ("instruct", "chat", "dpo")
    tuned = [
        MadeUp(f"{base.name}-{forms[number // len(bases)]}", base.name, base.parameters, base.family)
        for number, base in ((number, bases[number % len(bases)]) for number in range(pairs))
    ]
    wanted = {model.base for model in tuned}
    return [base for base in bases if base.name in wanted] + tuned


def make_large_study(folder: Path, size: Size = Size()) -> Path:
    """Write the folder of the study and return it; the same numbers each time."""
    folder.mkdir(parents=True)
    made = models(size.pairs)
    store, jobs, tables = Store(folder), [], []
    column = SCHEMA.get_field_index("fingerprint")
    with store.locked(), patch("os.fsync"):  # a run waits for the disk after each cell
        for number, (model, settings, words, result) in enumerate(_cells(made, size)):
            fingerprint = f"{number:016x}"
            store.write(fingerprint, encode_result(result), {"model": model.name, "facts": {}, "seconds": 1.0})
            rows = to_arrow(result.table)
            tables.append(rows.set_column(column, "fingerprint", pa.array([fingerprint] * len(rows), pa.string())))
            jobs.append(_job(fingerprint, model, settings, words))
        (folder / "study.yaml").write_text(yaml.safe_dump(_study(made, jobs), sort_keys=False), encoding="utf-8")
        StudyIndex(tuple(jobs), pa.concat_tables(tables)).write(folder)
    return folder


def _study(made: list[MadeUp], jobs: list[JobRecord]) -> dict[str, Any]:
    entries = [{"model": model.name, **({"base": model.base} if model.base else {})} for model in made]
    settings = [json.loads(text) for text in dict.fromkeys(job.settings for job in jobs)]
    notes = "Made up by a program: no model was run and nobody was measured."
    return {
        "name": f"{len(made)} made-up models",
        "notes": notes,
        "models": entries,
        "measurements": settings,
        "seeds": [0],
        "versions": {},
    }


def _job(fingerprint: str, model: MadeUp, settings: dict[str, Any], words: str) -> JobRecord:
    text = json.dumps(settings, sort_keys=True)
    return JobRecord(
        fingerprint=fingerprint, model=model.name, base_model=model.base, tuned=model.base is not None, kind=settings["kind"],
        description=words, settings=text, n_parameters=model.parameters, family=model.family, tokenizer=model.family,
        state="done", reason="", warnings="",
    )  # fmt: skip


def _cells(made: list[MadeUp], size: Size) -> Iterator[tuple[MadeUp, dict[str, Any], str, Result]]:
    rng = np.random.default_rng(0)
    of_people = {name: rng.normal(0, 0.03, (len(REGIONS), size.people)) for name in RECORDINGS[: size.recordings]}
    of_stories = rng.normal(0, 0.02, STORIES)
    for model in made:
        for place, (name, people) in enumerate(of_people.items()):
            settings = {"kind": "brain", "data": name, "split": "grouped", "mapping": "ridge", "untrained": 1}
            gain = 0.012 * (2 - place) if model.base else 0.0
            yield model, settings, f"brain {name} grouped ridge", _brain(rng, model, name, people, gain, size)
        words = f"reading {READING} plain"
        yield model, {"kind": "reading", "data": READING, "form": "plain"}, words, _reading(rng, model, of_stories)
        yield model, {"kind": "ability", "tasks": [TASK]}, f"ability {TASK}", _ability(rng, model)
        if model.base:
            yield model, {"kind": "internals"}, "internals", _inside(rng, size)


def _brain(rng: np.random.Generator, model: MadeUp, name: str, people: np.ndarray, gain: float, size: Size) -> Result:
    depth = np.linspace(0, 1, size.layers)
    hump = 0.08 + 0.02 * np.log10(model.parameters / 1e9) + 0.14 * np.sin(np.pi * (0.15 + 0.75 * depth))
    tuned = gain * depth + rng.normal(0, 0.003, size.layers)
    layers = [*(str(layer) for layer in range(size.layers)), "nested"]
    top = int(hump.argmax())
    centre = np.append(hump + tuned, hump[top] + gain * 0.7)
    noise = rng.normal(0, 0.012, (len(layers), *people.shape))
    scores = centre[:, None, None] + people + noise  # layer, region, person
    whole = {"mean": scores.mean(1, keepdims=True), "median": np.median(scores, 1, keepdims=True)}
    frames = [_block(scores, layers, list(REGIONS), 0.45)]
    frames += [_block(values, layers, [statistic], 0.45) for statistic, values in whole.items()]
    best = frames[1][(frames[1]["layer"] == str(top)) & (frames[1]["participant"] == "mean")]
    frames.append(best.assign(layer="best"))
    twins = 0.05 + people.mean(0) + rng.normal(0, 0.004, (len(layers), 1, 1))
    untrained = _block(twins, layers, ["mean"], 0.45).assign(metric="r_untrained")
    frames.append(untrained[untrained["participant"] == "mean"])
    table = pd.concat(frames, ignore_index=True).fillna({"metric": "r"})
    return _result(table.assign(dataset=name, split="grouped", mapping="ridge", unit="r"))


def _block(scores: np.ndarray, layers: list[str], targets: list[str], ceiling: float) -> pd.DataFrame:
    """Return rows of scores (layer, target, person): one a person, and their mean with a normal interval."""
    n = scores.shape[2]
    names = [f"p{person:02d}" for person in range(1, n + 1)]
    mean, half = scores.mean(2), 1.96 * scores.std(2, ddof=1) / np.sqrt(n)
    index = pd.MultiIndex.from_product([layers, targets, names], names=["layer", "target", "participant"])
    single = pd.DataFrame({"value": scores.ravel(), "ceiling": ceiling, "n": 40}, index=index).reset_index()
    index = pd.MultiIndex.from_product([layers, targets], names=["layer", "target"])
    whole = pd.DataFrame(
        {"value": mean.ravel(), "ci_low": (mean - half).ravel(), "ci_high": (mean + half).ravel(), "ceiling": ceiling, "n": n},
        index=index,
    ).reset_index()  # fmt: skip
    return pd.concat([single, whole.assign(participant="mean")], ignore_index=True)


def _reading(rng: np.random.Generator, model: MadeUp, of_stories: np.ndarray) -> Result:
    rows = []
    for metric, unit, centre, step in (("pearson_r", "r", 0.16, 1.0), ("delta_ll", "nats x 1000", 9.0, 60.0)):
        level = centre - step * (0.02 * np.log10(model.parameters / 1e9) + (0.012 if model.base else 0))
        stories = level + step * of_stories + step * rng.normal(0, 0.006, STORIES)
        half = 1.96 * stories.std(ddof=1) / np.sqrt(STORIES)
        shared = {"dataset": READING, "mapping": "corrected", "metric": metric, "unit": unit}
        rows += [{**shared, "target": f"story:{k + 1}", "value": value} for k, value in enumerate(stories)]
        mean = float(stories.mean())
        rows.append({**shared, "value": mean, "ci_low": mean - half, "ci_high": mean + half, "n": 10_000})
    return _result(pd.DataFrame(rows))


def _ability(rng: np.random.Generator, model: MadeUp) -> Result:
    value = 0.35 + 0.2 * np.log10(model.parameters / 1e9) + (0.08 if model.base else 0) + rng.normal(0, 0.02)
    row = {"dataset": TASK, "metric": "accuracy", "unit": "share", "value": value, "n": 1000}
    return _result(pd.DataFrame([{**row, "ci_low": value - 0.03, "ci_high": value + 0.03}]))


def _inside(rng: np.random.Generator, size: Size) -> Result:
    depth = np.linspace(0, 1, size.layers)
    rows = []
    for metric, (mapping, unit, level) in INSIDE.items():
        moved = level * (1 - 0.15 * depth) + rng.normal(0, 0.02 * level, size.layers)
        rows += [{"metric": metric, "mapping": mapping or None, "unit": unit, "layer": str(layer), "value": value}
                 for layer, value in enumerate(moved) if layer or metric.startswith("state")]  # fmt: skip
    return _result(pd.DataFrame(rows))


def _result(table: pd.DataFrame) -> Result:
    return Result(table.reindex(columns=list(COLUMNS)).astype(COLUMNS))
