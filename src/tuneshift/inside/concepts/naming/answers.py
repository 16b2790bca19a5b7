"""Answers kept on disk, so that no question is paid for twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pooch


class KeptAnswers:
    """A folder with one small file an answer, named by a checksum over endpoint, model, question, seed and try."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(pooch.os_cache("tuneshift")) / "names"

    def path(self, url: str, model: str, messages: Sequence[Mapping[str, str]], seed: int) -> Path:
        """Return where the answer to a question is kept."""
        content = json.dumps([url, model, list(messages), seed], sort_keys=True)
        name = hashlib.sha256(content.encode()).hexdigest()
        return self.folder / name[:2] / f"{name}.json"

    def get(self, path: Path) -> str | None:
        """Return a kept answer; None where there is none, or only a damaged file."""
        try:
            found = json.loads(path.read_text("utf-8"))["answer"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if isinstance(found, str) else None

    def put(self, path: Path, answer: str) -> None:
        """Keep an answer; the file appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"answer": answer}, file)
        os.replace(temporary, path)
