"""Which findings stand on the first screen: at most seven, chosen and ordered by rule."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tuneshift.compare.correlations import root_of
from tuneshift.compare.trajectories import Run, counted_once
from tuneshift.compare.verdict import ALPHA, verdict
from tuneshift.findings.across import link_findings, size_findings
from tuneshift.findings.finding import Finding, Findings
from tuneshift.findings.of_models import model_findings
from tuneshift.findings.of_pairs import headline_pairs, pair_findings
from tuneshift.findings.source import Results
from tuneshift.vocabulary import QUESTIONS
from tuneshift.vocabulary.words import number

MOST = 7
_KINDS = ("difference", "null", "unknown")


def findings_of(results: Results) -> Findings:
    """Return the findings of a study, the most telling first.

    Real people come before simulated ones, differences that hold before nulls, then the questions in their order. Of
    each question the first finding is taken, then the others, until there are seven.
    """
    vocabulary = results.vocabulary
    table = results.table.reset_index(drop=True)
    pairs = results.pairs().reset_index(drop=True)
    bases = {
        str(model): str(base)
        for model, base in table[["model", "base_model"]].drop_duplicates().itertuples(index=False)
        if isinstance(base, str)
    }
    roots = {str(base): root_of(str(base), bases) for base in bases.values()}
    paired = headline_pairs(pairs, vocabulary)
    found = [
        *pair_findings(pairs, vocabulary, roots, results.runs),
        *model_findings(counted_once(table, results.runs), paired, vocabulary),
        *link_findings(counted_once(results.layer_links().reset_index(drop=True), results.runs), vocabulary),
        *size_findings(results.correlations().reset_index(drop=True), vocabulary),
    ]
    ordered = sorted(found, key=_rank)  # a stable order: equals keep that of the study
    return Findings(tuple(sorted(_first(ordered), key=_rank)), tuple(ordered), _count(paired, results.runs))


def _rank(finding: Finding) -> tuple[int, int, int]:
    return finding.simulated, _KINDS.index(finding.kind), list(QUESTIONS).index(finding.question)


def _first(ordered: list[Finding]) -> list[Finding]:
    one_each = {finding.question: finding for finding in reversed(ordered)}
    chosen = [finding for finding in ordered if one_each[finding.question] is finding]
    return [*chosen, *(finding for finding in ordered if finding not in chosen)][:MOST]


def _count(paired: pd.DataFrame, runs: Sequence[Run]) -> str:
    tested = [row for _, row in counted_once(paired, runs).iterrows() if verdict(row) != "unknown"]
    if len(tested) < 2:
        return ""
    found = sum(verdict(row) == "difference" for row in tested)
    chance = number(ALPHA * len(tested), 1)
    once = " Checkpoints of a run are one model, the last of them." if runs else ""
    return (
        f"Of {len(tested)} comparisons of a tuned model with its base, {found} {'shows' if found == 1 else 'show'} a "
        f"difference; if tuning changed nothing at all, about {chance} would by chance. A null result says that these data "
        f"show no difference, not that there is none.{once}"
    )
