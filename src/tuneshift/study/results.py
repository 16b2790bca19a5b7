"""StudyResults: everything a study measured, in memory or read back from its folder."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tuneshift.compare.correlations import (
    FEWEST_MODELS,
    ambiguous_scores,
    correlate_with_properties,
    root_of,
    score_points,
)
from tuneshift.compare.layer_link import link_points, links_of_points
from tuneshift.compare.over_stories import with_story_intervals
from tuneshift.compare.pairs import PAIR_COLUMNS, compare_pair
from tuneshift.compare.related_models import FEWEST_BASES
from tuneshift.compare.trajectories import Run, counted_once
from tuneshift.errors import BadInput, nearest
from tuneshift.findings import Finding, Findings, findings_of
from tuneshift.notebook import facts, listed, notes, table
from tuneshift.result import Result
from tuneshift.study.index import JobRecord, ModelInfo, StudyIndex, read_index
from tuneshift.study.store import DamagedCell, Store
from tuneshift.vocabulary import QUESTIONS, Vocabulary


@dataclass(frozen=True)
class Failure:
    """A job that failed: which model, which measurement, and why."""

    model: str
    measurement: str
    reason: str

    def __str__(self) -> str:
        return f"{self.model}, {self.measurement}: {self.reason}"


@dataclass(frozen=True)
class StudyCell:
    """One finished measurement of one model; its `result` is read when it is first asked for.

    `specification` is the same text for the same measurement of two models, so cells can be matched by it;
    `description` says the measurement in a few words.
    """

    fingerprint: str
    model: str
    base_model: str | None
    tuned: bool
    measurement: str
    settings: dict[str, Any]
    description: str
    store: Store

    @property
    def specification(self) -> str:
        """The measurement's settings as one text."""
        return json.dumps(self.settings, sort_keys=True)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What was stored beside the result: versions, seconds, facts of the model."""
        return self._stored.manifest

    @cached_property
    def result(self) -> Result:
        """The whole result: table, arrays, warnings, details. BadInput where its files are damaged."""
        return self._stored.result.with_columns(
            model=self.model,
            base_model=self.base_model,
            tuned=self.tuned,
            measurement=self.measurement,
            fingerprint=self.fingerprint,
        )

    @cached_property
    def _stored(self) -> Any:
        try:
            return self.store.read(self.fingerprint)
        except DamagedCell as error:
            raise BadInput(
                f"cell {self.fingerprint} ({self.model}, {self.description}) in {self.store.folder} is damaged "
                f"({error}); run the study again and it will be measured anew."
            ) from error


class LazyResults(Mapping[str, Result]):
    """Fingerprint -> Result, each read when it is asked for."""

    def __init__(self, cells: list[StudyCell]) -> None:
        self._cells = {cell.fingerprint: cell for cell in cells}

    def __getitem__(self, fingerprint: str) -> Result:
        return self._cells[fingerprint].result

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


class StudyResults:
    """What a study gave: `table` (the long table), `cells`, `pairs()`, `correlations()`, `failures`, `warnings`.

    The last column of `table` is `specification`, the measurement in a few words. `vocabulary` says what every number
    means, `runs` which models are checkpoints of one training run.
    """

    def __init__(self, folder: Path, study: dict[str, Any], index: StudyIndex) -> None:
        store = Store(folder)
        self.folder = folder
        self.study = study
        self.table = index.table
        self.models: dict[str, ModelInfo] = index.models
        settings: dict[str, dict[str, Any]] = {}  # each text once: models share the settings of a measurement
        self.cells = [_cell(job, store, settings) for job in index.done]
        self.failures = [Failure(job.model, job.description, job.reason) for job in index.failed]
        self.n_waiting = len(index.waiting)
        self.vocabulary = _vocabulary(study, folder)
        self.runs = _runs(study, folder, self.models)
        self.results = LazyResults(self.cells)
        self.warnings = [*_warnings(index, self.models, self.runs), *ambiguous_scores(self.table, self.vocabulary)]

    @classmethod
    def load(cls, folder: str | Path) -> StudyResults:
        """Read the output folder of a study, also of one that was killed or is still running.

        Raises BadInput where the folder holds no study.
        """
        folder = Path(folder)
        try:
            study = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise BadInput(
                f"{folder} holds no study (study.yaml cannot be read); give the folder that "
                "`tuneshift run --out` wrote."
            ) from error
        if not _is_study(study):
            raise BadInput(f"{folder / 'study.yaml'} is no study; give the folder that `tuneshift run --out` wrote.")
        with _all_is_kept():
            results = cls(folder, study, read_index(folder))
        return results

    def pairs(self) -> pd.DataFrame:
        """Return every tuned model against its own base, one row a number; see `compare.pairs.compare_pair`.

        Columns: `PAIR_COLUMNS`, then `specification` (the measurement in a few words).
        """
        return self._pairs.copy()

    def correlations(self) -> pd.DataFrame:
        """Return the correlation over models of every score with size and abilities.

        See `compare.correlations.correlate_with_properties`; reading scores have an interval over stories besides
        (`compare.over_stories.with_story_intervals`). Checkpoints of one run (`runs`) are one model, the last of them.
        """
        return self._correlations.copy()

    def findings(self, question: str | None = None) -> list[Finding]:
        """Return what the study found, the most telling first: at most seven findings, or all on one question.

        See `tuneshift.findings.findings_of`; questions are those of `tuneshift.vocabulary.QUESTIONS`. Raises BadInput
        for a question that there is not.
        """
        if question is None:
            return list(self.found.first)
        if question not in QUESTIONS:
            raise BadInput(f"no question {question!r}{nearest(question, QUESTIONS)}; there are {', '.join(QUESTIONS)}.")
        return [finding for finding in self.found.all if finding.question == question]

    @cached_property
    def found(self) -> Findings:
        """Every finding, made once for page, terminal and Python."""
        return findings_of(self)

    def correlation_points(self) -> pd.DataFrame:
        """Return the points behind the correlations, for scatter plots; see `compare.correlations.score_points`."""
        sizes = {name: info.n_parameters for name, info in self.models.items() if info.n_parameters}
        return score_points(counted_once(self.table, self.runs), sizes, self.vocabulary)

    def layer_links(self) -> pd.DataFrame:
        """Return, per pair and pooled, whether the layers whose inside moved most changed their brain score most.

        See `compare.layer_link.link_layers`.
        """
        return self._layer_links.copy()

    def layer_link_points(self) -> pd.DataFrame:
        """Return the points behind the links of layers, for scatter plots; see `compare.layer_link.link_points`."""
        return self._layer_link_points.copy()

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        by_key: dict[tuple[str, str], list[StudyCell]] = {}
        for cell in self.cells:
            by_key.setdefault((cell.model, cell.specification), []).append(cell)
        frames = []
        for tuned in self.cells:
            for base in by_key.get((tuned.base_model or "", tuned.specification), [])[:1]:
                frame = compare_pair(base.result, tuned.result)
                frame.insert(0, "model", tuned.model)
                frame.insert(1, "base_model", base.model)
                frame.insert(2, "measurement", tuned.measurement)
                frame["specification"] = tuned.description
                frames.append(frame)
        filled = [frame for frame in frames if not frame.empty]
        if not filled:
            return pd.DataFrame(columns=[*PAIR_COLUMNS, "specification"])
        return pd.concat(filled, ignore_index=True)[[*PAIR_COLUMNS, "specification"]]

    @cached_property
    def _layer_link_points(self) -> pd.DataFrame:
        return link_points(self._pairs, self.table, self.vocabulary)

    @cached_property
    def _layer_links(self) -> pd.DataFrame:
        return links_of_points(self._layer_link_points, bases_of(self.models), self.runs)

    @cached_property
    def _correlations(self) -> pd.DataFrame:
        sizes = {name: info.n_parameters for name, info in self.models.items() if info.n_parameters}
        families = {name: info.family for name, info in self.models.items() if info.family}
        found = correlate_with_properties(
            counted_once(self.table, self.runs), sizes, families, bases_of(self.models), self.vocabulary
        )
        cells = {(cell.model, cell.description): cell for cell in self.cells}
        return with_story_intervals(
            found,
            self.correlation_points(),
            lambda model, description: cells[model, description].result.arrays,
            self.vocabulary,
        )

    def __repr__(self) -> str:
        """Return a few lines: which study, how far it came, and where to look."""
        counted = f"{len(self.cells)} measurements finished, {len(self.failures)} failed, {self.n_waiting} waiting"
        parts = [
            f"Study {str(self.study.get('name', ''))!r} in {self.folder}: {counted}",
            f"models: {listed(self.models)}",
            f"{len(self.table):,} rows in .table; more in .findings(), .pairs() and .correlations()",
        ]
        if self.warnings:
            parts.append(f"{len(self.warnings)} to read in .warnings")
        return "\n  ".join(parts)

    def _repr_html_(self) -> str:
        title = facts(
            str(self.study.get("name", "study")),
            {
                "models": list(self.models),
                "measurements": f"{len(self.cells)} finished, {len(self.failures)} failed, {self.n_waiting} waiting",
                "numbers": f"{len(self.table):,} rows in .table",
                "folder": self.folder,
            },
        )
        failures = notes(f"failed: {failure}" for failure in self.failures)
        return title + failures + notes(self.warnings) + (table(self.pairs()) if len(self.pairs()) else "")


def _vocabulary(study: dict[str, Any], folder: Path) -> Vocabulary:
    """Return what the study's numbers mean: our vocabulary, and what measurements from outside declared."""
    try:
        return Vocabulary.of_declared(study.get("vocabulary") or {})
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{folder / 'study.yaml'}, vocabulary: {error}; run the study again, which writes it anew."
        ) from error


