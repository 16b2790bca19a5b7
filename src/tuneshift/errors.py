"""What can go wrong, said in one sentence: what was wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TuneshiftError(Exception):
    """Any error that tuneshift raises on purpose; `exit_code` is what the command line ends with."""

    exit_code = 1


class BadInput(TuneshiftError):
    """The user's file, key, name or value cannot be used; the message names it and says what to do."""

    exit_code = 2


class MeasurementFailed(TuneshiftError):
    """A measurement could not be finished though its input was good (memory, a model that will not load)."""


class MissingExtra(BadInput):
    """An optional package is not installed; the message gives the one line that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: run `pip install 'tuneshift[{extra}]'` and try again.")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" for the known name nearest to `name`, or "" where none is near."""
    match = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else ""


def first_line(error: BaseException) -> str:
    """Return the line of somebody else's error that says most: its first, with the next where that only announces it.

    An error without words gives the name of its kind, a KeyError that name and the key.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines or isinstance(error, KeyError):
        return f"{type(error).__name__} {error}".strip()
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
