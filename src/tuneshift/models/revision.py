"""Which weights a model name means: a revision that changes when, and only when, the model does."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from tuneshift.errors import BadInput, first_line, nearest
from tuneshift.models.embedded_models import embedded_folder, embedded_names

_IDENTITY_FILES = (
    "*.safetensors",
    "*config.json",  # of the model, its tokenizer, its generation and its adapter: each can change a number
    "tokenizer.json",
    "tokenizer.model",
    "vocab.*",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "*.jinja",
)


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


def check_hub_id(ref: str) -> None:
    """Raise BadInput, before anything is asked of the hub, where a name can be no hub id."""
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(ref)
    except ValueError as error:
        raise BadInput(f"{unknown_model(ref)}, and no hub id either (NAME or OWNER/NAME).") from error


def unknown_model(ref: str) -> str:
    """Return the beginning of a sentence about a name that is neither embedded nor a folder."""
    known = embedded_names()
    said = ref if len(ref) <= 100 else f"{ref[:100]}..."
    near = nearest(ref[:100], known)
    return f"model {said!r} was not found{near}: it is no embedded model ({', '.join(known)}), no folder here"


def hub_revision(ref: str, revision: str | None) -> str:
    """Return the commit of a hub id; only that is asked for, and a cached copy answers offline.

    Raises BadInput for a name that can be no hub id, and where the hub does not know it.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    check_hub_id(ref)
    for name in ("config.json", "adapter_config.json") if "/" in ref else ():
        cached = try_to_load_from_cache(ref, name, revision=revision or "main")
        if isinstance(cached, str):
            return Path(cached).parent.name  # .../snapshots/<commit>/config.json
    try:
        info = HfApi().model_info(ref, revision=revision)
    except Exception as error:
        raise BadInput(f"{unknown_model(ref)}, and it could not be found on the hub ({first_line(error)}).") from error
    return str(info.sha)
