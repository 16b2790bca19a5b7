"""What the report reads: the parts of a study's results that it needs, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd

from tuneshift.compare.trajectories import Run
from tuneshift.findings.finding import Findings
from tuneshift.result import Result
from tuneshift.vocabulary import Vocabulary


class Cell(Protocol):
    """One finished measurement of one model."""

    @property
    def fingerprint(self) -> str:
        """The name of the cell."""

    @property
    def model(self) -> str:
        """The model that was measured."""

    @property
    def base_model(self) -> str | None:
        """The model's base, None for a base."""

    @property
    def measurement(self) -> str:
        """The kind of measurement."""

    @property
    def settings(self) -> dict[str, Any]:
        """The measurement's specification."""

    @property
    def result(self) -> Result:
        """The whole result; BadInput where its files are damaged."""


class Results(Protocol):
    """What `tuneshift.study.StudyResults` gives, as far as a report needs it."""

    @property
    def study(self) -> dict[str, Any]:
        """The study as it was run, with versions."""

    @property
    def table(self) -> pd.DataFrame:
        """The long table (`tuneshift.result.COLUMNS`)."""

    @property
    def cells(self) -> Sequence[Cell]:
        """Every finished cell."""

    @property
    def failures(self) -> Sequence[Any]:
        """What failed; the text of each says which model, which measurement and why."""

    @property
    def warnings(self) -> Sequence[str]:
        """What a reader must see."""

    @property
    def found(self) -> Findings:
        """What `findings_of` makes of it, made once."""

    @property
    def runs(self) -> Sequence[Run]:
        """Which models are checkpoints of one training run."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What every number means."""

    def pairs(self) -> pd.DataFrame:
        """Every tuned model against its base (`tuneshift.compare.pairs.PAIR_COLUMNS`)."""

    def correlations(self) -> pd.DataFrame:
        """Scores against size and abilities, over models."""

    def correlation_points(self) -> pd.DataFrame:
        """The points behind the correlations."""

    def layer_links(self) -> pd.DataFrame:
        """Per pair: change inside against change in brain score, over layers."""

    def layer_link_points(self) -> pd.DataFrame:
        """The points behind the links of layers."""
