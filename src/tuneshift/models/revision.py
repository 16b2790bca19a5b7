"""Which weights a model name means: a revision that changes when, and only when, the model does."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from tuneshift.errors import BadInput, nearest
from tuneshift.models.embedded_models import embedded_folder, embedded_names

_IDENTITY_FILES = ("*.safetensors", "config.json", "tokenizer.json", "tokenizer.model", "chat_template.jinja")


def model_revision(ref: str, revision: str | None = None) -> str:
    """Return the revision of a hub id (commit), a local folder or an embedded model (sha256 of its files).

    Weights are read, not loaded; on the hub only the commit is asked for, and a cached copy answers offline.
    Raises BadInput where nothing of that name can be found.
    """
    folder = local_folder(ref)
    if folder is not None:
        return folder_revision(folder)
    return _hub_revision(ref, revision)


def local_folder(ref: str) -> Path | None:
    """Return the folder that an embedded name or a path means, None for a hub id."""
    found = embedded_folder(ref)
    return Path(ref) if found is None and ref and _is_folder(ref) else found


def _is_folder(ref: str) -> bool:
    try:
        return Path(ref).is_dir()
    except OSError:  # a name longer than any file system takes
        return False


def folder_revision(folder: Path) -> str:
    """Return "sha256:" and 16 digits over the content of weights, configuration and tokenizer of a model folder."""
    paths = sorted({path for pattern in _IDENTITY_FILES for path in folder.glob(pattern)})
    digest = hashlib.sha256()
    for path in paths:
        stat = os.stat(path)
        digest.update(f"{path.name} {_sha256(path.resolve(), stat.st_size, stat.st_mtime_ns)}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hub_revision(ref: str, revision: str | None) -> str:
    from huggingface_hub import HfApi, try_to_load_from_cache

    cached = try_to_load_from_cache(ref, "config.json", revision=revision or "main") if "/" in ref else None
    if isinstance(cached, str):
        return Path(cached).parent.name  # .../snapshots/<commit>/config.json
    try:
        info = HfApi().model_info(ref, revision=revision)
    except Exception as error:
        raise BadInput(
            f"model {ref!r} is no embedded model{nearest(ref, embedded_names())}, no folder, and could not be found on "
            f"the hub ({str(error).splitlines()[0] if str(error) else type(error).__name__})."
        ) from error
    return str(info.sha)
