"""Names that were given before, kept on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tuneshift.endpoint import kept


class KeptAnswers(kept.KeptAnswers):
    """Answers by endpoint, model, question, seed and try; `folder` defaults to one in the user's cache."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder or kept.cache_folder("names"))

    def answer_path(self, url: str, model: str, messages: Sequence[Mapping[str, str]], seed: int) -> Path:
        """Return where the answer to a question is kept."""
        return self.path(url, model, [dict(message) for message in messages], seed)

    def answer(self, path: Path) -> str | None:
        """Return a kept answer; None where there is none that is a text."""
        found = self.get(path)
        return found if isinstance(found, str) else None
