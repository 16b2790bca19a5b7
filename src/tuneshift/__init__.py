"""tuneshift: what did instruction tuning change in a language model?

Names are imported when they are first used, so that `import tuneshift` and `tuneshift --help` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuneshift.brain import BrainAlignment, brain_alignment
    from tuneshift.errors import BadInput, MeasurementFailed, MissingExtra, TuneshiftError
    from tuneshift.human import load_data
    from tuneshift.inside import (
        PromptAttribution,
        attribute,
        compare_internals,
        feedforward_concepts,
        head_patterns,
        importance_density,
    )
    from tuneshift.models import LanguageModel
    from tuneshift.numerics.ridge import ridge_predictivity
    from tuneshift.reading import ReadingAlignment, reading_alignment
    from tuneshift.report import write_report
    from tuneshift.result import Result
    from tuneshift.study import Study, StudyResults, load_study, run

_HOMES = {
    "BadInput": "errors",
    "BrainAlignment": "brain",
    "LanguageModel": "models",
    "MeasurementFailed": "errors",
    "MissingExtra": "errors",
    "PromptAttribution": "inside",
    "ReadingAlignment": "reading",
    "Result": "result",
    "Study": "study",
    "StudyResults": "study",
    "TuneshiftError": "errors",
    "attribute": "inside",
    "brain_alignment": "brain",
    "compare_internals": "inside",
    "feedforward_concepts": "inside",
    "head_patterns": "inside",
    "importance_density": "inside",
    "load_data": "human",
    "load_study": "study",
    "reading_alignment": "reading",
    "ridge_predictivity": "numerics.ridge",
    "run": "study",
    "write_report": "report",
}

__all__ = [
    "BadInput",
    "BrainAlignment",
    "LanguageModel",
    "MeasurementFailed",
    "MissingExtra",
    "PromptAttribution",
    "ReadingAlignment",
    "Result",
    "Study",
    "StudyResults",
    "TuneshiftError",
    "attribute",
    "brain_alignment",
    "compare_internals",
    "feedforward_concepts",
    "head_patterns",
    "importance_density",
    "load_data",
    "load_model",
    "load_study",
    "reading_alignment",
    "ridge_predictivity",
    "run",
    "write_report",
]


def load_model(ref: str, **options: Any) -> LanguageModel:
    """Load a hub id, a local folder or an embedded model; options as in `LanguageModel.load`."""
    from tuneshift.models import LanguageModel

    return LanguageModel.load(ref, **options)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tuneshift' has no attribute {name!r}")
    return getattr(import_module(f"tuneshift.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
