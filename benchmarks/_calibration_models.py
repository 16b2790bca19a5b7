"""Intervals and p over models, pairs and layers, where the truth is known: relatives, few pairs, smooth curves.

`cells(studies, seed)` gives one line a number and setting, for `python -m benchmarks calibration`. Everything goes
through the functions that make the printed tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.compare import correlate_with_properties, score_points
from tuneshift.compare.correlations import SIZE
from tuneshift.compare.layer_link import links_of_points
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
ALPHA = 0.05
SMOOTH = 0.2
"""Over this share of the depth numbers of layers go together (length scale of a Gaussian process)."""
STORIES = (3, 5, 10)
Cell = dict[str, Any]


def cells(studies: int, seed: int) -> list[Cell]:
    """Return a line a number and setting: `number`, `cell`, `studies`, `covered`, `found_under_null`.

    `covered` of `studies` intervals held the truth (studies without an interval are not counted); `found_under_null` of
    them had p below .05 (over stories: an interval without 0), None where something was planted.
    """
    random = np.random.default_rng(seed)
    found: list[Cell] = []
    for families in FAMILIES.items():
        found += _correlations(*families, studies, random)
    for stories in STORIES:
        found += [_stories(stories, true, studies, random) for true in TRUE_R]
    found += [_pairs(*pairs, mean, studies, random) for pairs in PAIRS.items() for mean in (0.0, 1.0)]
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
    """All studies of a setting are data sets of one table, each of models of its own."""
    first = np.repeat(np.cumsum([0, *of_base[:-1]]), of_base)
    for true in TRUE_R:
        rows: list[dict[str, Any]] = []
        sizes: dict[str, float] = {}
        bases: dict[str, str] = {}
        for study in range(studies):
            models = [f"m{study}.{i:02d}" for i in range(sum(of_base))]
            x, y = _related(random, of_base, true)
            ability = _related(random, of_base, 0.0)[0] + x  # goes with size, and with the score through size alone
            rows += _scores(f"d{study}", models, y, ability)
            sizes |= dict(zip(models, (10.0 ** (9 + 0.3 * x)).tolist(), strict=True))
            bases |= {model: models[i] for model, i in zip(models, first, strict=True) if model != models[i]}
        found = correlate_with_properties(long_table(rows), sizes, dict.fromkeys(sizes, "one"), bases)
        of_size = found[found["property"] == SIZE]
        for which, truth in (("pearson", true), ("spearman", 6 / np.pi * np.arcsin(true / 2))):
            known = of_size.dropna(subset=[f"{which}_p"])
            if len(known):
                held = (known[f"{which}_low"] <= truth) & (truth <= known[f"{which}_high"])
                p = None if true else known[f"{which}_p"] < ALPHA
                yield _cell(f"{which.title()} r over models", f"{name}, true r {true:g}", held, p)
        given = found[found["property"] != SIZE].dropna(subset=["partial_p"])
        if not true and len(given):
            held = (given["partial_low"] <= 0) & (given["partial_high"] >= 0)
            yield _cell("partial r given size", f"{name}, true r 0", held, given["partial_p"] < ALPHA)


def _scores(dataset: str, models: list[str], scores: np.ndarray, ability: np.ndarray) -> Iterator[dict[str, Any]]:
    brain = {"measurement": "brain", "dataset": dataset, "metric": "r", "layer": "nested", "target": "mean"}
    able = {"measurement": "ability", "dataset": "mmlu", "metric": "accuracy"}
    for model, score, share in zip(models, scores, ability, strict=True):
        yield {"model": model, **brain, "participant": "mean", "value": score}
        yield {"model": model, **able, "participant": "mean", "value": share}


def _stories(n_stories: int, true: float, studies: int, random: np.random.Generator, n_models: int = 12) -> Cell:
    """Of fixed models: the correlation that as many other stories would give, in the middle of 400 draws of them."""
    size = 8 + 0.2 * np.arange(n_models)
    x = (size - size.mean()) / size.std()
    document = ("word", [f"s{i}" for i in range(n_stories)])  # one word a story: only stories are drawn
    rows, sizes, arrays, centres = [], {}, {}, {}
    for study in range(studies):
        rest = random.normal(size=n_models)
        rest -= rest.mean() + x * (rest @ x) / n_models
        scores = true * x + np.sqrt(1 - true**2) * rest / rest.std()
        drawn = _by_story(random, scores, x, (400, n_stories)).mean(axis=2)
        centres[f"d{study}"] = np.tanh(np.mean(np.arctanh(drawn @ x / n_models / drawn.std(axis=1))))
        for i, mine in enumerate(_by_story(random, scores, x, (1, n_stories))[0]):
            name = f"m{study}.{i:02d}"
            sizes[name] = 10.0 ** size[i]
            arrays[name] = {"delta_ll_given": xr.DataArray(mine, dims=("word",), coords={"document": document})}
            row = {"measurement": "reading", "dataset": f"d{study}", "mapping": "given", "metric": "delta_ll"}
            rows.append({"model": name, **row, "value": mine.mean()})
    table = long_table(rows).assign(specification="reading")
    points = score_points(table, sizes)
    found = correlate_with_properties(table, sizes, dict.fromkeys(sizes, "one"))
    lines = with_story_intervals(found, points, lambda model, _: arrays[model]).set_index("dataset")
    low, high, centre = lines["over_stories_low"], lines["over_stories_high"], pd.Series(centres)[lines.index]
    beyond = None if true else (low > 0) | (high < 0)
    return _cell(
        "Pearson r over stories", f"{n_stories} stories, true r {true:g}", (low <= centre) & (centre <= high), beyond
    )


def _by_story(random: np.random.Generator, scores: np.ndarray, x: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Scores in each story (draws, n_models, n_stories): hard for all, harder for large models, hard for some model."""
    draws, n = shape
    hard, slope = random.normal(size=(2, draws, 1, n))
    own = random.normal(size=(draws, len(scores), n))
    return scores[:, None] + 2 * hard + 0.5 * slope * x[:, None] + 0.5 * own


