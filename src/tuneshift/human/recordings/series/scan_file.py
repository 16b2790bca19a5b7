"""What one file of scans holds, of whatever kind it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tuneshift.human.recordings.series.stated_time import StatedTime


@dataclass(frozen=True)
class Scans:
    """`values` (scans, targets); `regions` (targets,) or None; `along` holds further coordinates along targets.

    `stated` is the repetition time as the file writes it; `grid` says what the numbers in `along["voxel"]` count, so
    that those of two files can be compared; `notes` say what of the file was left out or taken for something else.
    """

    values: np.ndarray
    regions: np.ndarray | None = None
    along: dict[str, np.ndarray] = field(default_factory=dict)
    stated: StatedTime | None = None
    n_constant: int = 0
    notes: tuple[str, ...] = ()
    grid: str | None = None
