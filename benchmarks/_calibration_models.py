"""Intervals and p over models, pairs and layers, where the truth is known: relatives, few pairs, smooth curves.

`cells(studies, seed)` gives one line a number and setting, for `python -m benchmarks calibration`. Everything goes through
the functions that make the printed tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.compare import correlate_with_properties, link_layers, score_points
from tuneshift.compare.correlations import SIZE
from tuneshift.compare.layer_link import POOLED
from tuneshift.compare.over_pairs import over_pairs
from tuneshift.compare.over_stories import with_story_intervals
from tuneshift.result import long_table

FAMILIES: dict[str, tuple[int, ...]] = {
    "4 models, each its own base": (1,) * 4,
    "8 models, each its own base": (1,) * 8,
    "25 models, each its own base": (1,) * 25,
    "8 models of 4 bases": (2,) * 4,
    "8 models of 6 bases": (2, 2, 1, 1, 1, 1),
    "25 models of 8 bases": (2, 3, 3, 6, 3, 3, 3, 2),
}
"""Models of each base; the last as in Aw et al. (2024), 8 bases with 17 tuned."""
TRUE_R = (0.0, 0.6, 0.9)
OWN = 0.3
"""Of a tuned model's score and ability, the share of the variance that is not its base's."""
PAIRS: dict[str, tuple[int, ...]] = {
    "3 pairs of 3 bases": (1,) * 3,
    "5 pairs of 5 bases": (1,) * 5,
    "17 pairs of 8 bases": (1, 2, 2, 5, 2, 2, 2, 1),
}
LAYERS, N_PAIRS = (13, 25, 33), (3, 5, 8)
SMOOTH = 0.2
"""Over this share of the depth numbers of layers go together (length scale of a Gaussian process)."""
STORIES = (3, 5, 10)
Cell = dict[str, Any]


def cells(studies: int, seed: int) -> list[Cell]:
    """Return a line a number and setting: `number`, `cell`, `studies`, `covered`, `found_under_null`.

    `covered` of `studies` intervals held the truth; `found_under_null` of them had p below .05 (of an interval without p:
    left out 0), None where something was planted.
    """
    random = np.random.default_rng(seed)
    found: list[Cell] = []
    for families in FAMILIES.items():
        found += _correlations(*families, studies, random)
    for stories in STORIES:
        found += [_stories(stories, true, studies, random) for true in TRUE_R]
    for name, of_base in PAIRS.items():
        found += [_pairs(name, of_base, mean, errors, studies, random) for mean in (0.0, 1.0) for errors in (True, False)]
    found += [_links(n_layers, n_pairs, studies, random) for n_layers in LAYERS for n_pairs in N_PAIRS]
    return found


def _cell(number: str, cell: str, held: Sequence[bool], found: Sequence[bool] | None) -> Cell:
    return {
        "number": number,
        "cell": cell,
        "studies": len(held),
        "covered": int(np.sum(held)),
        "found_under_null": None if found is None else int(np.sum(found)),
    }


def _related(random: np.random.Generator, of_base: Sequence[int], r: float, own: float = OWN) -> np.ndarray:
    """Two numbers (2, n_models) that correlate r, of which tuned models have a share of their own."""
    base, mine = (_correlated(random, n, r) for n in (len(of_base), sum(of_base)))
    together: np.ndarray = np.sqrt(1 - own) * np.repeat(base, of_base, axis=1) + np.sqrt(own) * mine
    return together


def _correlated(random: np.random.Generator, n: int, r: float) -> np.ndarray:
    x, rest = random.normal(size=(2, n))
    return np.array([x, r * x + np.sqrt(1 - r * r) * rest])


def _correlations(name: str, of_base: tuple[int, ...], studies: int, random: np.random.Generator) -> Iterator[Cell]:
    models = [f"m{i:02d}" for i in range(sum(of_base))]
    first = np.repeat(np.cumsum([0, *of_base[:-1]]), of_base)
    bases = {model: models[i] for model, i in zip(models, first, strict=True) if model != models[i]}
    for true in TRUE_R:
        truth = {"pearson": true, "spearman": 6 / np.pi * np.arcsin(true / 2)}
        held: dict[str, list[bool]] = {name: [] for name in truth}
        found: dict[str, list[bool]] = {name: [] for name in (*truth, "partial")}
        for _ in range(studies):
            x, y = _related(random, of_base, true)
            ability = _related(random, of_base, 0.0)[0] + x  # goes with size, and with the score through size alone
            sizes = dict(zip(models, 10.0 ** (9 + 0.3 * x), strict=True))
            rows = correlate_with_properties(_table(models, y, ability), sizes, {}, bases).set_index("property")
            for which in truth:
                row = rows.loc[SIZE]
                if np.isfinite(row[f"{which}_p"]):
                    held[which].append(row[f"{which}_low"] <= truth[which] <= row[f"{which}_high"])
                    found[which].append(row[f"{which}_p"] < 0.05)
            given = rows.drop(index=SIZE)["partial_p"].iloc[0]
            if np.isfinite(given):
                found["partial"].append(given < 0.05)
        for which in truth:
            if held[which]:
                yield _cell(
                    f"{which} r over models", f"{name}, true r {true:g}", held[which], None if true else found[which]
                )
        if not true and found["partial"]:
            never = [not at for at in found["partial"]]
            yield _cell("partial r given size", f"{name}, true r 0", never, found["partial"])


def _table(models: list[str], scores: np.ndarray, ability: np.ndarray) -> pd.DataFrame:
    brain = {"measurement": "brain", "dataset": "d", "metric": "r", "layer": "nested", "target": "mean", "participant": "mean"}
    able = {"measurement": "ability", "dataset": "mmlu", "metric": "accuracy", "participant": "mean"}
    return long_table(
        [{"model": model, **brain, "value": value} for model, value in zip(models, scores, strict=True)]
        + [{"model": model, **able, "value": value} for model, value in zip(models, ability, strict=True)]
    )


def _stories(n_stories: int, true: float, studies: int, random: np.random.Generator, n_models: int = 12) -> Cell:
    """Of fixed models: the correlation that as many other stories would give, in the middle of 400 draws of them."""
    sizes = {f"m{i:02d}": 10.0 ** (8 + 0.2 * i) for i in range(n_models)}
    x = np.log10(list(sizes.values()))
    x = (x - x.mean()) / x.std()
    held, found = [], []
    for _ in range(studies):
        rest = random.normal(size=n_models)
        rest -= rest.mean() + x * (rest @ x) / n_models
        scores = true * x + np.sqrt(1 - true**2) * rest / rest.std()
        drawn = _by_story(random, scores, x, (400, n_stories)).mean(axis=2)
        centre = np.tanh(np.mean([np.arctanh(np.corrcoef(x, at)[0, 1]) for at in drawn]))
        shares = _by_story(random, scores, x, (1, n_stories))[0]
        document = ("word", [f"s{i}" for i in range(n_stories)])  # one word a story: only stories are drawn
        arrays = {
            name: {"delta_ll_given": xr.DataArray(mine, dims=("word",), coords={"document": document})}
            for name, mine in zip(sizes, shares, strict=True)
        }
        row = {"measurement": "reading", "dataset": "d", "mapping": "given", "metric": "delta_ll"}
        table = long_table([{"model": m, **row, "value": v} for m, v in zip(sizes, shares.mean(axis=1), strict=True)])
        table = table.assign(specification="reading d")
        points = score_points(table, sizes)
        [line] = with_story_intervals(
            correlate_with_properties(table, sizes, {}), points, lambda model, _, arrays=arrays: arrays[model]
        ).to_dict("records")
        held.append(line["over_stories_low"] <= centre <= line["over_stories_high"])
        found.append(not line["over_stories_low"] <= 0 <= line["over_stories_high"])
    return _cell("Pearson r over stories", f"{n_stories} stories, true r {true:g}", held, None if true else found)


def _by_story(random: np.random.Generator, scores: np.ndarray, x: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Scores in each story (draws, n_models, n_stories): a story is hard for all, for large models more, and for each."""
    draws, n = shape
    hard, slope = random.normal(size=(2, draws, 1, n))
    own = random.normal(size=(draws, len(scores), n))
    return scores[:, None] + 2 * hard + 0.5 * slope * x[:, None] + 0.5 * own


