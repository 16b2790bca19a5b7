"""What a reader must know before any number: nobody was measured, neighbours leak, a ceiling is unknown, foreign code ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from tuneshift.compare.trajectories import Run
from tuneshift.findings.of_runs import checkpoints_read_as_runs
from tuneshift.findings.people import is_simulated
from tuneshift.human import DATA_SETS
from tuneshift.vocabulary.rows import untrained
from tuneshift.vocabulary.selecting import groups, names, rows_of
from tuneshift.vocabulary.words import listed, signed, text


def cautions(table: pd.DataFrame, study: dict[str, Any], runs: Sequence[Run] = ()) -> Iterator[str]:
    """Yield a sentence for everything about this study that changes how its numbers may be read."""
    yield from _simulated(table)
    yield from _shuffled(table)
    yield from _leaking(table)
    yield from _surface(table)
    yield from _no_ceiling(table)
    yield from filter(None, [checkpoints_read_as_runs(runs)])
    yield from _foreign_code(study)


def _simulated(table: pd.DataFrame) -> Iterator[str]:
    used = names(table["dataset"])
    simulated = [name for name in used if is_simulated(name)]
    if not simulated:
        return
    human = [name for name in used if name in DATA_SETS and DATA_SETS[name].kind in ("brain", "reading")]
    real = [name for name in human if name not in simulated]
    rest = f" {listed(real)} {'hold' if len(real) > 1 else 'holds'} data of real people." if real else ""
    yield (
        f"Simulated participants: {listed(simulated)} {'were' if len(simulated) > 1 else 'was'} made by a program, "
        f"so these numbers show that the measurement works and say nothing about people.{rest}"
    )


def _shuffled(table: pd.DataFrame) -> Iterator[str]:
    leaking = names(rows_of(table, measurement="brain", split="shuffled")["dataset"])
    if leaking:
        yield (
            f"Shuffled split leaks neighbours: on {listed(leaking)}, neighbouring stimuli stood on both sides of the split, so "
            "that these brain scores are too high. Use the grouped or contiguous split to judge a model."
        )


def _leaking(table: pd.DataFrame) -> Iterator[str]:
    """Surrogate recordings have no relation to the text: whatever they score beyond chance is not about the text."""
    rows = rows_of(table, measurement="brain", metric="r_surrogate").dropna(subset=["ci_low", "ci_high"])
    off = rows[((rows["ci_low"].astype(float) > 0) | (rows["ci_high"].astype(float) < 0)).to_numpy(dtype=bool)]
    for (dataset, split, mapping), part in groups(off, "dataset", "split", "mapping"):
        worst = part.iloc[int(part["value"].astype(float).abs().to_numpy().argmax())]
        score = f"score {signed(worst['value'])} for {text(worst['model'])}"
        if mapping.startswith(("rsa", "cka")):
            yield (
                f"{dataset} by {mapping}: surrogate recordings without any relation to the text {score}. It compares geometries "
                "and fits nothing; so much of its scores says nothing of the text."
            )
        else:
            yield (
                f"Leak on {dataset} ({split} split): surrogate recordings without any relation to the text {score}, further from "
                "0 than chance allows. Scores on this recording are off by as much."
            )


def _surface(table: pd.DataFrame) -> Iterator[str]:
    """What word length, frequency and place alone predict no model can claim."""
    rows = rows_of(table, measurement="brain", participant=("mean", ""), target=("mean", ""))
    for (dataset, split), part in groups(rows, "dataset", "split"):
        own = rows_of(part, metric="r", layer="nested")
        scores = own[~untrained(own)].set_index("model")["value"].astype(float)
        surface = rows_of(part, metric="r_nuisance").set_index("model")["value"].astype(float)
        beaten = [name for name in scores.index if name in surface.index and surface[name] >= scores[name]]
        if beaten:
            yield (
                f"Surface beats the model on {dataset} ({split} split): length, frequency and place of the words alone score "
                f"{signed(surface[beaten].max())}, {listed([f'{name} {signed(scores[name])}' for name in beaten])}. Read unique "
                "r², which only the model explains."
            )


def _no_ceiling(table: pd.DataFrame) -> Iterator[str]:
    scores = rows_of(table, measurement="brain", metric="r")
    scores = scores[~untrained(scores)]
    unknown = [name for (name,), part in groups(scores, "dataset") if part["ceiling"].isna().all()]
    if unknown:
        yield (
            f"Ceiling unknown: {listed(unknown)} {'give' if len(unknown) > 1 else 'gives'} no noise ceiling, so nobody can say "
            "how much of what could be predicted was predicted."
        )


def _foreign_code(study: dict[str, Any]) -> Iterator[str]:
    entries = [
        entry for entry in study.get("models") or [] if isinstance(entry, dict) and entry.get("trust_remote_code")
    ]
    if entries:
        told = listed([text(entry.get("name") or entry.get("model")) for entry in entries])
        yield f"Foreign code: trust_remote_code was set, so code from the repository of {told} was run."
