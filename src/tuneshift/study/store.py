"""Store: a folder of finished cells that a killed run, a full disk or a second run cannot spoil."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.result import Result
from tuneshift.study.cell import decode_result, json_bytes, json_ready, sha256

FORMAT = 1
MANIFEST = "cell.json"
_WRITING, _OLD, _DAMAGED = ".writing-", ".old-", ".damaged"


class DamagedCell(Exception):
    """A stored cell does not match its checksums; the message says which file."""


@dataclass(frozen=True)
class StoredCell:
    """A cell as stored: `manifest` (fingerprint, model, settings, versions, seconds, facts) and its `files`."""

    manifest: dict[str, Any]
    files: dict[str, bytes]

    @property
    def result(self) -> Result:
        """The result, decoded."""
        return decode_result(self.files)


class Store:
    """The output folder of a study: `cells/<fingerprint>/`, each written under another name, flushed and renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.cells = self.folder / "cells"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one run, and clear away what killed runs left half-written.

        Raises BadInput where another run holds it, MeasurementFailed where the folder cannot be written.
        """
        with clear_words(self.folder):
            self.cells.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise BadInput(
                f"{self.folder} is in use by another run{self._who()}: wait until it ends, or give another folder "
                "with --out."
            ) from None
        except OSError as error:
            raise MeasurementFailed(f"{self.folder} cannot be locked: {error}") from error
        owner = self.folder / ".running.json"
        try:
            facts = {"process": os.getpid(), "machine": socket.gethostname(), "since": _now()}
            write_atomically(owner, json_bytes(facts))
            self._clear_leftovers()
            yield
        finally:
            with suppress(OSError):
                owner.unlink(missing_ok=True)
            lock.release()

    def fingerprints(self) -> set[str]:
        """Return the fingerprints of all finished cells (their content is not read)."""
        if not self.cells.is_dir():
            return set()
        with os.scandir(self.cells) as entries:
            return {entry.name for entry in entries if not entry.name.startswith(".")}

    def write(self, fingerprint: str, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
        """Write one cell so that it is there wholly or not at all, replacing an older one of this fingerprint.

        Raises MeasurementFailed where the disk is full or the folder cannot be written.
        """
        whole = {
            **json_ready(manifest),
            "format": FORMAT,
            "fingerprint": fingerprint,
            "files": {name: sha256(content) for name, content in files.items()},
        }
        whole["sha256"] = sha256(json_bytes(whole))
        writing = self.cells / f"{_WRITING}{fingerprint}-{os.getpid()}"
        with clear_words(self.folder):
            try:
                shutil.rmtree(writing, ignore_errors=True)
                writing.mkdir(parents=True)
                contents = {**files, MANIFEST: json_bytes(whole)}
                for name, content in contents.items():
                    _write(writing / name, content)
                for name in contents:  # only now: the first flush takes the other files along
                    _flush(writing / name)
                _flush_folder(writing)
                self._replace(fingerprint, writing)
            except BaseException:
                shutil.rmtree(writing, ignore_errors=True)
                raise

    def read(self, fingerprint: str) -> StoredCell:
        """Read one cell and check every byte; DamagedCell where something is missing or changed."""
        _require_plain(fingerprint)
        folder = self.cells / fingerprint
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            claimed = manifest.pop("sha256")
            if sha256(json_bytes(manifest)) != claimed or manifest["fingerprint"] != fingerprint:
                raise DamagedCell(f"{MANIFEST} does not match its checksum")
            files = {}
            for name, checksum in manifest["files"].items():
                _require_plain(name)
                files[name] = (folder / name).read_bytes()
                if sha256(files[name]) != checksum:
                    raise DamagedCell(f"{name} does not match its checksum")
        except FileNotFoundError as error:
            raise DamagedCell(f"{Path(error.filename or '?').name} is missing") from error
        except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
            raise DamagedCell(f"{MANIFEST} cannot be read") from error
        if manifest["format"] > FORMAT:
            raise BadInput(
                f"{folder} was written by a newer tuneshift (format {manifest['format']}, this one knows {FORMAT}); "
                "update tuneshift, or give another folder."
            )
        return StoredCell(manifest, files)

    def set_aside(self, fingerprint: str) -> Path:
        """Move a damaged cell to `cells/.damaged/` and return where it lies now."""
        target = self.cells / _DAMAGED / f"{fingerprint}-{time.time_ns()}"
        with clear_words(self.folder):
            target.parent.mkdir(exist_ok=True)
            os.rename(self.cells / fingerprint, target)
            _flush_folder(self.cells)
        return target

    def _replace(self, fingerprint: str, written: Path) -> None:
        final, old = self.cells / fingerprint, self.cells / f"{_OLD}{fingerprint}"
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.rename(final, old)
        os.rename(written, final)
        _flush_folder(self.cells)
        shutil.rmtree(old, ignore_errors=True)

    def _clear_leftovers(self) -> None:
        for entry in list(os.scandir(self.cells)):
            if entry.name.startswith((_WRITING, _OLD)):
                shutil.rmtree(entry.path, ignore_errors=True)
        for left in self.folder.glob(f"{_WRITING}*"):
            left.unlink(missing_ok=True)

    def _who(self) -> str:
        try:
            owner = json.loads((self.folder / ".running.json").read_bytes())
            return f" (process {owner['process']} on {owner['machine']}, since {owner['since']})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def _require_plain(name: str) -> None:
    """A results folder may come from anyone: no name in it may lead out of it."""
    if Path(name).name != name or "\\" in name or "\0" in name:
        raise DamagedCell(f"{name!r:.80} is no name of a cell or of its file")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part; MeasurementFailed on a full disk."""
    writing = path.with_name(f"{_WRITING}{path.name}-{os.getpid()}")
    with clear_words(path.parent):
        try:
            _write(writing, content)
            _flush(writing)
            os.replace(writing, path)
            _flush_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                writing.unlink(missing_ok=True)
            raise


@contextmanager
def clear_words(folder: Path) -> Iterator[None]:
    """Turn what a file system refuses into MeasurementFailed with one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MeasurementFailed(
                f"the disk that holds {folder} is full: nothing was half-written and what was finished is kept; "
                "free some space and run the same command again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise BadInput(f"{folder} cannot be written ({error.strerror}); give another folder with --out.") from error
        raise


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _flush(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Flush a folder's entries; some systems cannot open folders, and need no flush there."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
