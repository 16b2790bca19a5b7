"""Runs: tuned models that are checkpoints of one training run, which counts once wherever models are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Run:
    """Checkpoints of one training run on one base.

    `steps` are (model, step) in the order of steps; `base` is measured at `base_step`. `told_by` says where the steps
    were read, "" where the study declares them.
    """

    name: str
    base: str
    steps: tuple[tuple[str, int], ...]
    told_by: str = ""
    base_step: int = 0

    @property
    def models(self) -> tuple[str, ...]:
        """The checkpoints, in the order of their steps."""
        return tuple(model for model, _ in self.steps)

    @property
    def last(self) -> str:
        """The checkpoint that stands for the run."""
        return self.steps[-1][0]

    def step(self, model: str) -> int:
        """Return the step of a checkpoint, or that of the base."""
        return dict(self.steps).get(model, self.base_step)

    def as_dict(self) -> dict[str, Any]:
        """Return the run as JSON-ready values."""
        return {
            "run": self.name,
            "base": self.base,
            "steps": dict(self.steps),
            "told_by": self.told_by,
            "base_step": self.base_step,
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Run:
        """Return the run that `as_dict` wrote; raises KeyError, TypeError, ValueError or AttributeError for others."""
        steps = sorted(((str(model), int(step)) for model, step in written["steps"].items()), key=lambda one: one[1])
        if not steps:
            raise ValueError("a run without steps")
        told_by, base_step = str(written.get("told_by", "")), int(written.get("base_step", 0))
        return cls(str(written["run"]), str(written["base"]), tuple(steps), told_by, base_step)


def counted_once(rows: pd.DataFrame, runs: Sequence[Run]) -> pd.DataFrame:
    """Return the rows of a table without those of earlier checkpoints; every row keeps its place's number.

    Of a run whose last checkpoint has no row, the last that has one stays: what was not measured stands for nothing.
    """
    if not runs or rows.empty:
        return rows
    present = set(rows["model"].dropna().astype(str))
    measured = (tuple(model for model in run.models if model in present) for run in runs)
    left_out = {model for models in measured for model in models[:-1]}
    return rows[~rows["model"].isin(left_out).to_numpy(dtype=bool)]
