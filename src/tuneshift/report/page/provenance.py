"""What was run, on what, with which versions, and what went wrong: everything a reader needs to run it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from tuneshift.findings.cautions import cautions
from tuneshift.findings.source import Results
from tuneshift.report.blocks.section import SmallTable
from tuneshift.report.page.mailable import without_folders
from tuneshift.report.sections.methods import data_sets_used
from tuneshift.vocabulary.words import text


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from."""

    notes: str
    warnings: tuple[str, ...]
    failures: tuple[str, ...]
    tables: tuple[SmallTable, ...]
    study_file: str


def provenance(results: Results, table: pd.DataFrame, damaged: Sequence[str] = ()) -> Provenance:
    """Return models, data sets with licences, versions, warnings and failures of a study."""
    study = without_folders(results.study)  # before it is written as YAML: a path with blanks is whole here only
    return Provenance(
        notes=text(study.get("notes")),
        warnings=(*cautions(table, study, results.runs), *results.warnings, *damaged),
        failures=tuple(str(failure) for failure in results.failures),
        tables=_filled(
            _models(study.get("models") or []),
            SmallTable(
                "Data sets.",
                ("data set", "licence", "citation", "notes"),
                tuple(data_sets_used(table)),
            ),
            SmallTable("Versions.", ("program", "version"), tuple(_lines(study.get("versions") or {}))),
        ),
        study_file=yaml.safe_dump(study, sort_keys=False, allow_unicode=True),
    )


def _filled(*tables: SmallTable) -> tuple[SmallTable, ...]:
    """Leave out what has no row: a heading over nothing is read as an answer."""
    return tuple(table for table in tables if table.rows)


def _models(models: Sequence[Any]) -> SmallTable:
    rows = []
    for entry in models:
        entry = entry if isinstance(entry, dict) else {"model": entry}
        name = text(entry.get("name") or entry.get("model"))
        code = "yes: code from the model's repository was run" if entry.get("trust_remote_code") else "no"
        rows.append((name, text(entry.get("model")), text(entry.get("base")) or "–", code))
    return SmallTable("Models.", ("name", "from", "base", "foreign code"), tuple(rows))


def _lines(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(key), text(value)) for key, value in values.items()]
