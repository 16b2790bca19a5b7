"""PromptSet: prompts, what marks their instruction, and reference responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Prompt:
    """One prompt; `instruction_spans` are (start, end) character offsets of the instruction within `text`."""

    name: str
    text: str
    instruction_spans: tuple[tuple[int, int], ...] = ()
    response: str | None = None
    task: str | None = None


@dataclass(frozen=True)
class PromptSet:
    """Prompts of one source; `followed(prompt, response)` decides by program, None where no program can.

    `notes` are sentences about how the source was read, for every result that is made of it.
    """

    name: str
    prompts: tuple[Prompt, ...]
    checksum: str
    followed: Callable[[Prompt, str], bool | None] = field(default=lambda prompt, response: None)
    notes: tuple[str, ...] = ()
