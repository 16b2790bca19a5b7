"""Reading times on a logarithmic scale, where a word that takes twice as long counts the same wherever it stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.reading_times.reading_ceiling import split_half
from tuneshift.human.reading_times.reading_times import ReadingTimes

UNIT = "log ms"


def log_times(times: ReadingTimes) -> ReadingTimes:
    """Return the natural logarithms of mean times, and of each reader's times, in "log ms".

    The ceiling is computed anew from the readers' times, since that of the times themselves is another one; it is
    unknown where the data have means only. Raises BadInput for amplitudes, which may be negative.
    """
    if times.unit != "ms":
        raise BadInput(f"{times.name} holds amplitudes in {times.unit}, which have no logarithm; leave out `log`.")
    words = times.words.assign(time=np.log(times.words["time"].astype(float)))
    said = f"{times.name}: scored are the natural logarithms of mean times ({UNIT})."
    alone, ceiling = None, None
    source = "unknown: the data have no times by reader, from which the ceiling of log times could be computed"
    if times.by_participant is not None:
        wide = times.by_participant.pivot(index="row", columns="participant", values="time").to_numpy(float)
        ceiling, source = split_half(wide, log=True)
        alone = times.by_participant.assign(time=np.log(times.by_participant["time"].astype(float)))
    return replace(
        times,
        words=words,
        by_participant=alone,
        ceiling=ceiling,
        ceiling_source=source,
        unit=UNIT,
        warnings=(*times.warnings, said),
    )
