"""Browsers of attention heads and feed-forward concepts: what the page's own script needs to draw them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tuneshift.findings.source import Cell
from tuneshift.report.blocks.section import Picture
from tuneshift.result import Result
from tuneshift.vocabulary.words import listed, text

MOST_CHARACTERS = 2_500_000
"""Of each of the two browsers, all models together: the page is opened from a mail."""
PAIRS_A_HEAD = (10, 5, 3, 1)
COMPONENTS_A_LAYER = (20, 10, 5)
WORDS_A_SIDE = 15

Entry = dict[str, Any]


def browsers(cells: Sequence[tuple[Cell, Result]], most_characters: int = MOST_CHARACTERS) -> Iterator[Picture]:
    """Yield the browsers of heads and of concepts, where the results hold any.

    Results hold them as details `heads` (`layers`, `heads`, `score_name`, `score` and `pairs` by side: "base" and
    "tuned" of a comparison, "model" of one model) and `concepts` (`components`, each with side, layer, component,
    share, words_top, words_bottom, name, category). Where all of it would make the page too heavy, every head shows
    fewer pairs and every layer fewer components; where that is not enough, the last models are left out. The captions
    say so.
    """
    heads, said = _fitted(cells, "heads", _heads, PAIRS_A_HEAD, "pairs a head", most_characters)
    if heads:
        yield Picture(
            "heads",
            "heads",
            "Attention heads, layers by heads: choose one to read the word pairs its query and key weights look for, strongest "
            "first; with a comparison, before and after tuning. A pair marked “new” or “lost” is not among the pairs stored for "
            f"the other side.{said}",
            heads,
        )
    concepts, said = _fitted(cells, "concepts", _concepts, COMPONENTS_A_LAYER, "components a layer", most_characters)
    if concepts:
        yield Picture(
            "concepts",
            "concepts",
            "Feed-forward components: the words that each of a layer's first principal components writes most (+) and those at "
            f"its other end ({chr(0x2212)}); a component has no sign of its own. Component 0 holds most variance.{said}",
            concepts,
        )


def _fitted(
    cells: Sequence[tuple[Cell, Result]],
    key: str,
    make: Callable[[Cell, Any, int], Entry],
    limits: Sequence[int],
    what: str,
    most_characters: int,
) -> tuple[list[Entry], str]:
    """Return the entries of all cells, as much of each as fits, and a sentence that says what is left out."""
    mine = [(cell, result.details[key]) for cell, result in cells if result.details.get(key)]
    if not mine:
        return [], ""
    for limit in limits:
        entries = [make(cell, stored, limit) for cell, stored in mine]
        sizes = [_characters(entry) for entry in entries]
        if sum(sizes) <= most_characters:
            fewer = f" To keep the page light it shows at most {limit} {what}; more are in the study's cells."
            return entries, fewer if limit < limits[0] else ""
    kept, total = 0, 0
    for size in sizes:
        total += size
        if total > most_characters:
            break
        kept += 1
    left = [entry["label"] for entry in entries[kept:]]
    said = f" To keep the page light, {listed(left)} {'are' if len(left) > 1 else 'is'} left out." if left else ""
    return entries[:kept], said


def _heads(cell: Cell, stored: Any, limit: int) -> Entry:
    """Return one model's or pair's heads; layers count from 1, heads from 0."""
    return {
        "model": cell.model,
        "label": _label(cell, "base" in stored["pairs"]),
        "layers": int(stored["layers"]),
        "heads": int(stored["heads"]),
        "firstLayer": 1,
        "scoreName": text(stored.get("score_name")),
        "score": {side: [[_rounded(value) for value in row] for row in rows] for side, rows in stored["score"].items()},
        "pairs": {
            side: {
                f"{layer}.{head}": [[str(query), str(word)] for query, word in pairs[:limit]]
                for layer, heads in enumerate(layers, start=1)
                for head, pairs in enumerate(heads)
                if pairs
            }
            for side, layers in stored["pairs"].items()
        },
    }


def _concepts(cell: Cell, stored: Any, limit: int) -> Entry:
    components = sorted(
        (one for one in stored["components"] if one["component"] < limit),
        key=lambda one: (one["layer"], one["component"], one["side"]),
    )
    return {
        "model": cell.model,
        "label": _label(cell, any(one["side"] == "base" for one in components)),
        "components": [
            {
                "side": one["side"],
                "layer": int(one["layer"]),
                "component": int(one["component"]),
                "share": _rounded(one["share"]),
                "top": [str(word) for word in one["words_top"][:WORDS_A_SIDE]],
                "bottom": [str(word) for word in one["words_bottom"][:WORDS_A_SIDE]],
                "name": text(one.get("name")),
                "category": text(one.get("category")),
            }
            for one in components
        ],
    }


def _label(cell: Cell, pair: bool) -> str:
    return f"{cell.model} against {cell.base_model}" if pair and cell.base_model else cell.model


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 5)


def _characters(entry: Entry) -> int:
    return len(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
