"""How many parameters a model has that lies on this machine, from the headers of its files: nothing is loaded."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.models.shards import SafetensorFiles
from tuneshift.models.source import source_of


def stored_parameters(ref: str) -> int | None:
    """Return the number of parameters that the safetensors files of a folder hold; of an adapter those of its base.

    None for what does not lie in a folder here, or cannot be read: that is said where it is loaded.
    """
    try:
        folder = source_of(ref).folder if _may_lie_here(ref) else None
        return _counted(folder) if folder is not None else None
    except (BadInput, OSError):
        return None


def _may_lie_here(ref: str) -> bool:
    """Whether a folder is meant: of a hub id nothing may be asked here, not even whether there is one."""
    return Path(ref).is_dir() or ("+" in ref and Path(ref.rpartition("+")[0]).is_dir())


@lru_cache(maxsize=256)
def _counted(folder: Path) -> int:
    return sum(math.prod(shape) for shape in SafetensorFiles(folder).shapes().values())
