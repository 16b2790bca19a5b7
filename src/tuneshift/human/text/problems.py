"""Problem: what is wrong with a file of the user's, in one sentence; refused where it cannot be measured with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput


@dataclass(frozen=True)
class Problem:
    """One sentence that names the row, column or coordinate; `fatal` where the file cannot be used as it is."""

    sentence: str
    fatal: bool = True

    def __str__(self) -> str:
        return self.sentence if self.fatal else f"warning: {self.sentence}"


def refuse(path: Path, problems: Sequence[Problem]) -> None:
    """Raise BadInput with the first fatal problem of a file, and how many more `tuneshift data check` would list."""
    fatal = [problem.sentence for problem in problems if problem.fatal]
    if fatal:
        more = f" ({len(fatal) - 1} more: `tuneshift data check {path}` lists them)" if len(fatal) > 1 else ""
        raise BadInput(f"{path}: {fatal[0]}{more}.")


def some(names: Sequence[object] | np.ndarray, most: int = 3) -> str:
    """Return the first few names on one line, and ", ..." where there are more."""
    shown = ", ".join(" ".join(str(name).split()) for name in list(names)[:most])
    return shown + (", ..." if len(names) > most else "")
