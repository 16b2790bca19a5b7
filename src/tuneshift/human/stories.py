"""The project's own short stories, which the simulated participants read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import yaml

from tuneshift.human.embedded_data import embedded_file

FILE = "stories.yaml"


@dataclass(frozen=True)
class Story:
    """A short story as its sentences, in reading order."""

    name: str
    sentences: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """All words in reading order, as printed, with their punctuation."""
        return tuple(word for sentence in self.sentences for word in sentence.split())


@cache
def stories() -> tuple[Story, ...]:
    """Return the stories in the order of the file."""
    entries = yaml.safe_load(embedded_file(FILE).read_text(encoding="utf-8"))
    return tuple(Story(entry["name"], tuple(entry["sentences"])) for entry in entries)
