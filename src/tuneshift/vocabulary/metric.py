"""Metric and Kind: what one number of the long table means, and what the measurement behind it asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

Role = Literal["score", "property", "control", "ceiling", "test", "detail"]
"""What a number is for.

score: how well a model does what is asked; property: what scores are held against over models (an ability); control:
what a score is judged by; ceiling: what it could reach; test: a p or a spread; detail: a part, a count, one layer.
"""
Direction = Literal["higher", "lower", ""]


@dataclass(frozen=True)
class Metric:
    """What one number means, declared once; everything that compares, sorts, draws or says it reads this.

    `name` stands in the column `metric`; `label` is its name in running text; `unit` what it is counted in. `where`
    (column -> values) marks the rows that are one number of a model, and `headline`, where it is given, those of them
    that findings speak of. `over` names what it is a sample of (participants, stories, prompts), `family` the claims
    that are corrected together, `chance` its value where there is nothing to find, `beside` the metrics that stand next
    to it (ceiling, control, twin), `direction` which is better. `what` ("how well ..."), `up` and `down` ("predict ...
    better") are its plain words. `movement` marks a number that says how far tuning moved a layer, `unmoved` its value
    where nothing moved; `linked` a score by layer that movement is held against; `follows` the metric whose order it
    repeats; `source` is the place in the papers.
    """

    name: str
    label: str
    unit: str = ""
    role: Role = "score"
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headline: Mapping[str, tuple[str, ...]] | None = None
    over: str = ""
    family: str = ""
    direction: Direction = ""
    what: str = ""
    up: str = ""
    down: str = ""
    chance: float | None = None
    beside: tuple[str, ...] = ()
    movement: bool = False
    unmoved: float = 0.0
    linked: bool = False
    follows: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise ValueError(f"metric {self.name}: the role {self.role!r} is none of {', '.join(get_args(Role))}")
        if self.direction not in get_args(Direction):
            raise ValueError(f"metric {self.name}: the direction {self.direction!r} is neither higher nor lower")

    @property
    def is_score(self) -> bool:
        """Whether it is a score of a model, which size and abilities may go with."""
        return self.role == "score"

    @property
    def axis(self) -> str:
        """What stands on an axis: the label, the unit, and which direction is better."""
        said = re.search(
            rf"(?<!\w){re.escape(self.unit)}(?!\w)", self.label
        )  # "r" stands in "brain score r", not in "reading"
        unit = f" ({self.unit})" if self.unit and not said else ""
        return f"{self.label}{unit}" + (f", {self.reads}" if self.reads else "")

    @property
    def reads(self) -> str:
        """Which direction is better, or which number says that nothing moved; "" where neither is known."""
        if self.direction:
            return f"{self.direction} is better"
        return f"{self.unmoved:g}: nothing moved" if self.movement else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values, without what is at its default."""
        defaults = Metric(self.name, self.label)
        found = {key: value for key, value in asdict(self).items() if value != getattr(defaults, key)}
        return {"name": self.name, "label": self.label} | {key: _plain(value) for key, value in found.items()}

    @classmethod
    def from_dict(cls, declared: Mapping[str, Any]) -> Metric:
        """Return the metric that `as_dict` wrote; raises ValueError (or TypeError) for anything else."""
        known = {one.name for one in fields(cls)}
        kept = {key: value for key, value in declared.items() if key in known}
        for key in ("where", "headline"):
            if kept.get(key) is not None:
                kept[key] = {str(column): tuple(map(str, values)) for column, values in dict(kept[key]).items()}
        kept["beside"] = tuple(map(str, kept.get("beside", ())))
        return cls(**kept)


@dataclass(frozen=True)
class Kind:
    """A kind of measurement: the word of study files, its title, the question it belongs to, and its metrics.

    `others` is the role of metrics that it yields and does not declare; `asks` is the question in one sentence; `measured_by` is "module:class" of our own measurements; `task` what a
    model card calls it; `tokens` how many tokens it reads, by order of magnitude (a backward pass counts as two more),
    and `seconds` what does not grow with the model (regressions, statistics).
    """

    name: str
    title: str
    question: str
    asks: str = ""
    metrics: tuple[Metric, ...] = ()
    measured_by: str = ""
    others: Role = "score"
    task: tuple[str, str] = ("", "")
    tokens: float = 0.0
    seconds: float = 1.0

    def metric(self, name: str) -> Metric | None:
        """Return its metric of a name, None where it declares none."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value
