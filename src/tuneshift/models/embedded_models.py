"""The fable family: small real language models that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_FOLDER = Path(str(files("tuneshift.models"))) / "embedded"


def embedded_names() -> tuple[str, ...]:
    """Return the names of the models that come with the package."""
    return tuple(sorted(folder.name for folder in _FOLDER.iterdir() if (folder / "config.json").is_file()))


def embedded_folder(name: str) -> Path | None:
    """Return the folder of an embedded model, None where no embedded model has that name."""
    return _FOLDER / name if name in embedded_names() else None
