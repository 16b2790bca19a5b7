"""Findings on a terminal: a short table that fits its width, or every finding of a question in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuneshift.cli.options import AsJson
from tuneshift.cli.output import print_json
from tuneshift.cli.printable import printable

if TYPE_CHECKING:
    from tuneshift.findings import Finding
    from tuneshift.study import StudyResults

WIDTH = 100
_SIGNS = {"higher": "higher", "lower": "lower", "mixed": "both ways", "": "no change shown"}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(show)


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a study.")],
    question: Annotated[
        str | None, typer.Option(help="All findings on one: brains, reading, prompts, inside, other, across.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a study found, in sentences; with a question everything that was found on it."""
    from tuneshift.findings.cautions import cautions
    from tuneshift.study import StudyResults

    results = StudyResults.load(folder)
    findings = results.findings(question)
    if as_json:
        print_json([asdict(finding) for finding in findings], results.warnings)
        return
    for caution in cautions(results.table, results.study, results.runs):
        typer.echo(f"! {printable(caution)}")
    for finding in findings:
        typer.echo(f"- {printable(finding.sentence)}")
    if not findings:
        typer.echo("Nothing was found: nothing has been measured." if question is None else f"Nothing on {question}.")
    if question is None:
        others = len(results.found.all) - len(findings)
        if others:
            typer.echo(f"{others} more: tuneshift show {folder} --question QUESTION")


def print_findings(results: StudyResults) -> None:
    """Print the findings as a table of at most `WIDTH` columns: question, verdict, number, difference."""
    findings = results.findings()
    if not findings:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", width=WIDTH)
    for column, width in (("question", 9), ("tuning", 16), ("what", None), ("difference [95%]", 28)):
        table.add_column(column, width=width, overflow="fold")
    for finding in findings:
        table.add_row(*(Text(printable(cell)) for cell in _cells(finding)))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, no_color=True)
    console.print(table)


def _cells(finding: Finding) -> Sequence[str]:
    verdict = {"unknown": "nothing claimed"}.get(finding.kind) or _SIGNS[finding.sign]
    if finding.kind == "difference" and not finding.sign:
        verdict = "above chance"
    of_models = bool(finding.bars) and finding.rows[0].startswith(("pair-", "row-"))
    who = finding.bars[0].label if len(finding.bars) == 1 else f"{len(finding.bars)} {finding.each}"
    return finding.question, verdict, f"{finding.what}: {who}" if of_models else finding.what, finding.amount
