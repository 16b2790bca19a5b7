"""The section where both papers meet: does the layer whose inside moved most change its brain score most?"""

from __future__ import annotations

import pandas as pd

from tuneshift.report.section import Block, Paragraph, Section, SmallTable
from tuneshift.report.words import number, p_value, text

_LEAD = "Does the layer whose inside moved most change its brain score most?"


def layer_link_section(links: pd.DataFrame) -> Section:
    """Return the section on the link between layers' inner change and their change in brain score."""
    if links.empty:
        absent = (
            "The link needs brain scores by layer and a comparison of weights for the same pair; this study lacks one."
        )
        return Section("link", "The layer link", _LEAD, absent=absent)
    lines = tuple(
        (
            text(row["model"]), ", ".join(text(row[c]) for c in ("dataset", "split", "metric") if text(row[c])),
            text(row["inside"]), str(int(row["n_layers"])), number(row["spearman_r"], 2), p_value(row["p"]) or "–",
        )
        for _, row in links.iterrows()
    )  # fmt: skip
    below = sum(not pd.isna(p) and p < 0.05 for p in links["p"])
    blocks: list[Block] = [
        Paragraph(
            f"Spearman correlation over layers of the size of the change in brain score with the size of the change inside. "
            f"{below} of {len(links)} have p below 0.05; {number(0.05 * len(links), 1)} would by chance. Layers of one "
            "network are few and depend on one another, so a correlation here is a hint, never a cause."
        ),
        SmallTable(
            "The layer link: permutation tests over layers, within each pair.",
            ("model", "brain score", "inside", "layers", "Spearman r", "p"),
            lines,
        ),
    ]
    return Section("link", "The layer link", _LEAD, blocks)
