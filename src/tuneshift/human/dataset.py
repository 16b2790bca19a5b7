"""DataSet: where a data set comes from, under which licence, and how it is loaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch

from tuneshift.errors import BadInput
from tuneshift.human.prompts import PromptSet
from tuneshift.human.reading_times import ReadingTimes
from tuneshift.human.recording import Recording

DATA_FOLDER_VARIABLE = "TUNESHIFT_DATA"


@dataclass(frozen=True)
class Source:
    """One file of a data set: `path` below the data folder, public `url`, `known_hash` ("sha256:..." or "sha1:...")."""

    path: str
    url: str
    known_hash: str


@dataclass(frozen=True)
class DataSet:
    """A named data set; `load()` gives a Recording, ReadingTimes or PromptSet.

    `reader` gets a function that turns a source's `path` into a checked local file.
    """

    name: str
    kind: str  # "brain", "reading" or "prompts"
    citation: str
    licence: str
    sources: tuple[Source, ...]
    reader: Callable[..., Recording | ReadingTimes | PromptSet]
    bibtex: str = ""
    notes: str = ""
    releases: tuple[str, ...] = ()
    cache: str = ""  # folder within the cache that data sets of one file share; by default the name

    def load(self, release: str | None = None) -> Recording | ReadingTimes | PromptSet:
        """Read the data set from the data folder, the cache or (downloading) its public source.

        Raises BadInput where a file is missing and cannot be downloaded, its checksum is wrong, or the data set has no
        such release.
        """
        if release is None:
            return self.reader(self.file)
        if release not in self.releases:
            raise BadInput(
                f"data set {self.name} has no release {release!r}; it has {', '.join(self.releases) or 'only one'}."
            )
        return self.reader(self.file, release=release)

    def file(self, path: str) -> Path:
        """Return the checked local path of one source file, downloading it where it is nowhere."""
        source = next(s for s in self.sources if s.path == path)
        found = self.local_file(source)
        if found is not None:
            self._check(source, found)
            return found
        try:
            cached = pooch.retrieve(
                source.url,
                known_hash=source.known_hash,
                path=_cache_folder() / (self.cache or self.name),
                fname=path.replace("/", "__"),
            )
        except Exception as error:
            raise BadInput(
                f"data set {self.name}: {path} is not here and could not be downloaded from {source.url} "
                f"({error}); set {DATA_FOLDER_VARIABLE} to a folder that holds {path}, or connect to the network."
            ) from error
        return Path(cached)

    def local_file(self, source: Source) -> Path | None:
        """Return where the file lies in the data folder or the cache, None where it is in neither."""
        folder = os.environ.get(DATA_FOLDER_VARIABLE)
        places = [Path(folder) / source.path] if folder else []
        places.append(_cache_folder() / (self.cache or self.name) / source.path.replace("/", "__"))
        return next((place for place in places if place.is_file()), None)

    def is_here(self) -> bool:
        """Whether every source file lies on this machine (checksums are not read)."""
        return all(self.local_file(source) is not None for source in self.sources)

    def checksum(self) -> str:
        """Return one sha256 over the names and known hashes of all sources."""
        lines = "\n".join(f"{s.path} {s.known_hash}" for s in self.sources)
        return hashlib.sha256(f"{self.name}\n{lines}".encode()).hexdigest()

    def _check(self, source: Source, path: Path) -> None:
        algorithm, _, wanted = source.known_hash.partition(":")
        found = pooch.file_hash(str(path), alg=algorithm)
        if found != wanted:
            raise BadInput(
                f"data set {self.name}: {path} has {algorithm} {found[:12]}..., not {wanted[:12]}...: "
                "the file is damaged or another release; delete it and fetch the data set again."
            )


def _cache_folder() -> Path:
    return Path(pooch.os_cache("tuneshift")) / "data"