def _pairs(name: str, of_base: tuple[int, ...], mean: float, studies: int, random: np.random.Generator) -> Cell:
    """Differences that vary between bases as much as their errors do, which differ fourfold between bases."""
    of_pair = np.repeat(np.arange(len(of_base)), of_base)
    bases = [f"b{i}" for i in of_pair]
    held, found = [], []
    for _ in range(studies):
        noise = random.uniform(0.5, 2, len(of_base))[of_pair]
        true, error = random.normal(size=(2, len(of_base)))[:, of_pair]
        difference = mean + true + noise * (error + random.normal(size=len(of_pair))) / np.sqrt(2)
        estimate = over_pairs(difference, bases)
        held.append(estimate.low <= mean <= estimate.high)
        found.append(estimate.p < ALPHA)
    return _cell("mean difference over pairs", f"{name}, true {mean:g}", held, None if mean else found)


def _links(n_layers: int, n_pairs: int, studies: int, random: np.random.Generator) -> Cell:
    """Changes inside and of the score are smooth over layers and rise with depth, and have nothing else in common."""
    depth = np.linspace(0, 1, n_layers)
    root = np.linalg.cholesky(np.exp(-0.5 * np.square((depth[:, None] - depth) / SMOOTH)) + 1e-8 * np.eye(n_layers))
    points = []
    for study in range(studies):
        curves = random.normal(size=(2, n_pairs, n_layers)) @ root.T + depth
        for i, (change, movement) in enumerate(zip(*np.exp(curves), strict=True)):
            points.append(pd.DataFrame({
                "model": f"t{i}", "base_model": f"b{i}", "measurement": "brain", "dataset": f"d{study}",
                "split": "grouped", "mapping": "ridge", "metric": "r", "specification": "", "inside": "weight_change",
                "layer": np.arange(n_layers), "change": change, "movement": movement,
            }))  # fmt: skip
    links = links_of_points(pd.concat(points, ignore_index=True)).dropna(subset=["partial_p"])
    held = (links["partial_low"] <= 0) & (links["partial_high"] >= 0)
    cell = f"{n_layers} layers, {n_pairs} pairs, no link"
    return _cell("layer link given depth, over pairs", cell, held, links["partial_p"] < ALPHA)
