"""What a page that is mailed must not tell: in which folders of whose machine the files lie."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from markupsafe import Markup

_PART = r"[^/\\\s\"'`()\[\]{}<>|,;:]+"
_PATH = re.compile(
    rf"(?<![^\s\"'`(\[=+:>])(?:/(?:home|Users|root|tmp)/{_PART}|/{_PART}/{_PART}(?=/)|[A-Za-z]:\\{_PART})(?:[/\\]{_PART})*"
)
_KEPT = 2
"""So many last parts of a path say enough: a run's name and a checkpoint's, a folder and a file in it."""


def without_folders(value: Any) -> Any:
    """Return texts, and whatever holds texts, with every absolute path cut to its last two parts.

    A text that is a path as a whole may hold blanks; within a sentence a path ends where one stands. Web addresses and
    relative paths stay, and so do numbers and arrays.
    """
    if isinstance(value, Markup):  # a picture stays a picture: as a plain text the page would show its source
        return Markup(_PATH.sub(lambda found: _last_parts(found.group()), str(value)))
    if isinstance(value, str):
        return value if value.startswith("data:") else _cut(value)  # the letters of a picture are no path
    if isinstance(value, dict):
        return {key: without_folders(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        first = next((item for item in value if item is not None), None)
        if isinstance(first, int | float):
            return value
        changed = [without_folders(item) for item in value]
        return tuple(changed) if type(value) is tuple else changed if type(value) is list else value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: without_folders(getattr(value, field.name)) for field in fields(value)})
    return value


def _cut(text: str) -> str:
    if "/" not in text and "\\" not in text:
        return text
    if text.startswith("/") and text.count("/") > _KEPT and "\n" not in text and "//" not in text:
        return _last_parts(text)
    return _PATH.sub(lambda found: _last_parts(found.group()), text)


def _last_parts(path: str) -> str:
    parts = [part for part in re.split(r"[/\\]", path) if part]
    return "/".join(parts[-_KEPT:] if len(parts) > _KEPT else parts[-1:])
