"""The vocabulary: every kind of measurement and every metric of a study, ours and those that came from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tuneshift.vocabulary.ability import ABILITY
from tuneshift.vocabulary.brain import BRAIN
from tuneshift.vocabulary.inside import ATTRIBUTION, CONCEPTS, HEADS, INTERNALS
from tuneshift.vocabulary.metric import Kind, Metric
from tuneshift.vocabulary.reading import READING

OUR_KINDS = (BRAIN, READING, ATTRIBUTION, INTERNALS, HEADS, CONCEPTS, ABILITY)
QUESTIONS = {
    "brains": "Brains",
    "reading": "Reading",
    "prompts": "Prompts",
    "inside": "Inside",
    "other": "Other measurements",
    "across": "Across models",
}
"""The questions of a report, in their order; what comes from outside and names none of them is asked under "other"."""


class Vocabulary:
    """The kinds and metrics that a study knows, by name; what nobody declared is a score that goes by its own name."""

    def __init__(self, kinds: Iterable[Kind] = OUR_KINDS) -> None:
        self._kinds = {kind.name: kind for kind in kinds}

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind, ours first."""
        return tuple(self._kinds.values())

    def kind(self, name: Any) -> Kind:
        """Return the kind of a measurement by the word of study files."""
        name = str(name)
        return self._kinds.get(name) or Kind(name, name.replace("_", " ").capitalize(), "other")

    def metric(self, measurement: Any, name: Any) -> Metric:
        """Return what a metric of a measurement means."""
        name = str(name)
        kind = self.kind(measurement)
        return kind.metric(name) or Metric(name, name.replace("_", " "), role=kind.others)

    def label(self, measurement: Any, name: Any) -> str:
        """Return a metric in running text."""
        return self.metric(measurement, name).label

    def movement(self, name: str) -> Metric | None:
        """Return the metric of that name that says how far a layer moved, whichever measurement yields it."""
        return next((m for kind in self.kinds for m in kind.metrics if m.name == name and m.movement), None)

    def with_kinds(self, kinds: Iterable[Kind]) -> Vocabulary:
        """Return the same vocabulary with these kinds besides; a kind of ours is never replaced."""
        ours = {kind.name for kind in OUR_KINDS}
        return Vocabulary([*self.kinds, *(kind for kind in kinds if kind.name not in ours)])

    def declared(self) -> dict[str, Any]:
        """Return what came from outside as JSON-ready values: kind -> title, question and metrics."""
        ours = {kind.name for kind in OUR_KINDS}
        return {
            kind.name: {
                "title": kind.title,
                "question": kind.question,
                "asks": kind.asks,
                "metrics": [metric.as_dict() for metric in kind.metrics],
            }
            for kind in self.kinds
            if kind.name not in ours
        }

    @classmethod
    def of_declared(cls, declared: Any) -> Vocabulary:
        """Return our vocabulary with what `declared` wrote; raises ValueError or TypeError for anything else."""
        if not isinstance(declared, Mapping):
            return cls()
        kinds = [
            Kind(
                str(name),
                str(one.get("title") or name),
                str(one.get("question") or "other"),
                str(one.get("asks") or ""),
                tuple(Metric.from_dict(metric) for metric in one.get("metrics", ())),
            )
            for name, one in declared.items()
        ]
        return cls().with_kinds(kinds)


@cache
def ours() -> Vocabulary:
    """Return the vocabulary of this package alone."""
    return Vocabulary()
