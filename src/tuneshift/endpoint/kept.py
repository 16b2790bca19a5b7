"""Answers kept on disk, so that no question is paid for twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pooch


class KeptAnswers:
    """A folder with one small file an answer, named by a checksum over everything that the question says.

    `damaged` counts files that were there and could not be read: they are as good as none, and are written again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.damaged = 0

    def path(self, *question: Any) -> Path:
        """Return where the answer to a question, any JSON values, is kept."""
        name = hashlib.sha256(json.dumps(list(question), sort_keys=True).encode()).hexdigest()
        return self.folder / name[:2] / f"{name}.json"

    def get(self, path: Path) -> Any:
        """Return a kept answer; None where there is none, or only a damaged file."""
        try:
            return json.loads(path.read_text("utf-8"))["answer"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            self.damaged += 1
            return None

    def put(self, path: Path, answer: Any) -> None:
        """Keep an answer; the file appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"answer": answer}, file)
        os.replace(temporary, path)


def cache_folder(name: str) -> Path:
    """Return the folder of that name in the user's cache."""
    return Path(pooch.os_cache("tuneshift")) / name