def _runs(study: dict[str, Any], folder: Path, models: Mapping[str, ModelInfo]) -> tuple[Run, ...]:
    """Return the runs that the study was run with; of models that it does not have, none."""
    try:
        runs = [Run.from_dict(written) for written in study.get("trajectories") or []]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{folder / 'study.yaml'}, trajectories: {error!r}; run the study again, which writes it anew."
        ) from error
    return tuple(run for run in runs if set(run.models) <= set(models))


def _is_study(document: Any) -> bool:
    """Whether a document has the shape in which a run writes its study (anyone may have edited it since)."""
    shapes = {"models": list, "measurements": list, "versions": dict, "notes": str}
    return isinstance(document, dict) and all(
        isinstance(document.get(key, kind()), kind) for key, kind in shapes.items()
    )


@contextmanager
def _all_is_kept() -> Iterator[None]:
    """Collect no garbage: where nothing is thrown away, looking for it takes longer than the work."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _cell(job: JobRecord, store: Store, known: dict[str, dict[str, Any]]) -> StudyCell:
    if job.settings not in known:
        known[job.settings] = json.loads(job.settings)
    settings = known[job.settings]
    return StudyCell(job.fingerprint, job.model, job.base_model, job.tuned, job.kind, settings, job.description, store)


def bases_of(models: Mapping[str, ModelInfo]) -> dict[str, str]:
    """Return the base of each tuned model."""
    return {name: info.base_model for name, info in models.items() if info.base_model}


def _warnings(index: StudyIndex, models: dict[str, ModelInfo], runs: Sequence[Run]) -> list[str]:
    """Return what a reader must see: the results' own warnings, other tokenizers, bases that are not there."""
    found = list(index.warnings)
    for name, info in models.items():
        base = models.get(info.base_model or "")
        if base and base.tokenizer and info.tokenizer and base.tokenizer != info.tokenizer:
            found.append(
                f"{name} has another tokenizer than its base {info.base_model}: compare them per word and per prompt, "
                "never token by token."
            )
    roots = {root_of(name, bases_of(models)) for name in models}
    counted = len(models) - sum(len(run.models) - 1 for run in runs)
    if counted >= FEWEST_MODELS and len(roots) < min(FEWEST_BASES, counted):
        found.append(
            f"correlations over models: the {counted} models go back to {len(roots)} base "
            f"model{'s' if len(roots) > 1 else ''}, which allow any correlation: intervals are -1 to 1, and "
            "there are no p-values."
        )
    return list(dict.fromkeys(found))
