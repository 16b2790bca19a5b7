"""The layer link claims no more than its tests carry, and draws every layer that they use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tuneshift.compare.layer_link import LINK_COLUMNS, POOLED, link_layers, link_points
from tuneshift.findings.across import link_findings
from tuneshift.findings.finding import Finding
from tuneshift.findings.layer_link import measure_name
from tuneshift.report.blocks.figures import Figure, Style
from tuneshift.report.blocks.section import Paragraph, SmallTable
from tuneshift.report.sections.layer_link import layer_link_section
from tuneshift.result import long_table
from tuneshift.vocabulary import ours

STYLES = {"t1": Style("#0072B2", "solid", "circle"), "t2": Style("#D55E00", "dash", "diamond")}


def tables(change: Any, movement: Any, models: tuple[str, ...] = ("t1",)) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs, rows = [], []
    for model in models:
        for layer, (score, moved) in enumerate(zip(change, movement, strict=True)):
            named = {"model": model, "base_model": "base", "layer": str(layer), "target": "mean"}
            pairs.append({**named, "measurement": "brain", "dataset": "d", "split": "grouped", "mapping": "ridge", "metric": "r",
                          "specification": "brain d", "difference": score})  # fmt: skip
            rows.append({**named, "measurement": "internals", "metric": "weight_change", "value": moved})
    return pd.DataFrame(pairs), long_table(rows)


def said(change: Any, movement: Any, models: tuple[str, ...] = ("t1",)) -> list[Finding]:
    return list(link_findings(link_layers(*tables(change, movement, models)).reset_index(drop=True), ours()))


def test_what_only_grows_with_depth_is_no_finding() -> None:
    depth = np.arange(12.0)
    generator = np.random.default_rng(6)
    [found] = said(depth + generator.normal(0, 0.5, 12), depth + generator.normal(0, 0.5, 12))
    assert found.kind == "null"
    assert "No evidence" in found.sentence
    assert "1 of 1 inside measures do before depth is taken out, none once it is" in found.sentence
    assert found.rows == ("link-0",)


def test_a_link_beyond_depth_is_a_finding_without_a_cause() -> None:
    moved = np.random.default_rng(4).normal(size=12)
    [found] = said(np.exp(moved), np.exp(moved))
    assert found.kind == "difference"
    assert "r = 1.00 given depth" in found.sentence
    assert "No evidence of a cause" in found.sentence


def test_where_depth_explains_all_of_it_the_sentence_says_so() -> None:
    [found] = said(np.arange(9.0), np.arange(9.0) ** 2)
    assert found.kind == "null"
    assert "depth explains all of it" in found.sentence


def test_too_few_layers_to_take_depth_out_are_said_to_be_too_few() -> None:
    [found] = said(np.arange(5.0), np.arange(5.0) ** 2)
    assert found.kind == "null"
    assert "too few layers to take depth out" in found.sentence


def test_several_pairs_are_summed_up_by_the_row_of_all_pairs() -> None:
    moved = np.random.default_rng(5).normal(size=10)
    frame = link_layers(*tables(np.exp(moved), np.exp(moved), ("t1", "t2"))).reset_index(drop=True)
    [found] = link_findings(frame, ours())
    assert "all pairs together" in found.sentence
    assert found.rows == (f"link-{frame.index[frame['model'] == POOLED][0]}",)


def test_the_section_draws_every_layer_of_every_pair_and_gives_the_caveats() -> None:
    generator = np.random.default_rng(6)
    change, moved = generator.uniform(size=(2, 9))
    pairs, table = tables(change, moved, ("t1", "t2"))
    section = layer_link_section(link_layers(pairs, table), link_points(pairs, table), STYLES)
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    assert [figure.data[0]["meta"]["model"] for figure in figures] == ["t1", "t2"]
    for figure in figures:
        assert figure.data[0]["x"] == pytest.approx(moved.tolist())
        assert figure.data[0]["y"] == pytest.approx(change.tolist())
        assert figure.data[0]["text"] == [str(layer) for layer in range(9)]
    [small] = [block for block in section.blocks if isinstance(block, SmallTable)]
    assert small.columns[3:] == ("Spearman r", "p", "q", "given depth", "p given depth", "q given depth")
    assert [row[0] for row in small.rows] == ["t1", "t2", POOLED]
    told = " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))
    for caveat in ("few layers", "Depth is a confounder", "never a cause", "would by chance"):
        assert caveat in told


def test_a_study_without_both_sides_says_what_is_missing() -> None:
    section = layer_link_section(pd.DataFrame(columns=list(LINK_COLUMNS)), pd.DataFrame(), STYLES)
    assert section.blocks == []
    assert "measurement `internals`" in section.absent


def test_measures_are_named_in_words() -> None:
    assert measure_name("1 - state_cka") == "1 \u2212 hidden states: CKA"
    assert measure_name("rotation_deg") == "rotation of feed-forward subspaces, mean principal angle"
    assert measure_name("weight_change") == "change of written weights"
