"""A measurement in a few words, for tables, plans and people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from tuneshift.measurement import Specification

_PLAIN = ("data", "prompts", "split", "mapping", "form")
"""Settings whose value says enough without its name."""


def describe(measurement: Specification) -> str:
    """Return a measurement in a few words: its kind, its data, and every setting that is not the default."""
    settings = measurement.settings()
    defaults = {name: field.get_default(call_default_factory=True) for name, field in _fields(measurement).items()}
    plain = [_without_home(str(settings[name])) for name in _PLAIN if settings.get(name)]
    others = [
        f"{name}={_short(value)}"
        for name, value in settings.items()
        if name not in ("kind", *_PLAIN) and getattr(measurement, name, value) != defaults.get(name)
    ]
    return " ".join([measurement.kind, *plain, *others])


def _fields(measurement: Specification) -> dict[str, FieldInfo]:
    return {name: field for name, field in type(measurement).model_fields.items() if not field.is_required()}


def _without_home(name: str) -> str:
    """Return a name; of a file of one's own its folder and its name, which say enough and can be shown to anybody."""
    return "/".join(Path(name).parts[1:][-2:]) if Path(name).is_absolute() else name


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_short, value))
    return value.rsplit("/", 1)[-1] if isinstance(value, str) else str(value)
