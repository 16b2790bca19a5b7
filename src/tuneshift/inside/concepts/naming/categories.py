"""What a concept can be: the question that is put to a language model, and what its answer means (section 6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("phonology", "morphology", "syntax", "semantics")
"""Linguistic levels; a concept has at most one."""

TASKS = ("daily writing", "literary writing", "professional writing", "mathematics", "coding", "translation")
"""Kinds of task that a concept may serve; it may serve several."""

CATEGORIES = (*(("linguistic level", level) for level in LEVELS), *(("task", task) for task in TASKS))
"""Every category as (group, name), in the order of rows."""

_LONGEST_NAME = 120

_SYSTEM = (
    "You name the concept that a list of words has in common. The words come from inside a language model; most of "
    "them fit one concept, some do not. Answer with one JSON object and nothing else: "
    '{"concept": "a short description", "level": "...", "tasks": ["..."]}. '
    f'"level" is the linguistic level at which the words belong together: one of {", ".join(LEVELS)}, or "none". '
    f'"tasks" are the kinds of task that the concept serves most: any of {", ".join(TASKS)}; may be empty.'
)


@dataclass(frozen=True)
class Answer:
    """What one answer says of a component: its concept in few words, its linguistic level ("" for none), its tasks."""

    concept: str
    level: str
    tasks: tuple[str, ...]

    def holds(self, category: tuple[str, str]) -> bool:
        """Whether the concept belongs to a category of `CATEGORIES`."""
        group, name = category
        return self.level == name if group == "linguistic level" else name in self.tasks


def question(words: Sequence[str]) -> list[dict[str, str]]:
    """Return the messages that ask for the concept of words, those of largest projection first."""
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": "Words: " + ", ".join(words)}]


def read_answer(text: str) -> Answer | None:
    """Return what an answer says, None for a refusal or anything else that holds no concept.

    The JSON object may stand between other words; categories that were not offered are dropped.
    """
    found = _first_object(text)
    concept = " ".join(str(found.get("concept") or "").split()) if found else ""
    if not found or not concept:
        return None
    level, tasks = _known(found.get("level"), LEVELS), _known(found.get("tasks"), TASKS)
    return Answer(concept[:_LONGEST_NAME], level[0] if level else "", tasks)


def _first_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        start = text.find("{", start + 1)
    return None


def _known(given: Any, allowed: Sequence[str]) -> tuple[str, ...]:
    items = given if isinstance(given, list) else [given]
    said = {item.strip().lower() for item in items if isinstance(item, str)}
    return tuple(name for name in allowed if name in said)
