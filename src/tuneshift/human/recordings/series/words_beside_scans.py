"""Whether the words of a passage and its scans can be on one clock, in one unit."""

from __future__ import annotations

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.scan_times import far_after
from tuneshift.human.recordings.series.recipe import SeriesRecipe
from tuneshift.human.text.transcript import SpokenWord

_RESPONSE = 32.0  # seconds that a haemodynamic response lasts


def words_beside_scans(
    recipe: SeriesRecipe, passage: str, heard: list[SpokenWord], n_scans: int, repetition_time: float
) -> list[str]:
    """Return in sentences which words the scans do not reach, and which scans lie long after the last word.

    `n_scans` are those of the participant who has most. Raises BadInput where the words lie elsewhere, or the last of
    them far behind the last scan: a repetition time or word times in another unit look like this.
    """
    own = recipe.first_scan + repetition_time * (recipe.discard + np.arange(n_scans))
    ends = np.array([word.offset for word in heard])
    where = (
        f"passage {passage!r}: its words end from {ends.min():g} to {ends.max():g} s, its scans go from {own[0]:g} to "
        f"{own[-1]:g} s"
    )
    if ends.max() < own[0] - _RESPONSE or ends.min() > own[-1]:
        raise BadInput(f"{where}; are both in seconds, on one clock (`first_scan`, `words.shift`)?")
    if far_after(float(ends.max()), float(own[0]), float(own[-1] + repetition_time)):
        raise BadInput(
            f"{where}: the last word comes long after them. Is the repetition time right ({repetition_time:g} s), are "
            "words in seconds on the same clock (`first_scan`, `words.shift`)? If scanning stopped early, take out the "
            "words after it."
        )
    told = []
    late = int((own > ends.max() + _RESPONSE).sum())
    if late > n_scans / 2:
        told.append(
            f"passage {passage}: {late} of {n_scans} scans lie more than {_RESPONSE:g} s after the last word; is the "
            f"repetition time right ({repetition_time:g} s)?"
        )
    return told
