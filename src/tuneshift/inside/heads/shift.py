"""How tuning moved attention heads: pairs kept, and verbs that more heads take up (methods, section 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from tuneshift.inside.heads.measurement import HeadPatterns, by_head
from tuneshift.inside.heads.overlap import head_overlap
from tuneshift.inside.heads.patterns import WordPairs
from tuneshift.inside.heads.verbs import FEWEST_KEY_HEADS, VerbGain, verb_gain
from tuneshift.inside.pairing import as_weights, layers_label, quarters, require_same_build
from tuneshift.inside.words import WordList
from tuneshift.measurement import of_model
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.numerics.resampling import bootstrap_mean
from tuneshift.progress import Progress, silent
from tuneshift.result import Result

OTHER = "another head"


def head_shift(
    base: LanguageModel | Weights,
    tuned: LanguageModel | Weights,
    spec: HeadPatterns | None = None,
    *,
    progress: Progress = silent,
) -> Result:
    """Compare the attention heads of a tuned model with those of its base.

    Both are asked about the base's words, and what counts as plausible neighbours is the base's answer for both, so
    that only query, key and embedding weights can make a difference. Rows: `head_overlap` by layer (Jaccard index of a
    head's pairs before and after, mean over heads, bootstrap over at least 4 key heads), and that of different heads
    over all layers (target "another head"); `verb_gain_share` by group of layers for instruction and control verbs,
    `verb_gain_difference` between them and `verb_gain_p` (Welch test over verbs, as published). Raises BadInput where
    the two models are no pair.
    """
    spec = spec or HeadPatterns()
    first, second = as_weights(base), as_weights(tuned)
    require_same_build(first, second)
    words = spec.word_list(first)
    said: list[str] = []
    plausible = spec.plausible(first, words, said)
    before, after = (spec.patterns(weights, words, plausible, progress) for weights in (first, second))
    overlap = head_overlap(before, after)
    gains = _gains(spec, words, before, after)
    shared = before.queries_per_key
    others = head_overlap(before, after, shift=shared) if before.n_heads > shared else np.empty(0)
    rows = [*_overlap_rows(spec, overlap, others, shared), *_gain_rows(spec, gains)]
    heads = {
        "layers": len(overlap),
        "heads": before.n_heads,
        "score_name": "word pairs shared with the base (Jaccard index)",
        "score": {"change": overlap.tolist()},
        "pairs": {"base": before.browsable(spec.kept_pairs), "tuned": after.browsable(spec.kept_pairs)},
    }
    arrays = {"head_overlap": by_head(overlap), **_verb_arrays(spec, words, gains)}
    warnings = (*spec.notes(words), *said)
    details = {"heads": heads, "words": len(words)}
    return of_model(Result.from_rows(rows, arrays=arrays, warnings=warnings, details=details), tuned, base)


def _overlap_rows(spec: HeadPatterns, overlap: np.ndarray, others: np.ndarray, shared: int) -> list[dict[str, Any]]:
    """Return the rows of each layer and, last, that of different heads over all layers."""
    rows = [_overlap_row(spec, heads, shared) | {"layer": layer} for layer, heads in enumerate(overlap, start=1)]
    return [*rows, _overlap_row(spec, others, shared) | {"target": OTHER}] if others.size else rows


def _overlap_row(spec: HeadPatterns, heads: np.ndarray, shared: int) -> dict[str, Any]:
    by_key = heads.reshape(-1, shared).mean(axis=1)
    low, high = bootstrap_mean(by_key) if len(by_key) >= FEWEST_KEY_HEADS else (float("nan"), float("nan"))
    return spec.row(
        metric="head_overlap",
        value=float(heads.mean()),
        ci_low=low,
        ci_high=high,
        n=len(by_key),
        unit="Jaccard index",
    )


def _gains(spec: HeadPatterns, words: WordList, before: WordPairs, after: WordPairs) -> list[tuple[str, VerbGain]]:
    instruction, control = (words.positions(verbs) for _, verbs in spec.verb_sides())
    if not instruction or not control:
        return []
    places = [*instruction, *control]
    counts = [found.occurrences(places) for found in (before, after)]
    split = np.arange(len(places))
    groups = quarters(len(counts[0]))
    if len(groups) > 1:
        groups.append(range(1, len(counts[0]) + 1))
    return [
        (
            layers_label(group),
            verb_gain(
                counts[0][group[0] - 1 : group[-1]],
                counts[1][group[0] - 1 : group[-1]],
                split[: len(instruction)].tolist(),
                split[len(instruction) :].tolist(),
                before.queries_per_key,
            ),
        )
        for group in groups
    ]


def _gain_rows(spec: HeadPatterns, gains: list[tuple[str, VerbGain]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for layers, gain in gains:
        for mapping, (value, low, high) in (
            ("instruction verbs", gain.instruction),
            ("control verbs", gain.control),
        ):
            rows.append(
                spec.row(
                    layer=layers,
                    mapping=mapping,
                    metric="verb_gain_share",
                    value=value,
                    ci_low=low,
                    ci_high=high,
                    n=gain.n_key_heads,
                    unit="share",
                )
            )
    for layers, gain in gains:
        value, low, high = gain.difference
        rows.append(
            spec.row(
                layer=layers,
                mapping="instruction - control",
                metric="verb_gain_difference",
                value=value,
                ci_low=low,
                ci_high=high,
                n=gain.n_key_heads,
                unit="share",
            )
        )
        n_verbs = sum(int(np.isfinite(side).sum()) for side in gain.shares)
        rows.append(
            spec.row(
                layer=layers, mapping="Welch test over verbs", metric="verb_gain_p", value=gain.p, n=n_verbs, unit="p"
            )
        )
    return rows


def _verb_arrays(spec: HeadPatterns, words: WordList, gains: list[tuple[str, VerbGain]]) -> dict[str, xr.DataArray]:
    if not gains:
        return {}
    sides = [words.positions(verbs) for _, verbs in spec.verb_sides()]
    verbs = [words.words[place] for side in sides for place in side]
    groups = [name for (name, _), side in zip(spec.verb_sides(), sides, strict=True) for _ in side]
    values = np.stack([np.concatenate(gain.shares) for _, gain in gains])
    coords = {"layers": [layers for layers, _ in gains], "verb": verbs, "group": ("verb", groups)}
    return {"verb_gain_share": xr.DataArray(values, dims=("layers", "verb"), coords=coords)}
