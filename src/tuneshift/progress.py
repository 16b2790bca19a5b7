"""How long work tells whoever waits how far it has come, without knowing who waits."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as `progress(what, done, total)`; `what` names the step in a few words."""


def silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody."""
