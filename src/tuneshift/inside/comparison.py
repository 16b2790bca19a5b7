"""Everything that tuning moved inside one pair of models: heads, feed-forward layers, hidden states."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tuneshift.inside.concepts.measurement import FeedforwardConcepts
from tuneshift.inside.concepts.shift import concept_shift
from tuneshift.inside.heads.measurement import HeadPatterns
from tuneshift.inside.heads.shift import head_shift
from tuneshift.inside.states.shift import state_shift
from tuneshift.measurement import of_model
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights
from tuneshift.progress import Progress, silent
from tuneshift.result import Result


def compare_internals(
    base: LanguageModel | Weights,
    tuned: LanguageModel | Weights,
    *,
    heads: HeadPatterns | None = None,
    concepts: FeedforwardConcepts | None = None,
    documents: Sequence[Sequence[str]] | None = None,
    progress: Progress = silent,
) -> Result:
    """Compare a tuned model with its base, layer by layer, under measurement `internals` (methods, sections 5 to 7).

    Rows of `head_shift`, `concept_shift` and, where both are loaded models and no mere files, of `state_shift` (on
    `documents`, lists of sentences; default the project's own stories). Raises BadInput where the two are no pair:
    another architecture, other sizes, another tokenizer, quantised weights.
    """
    parts = [
        head_shift(base, tuned, heads, progress=progress),
        concept_shift(base, tuned, concepts, progress=progress),
    ]
    if isinstance(base, LanguageModel) and isinstance(tuned, LanguageModel):
        parts.append(state_shift(base, tuned, documents, progress=progress))
    found = Result(
        table=pd.concat([part.table for part in parts], ignore_index=True),
        arrays={name: array for part in parts for name, array in part.arrays.items()},
        warnings=tuple(dict.fromkeys(warning for part in parts for warning in part.warnings)),
        details={key: value for part in parts for key, value in part.details.items()},
    ).with_columns(measurement="internals")
    return of_model(found, tuned, base)
