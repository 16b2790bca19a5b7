"""DataSet: where a data set comes from, under which licence, and how it is loaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pooch

from tuneshift.errors import BadInput
from tuneshift.human.download import check_name, check_source, fetched
from tuneshift.human.prompts.prompts import PromptSet
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.recordings.recording import Recording
from tuneshift.notebook import facts

DATA_FOLDER_VARIABLE = "TUNESHIFT_DATA"


@dataclass(frozen=True)
class Source:
    """One file of a data set: `path` below the data folder, public `url`, `known_hash` ("sha256:..." or "sha1:...").

    A download stops beyond `most_bytes`. Where its authors publish no hash, `known_hash` is "": the hash of the first
    download is then kept beside it and checked from there on, and the reader must check what it holds. Raises
    BadInput for a path that could leave its folder, a url that is not https, or another kind of hash.
    """

    path: str
    url: str
    known_hash: str
    most_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        check_source(self.path, self.url, self.known_hash)


@dataclass(frozen=True)
class DataSet:
    """A named data set; `load()` gives a Recording, ReadingTimes or PromptSet.

    `reader` gets a function that turns a source's `path` into a checked local file. Raises BadInput where `name` or
    `cache` is no plain name.
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

    def __post_init__(self) -> None:
        check_name(self.name, "name of a data set")
        if self.cache:
            check_name(self.cache, f"cache folder of data set {self.name}")

    def _repr_html_(self) -> str:
        rows = {
            "kind": self.kind,
            "on this machine": "yes" if self.is_here() else f"no: `tuneshift data {self.name} --fetch`",
            "licence": self.licence,
            "citation": self.citation,
            "releases": self.releases,
            "notes": self.notes,
        }
        return facts(self.name, rows)

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
            cached = fetched(
                source.url, source.known_hash, self._folder(), source.path.replace("/", "__"), source.most_bytes
            )
        except Exception as error:
            raise BadInput(
                f"data set {self.name}: {path} is not here and could not be downloaded from {source.url} "
                f"({error}); set {DATA_FOLDER_VARIABLE} to a folder that holds {path}, or connect to the network."
            ) from error
        if not source.known_hash:
            _first_hash(cached).write_text(f"sha256:{_digest(cached)}\n", encoding="utf-8")
        return cached

    def checked_files(self) -> list[Path]:
        """Return the checked local paths of all source files, downloading those that are nowhere; raises as `file`."""
        return [self.file(source.path) for source in self.sources]

    def local_file(self, source: Source) -> Path | None:
        """Return where the file lies in the data folder or the cache, None where it is in neither."""
        folder = os.environ.get(DATA_FOLDER_VARIABLE)
        places = [Path(folder) / source.path] if folder else []
        places.append(self._folder() / source.path.replace("/", "__"))
        return next((place for place in places if place.is_file()), None)

    def is_here(self) -> bool:
        """Whether every source file lies on this machine (checksums are not read)."""
        return all(self.local_file(source) is not None for source in self.sources)

    def checksum(self) -> str:
        """Return one sha256 over the names and hashes of all sources: the known ones, else those of the files here."""
        lines = "\n".join(f"{s.path} {s.known_hash or self._hash_here(s)}" for s in self.sources)
        return hashlib.sha256(f"{self.name}\n{lines}".encode()).hexdigest()

    def _folder(self) -> Path:
        return Path(pooch.os_cache("tuneshift")) / "data" / (self.cache or self.name)

    def _hash_here(self, source: Source) -> str:
        found = self.local_file(source)
        return f"sha256:{_digest(found)}" if found else ""

    def _check(self, source: Source, path: Path) -> None:
        known = source.known_hash
        if not known:
            first = _first_hash(path)
            if not first.is_file():
                return
            known = first.read_text(encoding="utf-8").strip()
        algorithm, _, wanted = known.partition(":")
        found = pooch.file_hash(str(path), alg=algorithm)
        if found != wanted:
            raise BadInput(
                f"data set {self.name}: {source.path} has {algorithm} {found[:12]}..., not {wanted[:12]}...: "
                f"the file is damaged or another release; delete {path} and fetch the data set again."
            )


def _first_hash(path: Path) -> Path:
    return path.with_name(f"{path.name}.hash")


def _digest(path: Path) -> str:
    stamp = path.stat()
    return _digest_of(path, stamp.st_size, stamp.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(path: Path, size: int, modified: int) -> str:
    """Size and time of change are part of the key, so that a file that changes is read again."""
    return str(pooch.file_hash(str(path), alg="sha256"))
