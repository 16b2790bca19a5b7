"""Which measurement a study file's `kind` means: those of this package, and those that other packages register."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from tuneshift.errors import BadInput, nearest
from tuneshift.measurement import Specification
from tuneshift.vocabulary import OUR_KINDS

ENTRY_POINT_GROUP = "tuneshift.measurements"

_BUILT_IN = {kind.name: kind.measured_by for kind in OUR_KINDS}
_registered: dict[str, type[Specification]] = {}


def register(measurement: type[Specification]) -> type[Specification]:
    """Make a measurement of your own known to study files under its `kind`; usable as a class decorator.

    A package does it for all its users with an entry point in the group `tuneshift.measurements`.
    """
    _registered[measurement.model_fields["kind"].default] = measurement
    return measurement


def known_kinds() -> tuple[str, ...]:
    """Return every `kind` that a study file may use."""
    found = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return tuple(sorted({*_BUILT_IN, *_registered, *found}))


def measurement_class(kind: str) -> type[Specification]:
    """Return the class of a kind; BadInput, with the nearest known one, for a kind that nobody registered."""
    if kind in _registered:
        return _registered[kind]
    if kind in _BUILT_IN:
        module, _, name = _BUILT_IN[kind].partition(":")
        found: type[Specification] = getattr(import_module(module), name)
        return found
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if entry.name == kind:
            loaded: type[Specification] = entry.load()
            return loaded
    kinds = known_kinds()
    raise BadInput(f"unknown measurement kind {kind!r}{nearest(kind, kinds)}; known are {', '.join(kinds)}.")


def normal_form(specification: Any) -> dict[str, Any]:
    """Return a specification with its `kind`: `brain`, `{brain: {data: x}}` and `{kind: brain, data: x}` mean the same.

    Raises BadInput for anything else.
    """
    if isinstance(specification, str):
        return {"kind": specification}
    if isinstance(specification, Mapping):
        if "kind" in specification:
            return dict(specification)
        if len(specification) == 1:
            kind, rest = next(iter(specification.items()))
            if isinstance(rest, Mapping | None):
                return {"kind": kind, **(rest or {})}
    raise BadInput(
        f"a measurement is written `{{kind: brain, data: NAME}}` or `brain: {{data: NAME}}`, not {specification!r}."
    )
