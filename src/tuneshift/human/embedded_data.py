"""EmbeddedDataSet: a data set that was made for this project and travels inside the package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.human.dataset import DataSet

FOLDER = Path(__file__).parent / "embedded"


def embedded_file(name: str) -> Path:
    """Return the path of a file in the package's own data; raises BadInput where the installation lacks it."""
    path = FOLDER / name
    if not path.is_file():
        raise BadInput(f"{path} is missing from the installed package; install tuneshift again.")
    return path


@dataclass(frozen=True)
class EmbeddedDataSet(DataSet):
    """A data set whose `files` lie in the package: nothing to download, and its checksum is that of their contents."""

    files: tuple[str, ...] = ()

    def file(self, path: str) -> Path:
        """Return the path of one of the package's own files."""
        return embedded_file(path)

    def is_here(self) -> bool:
        """Whether every file is part of this installation."""
        return all((FOLDER / name).is_file() for name in self.files)

    def checksum(self) -> str:
        """Return one sha256 over the names and contents of all files."""
        digest = hashlib.sha256(self.name.encode())
        for name in self.files:
            digest.update(f"\n{name} ".encode() + hashlib.sha256(embedded_file(name).read_bytes()).digest())
        return digest.hexdigest()
