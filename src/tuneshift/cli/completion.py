"""Words that the shell completes: names of models and data sets, read from file names so that <Tab> stays quick."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("tuneshift")))


def complete_model(incomplete: str) -> list[str]:
    """Return the embedded models, and the registry's hub ids, that begin with what is typed."""
    embedded = [path.parent.name for path in (_PACKAGE / "models" / "embedded").glob("*/config.json")]
    return _beginning(incomplete, [*embedded, *(_registry("hub_id") if incomplete else [])])


def complete_card(incomplete: str) -> list[str]:
    """Return the names of the registry's models that begin with what is typed."""
    return _beginning(incomplete, _registry("name"))


def complete_data(incomplete: str) -> list[str]:
    """Return the data sets that begin with what is typed: each file of `human/datasets` is named as its data set."""
    own = [path.stem for path in (_PACKAGE / "human" / "datasets").glob("*.py") if not path.stem.startswith("_")]
    others = [entry.name for entry in entry_points(group="tuneshift.data_sets")]
    return _beginning(incomplete, [*own, *others])


def _registry(key: str) -> list[str]:
    import yaml

    rows = yaml.safe_load((_PACKAGE / "models" / "registry.yaml").read_text(encoding="utf-8"))["models"]
    return [row[key] for row in rows if row.get(key)]


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
