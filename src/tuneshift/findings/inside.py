"""Sentences on the inside of each pair: heads' verbs, and rotation beside its null."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tuneshift.vocabulary.selecting import by_layer, extreme, groups, overall, rows_of
from tuneshift.vocabulary.words import interval, missing, number, p_value, signed, text

Said = tuple[str, str, tuple[str, ...], str]
"""Sentence, kind, anchors of its rows, topic."""


def inside_sentences(table: pd.DataFrame) -> Iterator[Said]:
    """Yield what may be said of each pair's inside."""
    rows = overall(rows_of(table, measurement="internals"), targets=False)
    for (model,), mine in groups(rows, "model"):
        yield from _rotation(model, mine)
        yield from _verbs(model, mine)


def _rotation(model: str, rows: pd.DataFrame) -> Iterator[Said]:
    turned = rows_of(rows, metric="rotation_deg", mapping="mean principal angle")
    layers, null = by_layer(overall(turned)), rows_of(turned, target="random rotation")
    if layers.empty or null.empty or missing(null["ci_low"].iloc[0]):
        return
    least, most, random = extreme(layers, lowest=True), extreme(layers), null.iloc[0]
    below = float(most["value"]) < float(random["ci_low"])
    base = text(layers["base_model"].iloc[0])
    yield (
        f"{model}, inside: feed-forward subspaces are turned against those of {base} by {number(least['value'], 1)} (layer "
        f"{least['depth']}) to {number(most['value'], 1)} degrees (layer {most['depth']}), mean principal angle; a random rotation "
        f"gives {number(random['value'], 1)} [{interval(random['ci_low'], random['ci_high'], 1)}]: "
        + (
            "tuning kept part of them in every layer."
            if below
            else "not every layer is told apart from a random rotation."
        ),
        "finding" if below else "null",
        tuple(f"row-{row.name}" for row in (least, most, random)),
        "weights",
    )


def _verbs(model: str, rows: pd.DataFrame) -> Iterator[Said]:
    """Say whether heads gained instruction verbs more than control verbs, over all layers."""
    gained = overall(rows_of(rows, metric="verb_gain_difference")).dropna(subset=["value", "ci_low", "ci_high"])
    whole = gained[gained["layer"].astype("string").str.fullmatch(r"1-\d+").fillna(False).to_numpy(dtype=bool)].tail(1)
    for _, row in whole.iterrows():
        low, high = float(row["ci_low"]), float(row["ci_high"])
        test = rows_of(rows, metric="verb_gain_p", layer=text(row["layer"])).dropna(subset=["value"])
        p = None if test.empty else float(test["value"].iloc[0])
        outside = low > 0 or high < 0
        agree = outside and (p is None or p < 0.05)
        said = "no evidence that heads took up instruction verbs more than other verbs"
        if agree:
            said = f"heads took up instruction verbs {'more' if low > 0 else 'less'} than other verbs"
        elif outside or (p is not None and p < 0.05):
            said = "interval and test disagree, so this is no firm evidence that heads took up instruction verbs"
        tested = "" if p is None else f"; Welch test over verbs {p_value(p)}"
        yield (
            f"{model}, attention heads (layers {text(row['layer'])}): share of heads that gained a verb, instruction "
            f"{chr(0x2212)} other verbs {signed(row['value'])} [{interval(low, high)}]{tested}: {said}.",
            "difference" if agree else "null",
            (f"row-{row.name}", *(f"row-{index}" for index in test.index)),
            "weights",
        )
