"""The layer link claims no more than its tests carry, and draws every layer that they use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tuneshift.compare.layer_link import LINK_COLUMNS, POINT_COLUMNS, POOLED, link_layers, link_points
from tuneshift.findings.across import link_findings
from tuneshift.findings.finding import MOST_WORDS, Finding
from tuneshift.findings.layer_link import measure_name
from tuneshift.report.blocks.figures import Figure, Style
from tuneshift.report.blocks.section import Paragraph, SmallTable
from tuneshift.report.page.claims import shown_value
from tuneshift.report.page.data_table import CITED
from tuneshift.report.sections.layer_link import layer_link_section
from tuneshift.result import long_table
from tuneshift.vocabulary import ours

STYLES = {"t1": Style("#0072B2", "solid", "circle"), "t2": Style("#D55E00", "dash", "diamond")}


def tables(change: Any, movement: Any, models: tuple[str, ...] = ("t1",)) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs, rows = [], []
    for model in models:
        for layer, (score, moved) in enumerate(zip(change, movement, strict=True)):
            named = {"model": model, "base_model": f"base of {model}", "layer": str(layer), "target": "mean"}
            pairs.append({**named, "measurement": "brain", "dataset": "d", "split": "grouped", "mapping": "ridge", "metric": "r",
                          "specification": "brain d", "difference": score})  # fmt: skip
            rows.append({**named, "measurement": "internals", "metric": "weight_change", "value": moved})
    return pd.DataFrame(pairs), long_table(rows)


def said(change: Any, movement: Any, models: tuple[str, ...] = ("t1",)) -> list[Finding]:
    return list(link_findings(link_layers(*tables(change, movement, models)).reset_index(drop=True), ours()))


def several(seed: int, shared: float, n_layers: int = 12, dataset: str = "d") -> pd.DataFrame:
    """Links of four pairs, whose changes share a part with what moved, and rise with depth."""
    generator = np.random.default_rng(seed)
    made = []
    for model in ("t1", "t2", "t3", "t4"):
        moved = generator.normal(size=n_layers) + np.arange(n_layers)
        change = shared * moved + (1 - shared) * (generator.normal(size=n_layers) + np.arange(n_layers))
        made.append(tables(np.exp(change / 3), moved, (model,)))
    pairs, table = (pd.concat(parts, ignore_index=True) for parts in zip(*made, strict=True))
    return link_layers(pairs.assign(dataset=dataset), table).reset_index(drop=True)


def test_one_pair_alone_shows_nothing_however_high_its_correlation() -> None:
    moved = np.random.default_rng(4).normal(size=12)
    assert said(np.exp(moved), np.exp(moved)) == []


def test_pairs_of_two_bases_are_no_sample() -> None:
    moved = np.random.default_rng(4).normal(size=12)
    assert said(np.exp(moved), moved, ("t1", "t2")) == []


def test_a_link_of_several_pairs_is_a_finding_of_all_of_them_together() -> None:
    frame = several(5, shared=0.8)
    [found] = link_findings(frame, ours())
    [pooled] = frame[frame["model"] == POOLED].to_dict("records")
    assert found.kind == "difference"
    assert "4 pairs of 4 bases" in found.sentence
    assert f"r = {pooled['partial_r']:.2f} [" in found.sentence
    assert found.rows == (f"link-{frame.index[frame['model'] == POOLED][0]}",)
    assert float(shown_value("link", pd.Series(pooled))) == pytest.approx(pooled[CITED["link"]], abs=0.001)
    assert CITED["link"] == "partial_r"
    assert found.bars[0].holds
    assert (found.bars[0].value, found.bars[0].low) == (pooled["partial_r"], pooled["partial_low"])


def test_what_only_grows_with_depth_is_no_finding() -> None:
    frame = several(6, shared=0.0)
    assert frame.loc[frame["model"] == POOLED, "spearman_r"].iloc[0] > 0.6
    [found] = link_findings(frame, ours())
    assert found.kind == "null"
    assert "given depth, none of 1 inside measures has q below 0.05" in found.sentence


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_no_sentence_is_longer_than_a_reader_reads(shared: float) -> None:
    frame = several(5, shared, dataset="own recording")
    for inside in ("1 - state_cka", "rotation_deg", "1 - head_overlap"):
        for found in link_findings(frame.assign(inside=inside, mapping="linear mapping", split="own split"), ours()):
            assert len(found.sentence.split()) <= MOST_WORDS
            assert found.sentence.endswith(".")


def test_layers_too_few_to_take_depth_out_are_no_finding() -> None:
    assert list(link_findings(several(5, shared=0.8, n_layers=5), ours())) == []


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
    assert small.columns[3:] == ("bases", "Spearman r", "given depth", "95% interval", "p", "q")
    assert all(row[-3:] == ("–", "–", "–") for row in small.rows)  # two bases are no sample
    assert [row[0] for row in small.rows] == ["t1", "t2", POOLED]
    told = " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))
    for caveat in ("few layers", "Depth is a confounder", "never a cause", "Nothing is claimed"):
        assert caveat in told


def test_the_section_counts_the_links_that_were_tested() -> None:
    section = layer_link_section(several(5, shared=0.8), pd.DataFrame(columns=list(POINT_COLUMNS)), STYLES)
    told = " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))
    assert "Given depth, 1 of 1 correlations over all pairs has q below 0.05" in told
    assert "would by chance" in told


def test_a_study_without_both_sides_says_what_is_missing() -> None:
    section = layer_link_section(pd.DataFrame(columns=list(LINK_COLUMNS)), pd.DataFrame(), STYLES)
    assert section.blocks == []
    assert "measurement `internals`" in section.absent


def test_measures_are_named_in_words() -> None:
    assert measure_name("1 - state_cka") == "1 \u2212 hidden states: CKA"
    assert measure_name("rotation_deg") == "rotation of feed-forward subspaces, mean principal angle"
    assert measure_name("weight_change") == "change of written weights"