def _pairs(
    name: str, of_base: tuple[int, ...], mean: float, errors: bool, studies: int, random: np.random.Generator
) -> Cell:
    """Differences that vary between bases as much as their errors do, which differ fourfold between bases."""
    of_pair = np.repeat(np.arange(len(of_base)), of_base)
    bases = [f"b{i}" for i in of_pair]
    held, found = [], []
    for _ in range(studies):
        noise = random.uniform(0.5, 2, len(of_base))[of_pair]
        of_bases, own_of_bases = random.normal(size=(2, len(of_base)))
        tuned = random.normal(size=len(of_pair))
        difference = mean + of_bases[of_pair] + noise * (own_of_bases[of_pair] + tuned) / np.sqrt(2)
        known = noise * np.sqrt(random.chisquare(11, len(of_pair)) / 11)  # from 12 people
        estimate = over_pairs(difference, bases, known if errors else None)
        held.append(estimate.low <= mean <= estimate.high)
        found.append(estimate.p < 0.05)
    known_or_not = "errors known" if errors else "errors unknown"
    return _cell("mean difference over pairs", f"{name}, {known_or_not}, true {mean:g}", held, None if mean else found)


def _links(n_layers: int, n_pairs: int, studies: int, random: np.random.Generator) -> Cell:
    """Changes inside and of the score are smooth over layers, rise with depth, and have nothing to do with one another."""
    depth = np.linspace(0, 1, n_layers)
    root = np.linalg.cholesky(np.exp(-0.5 * np.square((depth[:, None] - depth) / SMOOTH)) + 1e-8 * np.eye(n_layers))
    held, found = [], []
    for _ in range(studies):
        curves = random.normal(size=(2, n_pairs, n_layers)) @ root.T + depth
        pairs, rows = [], []
        for i, (change, moved) in enumerate(zip(*np.exp(curves), strict=True)):
            for layer in range(n_layers):
                at = {"model": f"t{i}", "base_model": f"b{i}", "layer": str(layer), "target": "mean"}
                score = {"measurement": "brain", "dataset": "d", "split": "grouped", "mapping": "ridge", "metric": "r"}
                pairs.append({**at, **score, "specification": "brain d", "difference": change[layer]})
                rows.append({**at, "measurement": "internals", "metric": "weight_change", "value": moved[layer]})
        links = link_layers(pd.DataFrame(pairs), long_table(rows))
        pooled = links[links["model"] == POOLED].iloc[0]
        if np.isfinite(pooled["partial_p"]):
            held.append(pooled["partial_low"] <= 0 <= pooled["partial_high"])
            found.append(pooled["partial_p"] < 0.05)
    return _cell("layer link given depth, over pairs", f"{n_layers} layers, {n_pairs} pairs, no link", held, found)
