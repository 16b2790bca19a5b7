"""What a MODEL is: a folder, a hub id, an embedded name, an adapter on its base, or BASE+ADAPTER."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput, first_line
from tuneshift.models.embedded_models import embedded_names
from tuneshift.models.revision import check_hub_id, folder_revision, hub_revision, local_folder, unknown_model

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_HUB_FILES = (
    *("adapter_*.json", "adapter_*.safetensors", "token*", "special_tokens_map.json", "added_tokens.json"),
    *("*.jinja", "vocab*", "merges.txt", "*.model"),
)


@dataclass(frozen=True)
class Source:
    """Where a model comes from.

    `base`: the folder or hub id of the whole model; `revision`: its revision on the hub; `adapter`: the folder of an
    adapter on it, None for a model without; `base_name`: what `base` was called, for sentences.
    """

    base: str
    revision: str | None = None
    adapter: Path | None = None
    base_name: str = ""

    @property
    def folder(self) -> Path | None:
        """The folder of the whole model, None for a hub id."""
        return Path(self.base) if Path(self.base).is_dir() else None


def source_of(ref: str, revision: str | None = None) -> Source:
    """Return where a MODEL comes from; of a hub id only its configuration is asked for.

    Raises BadInput where a name can mean nothing, for a folder that is neither model nor adapter, and for an adapter
    whose weights are pickled or whose base is not here.
    """
    folder = local_folder(ref)
    if folder is not None:
        return _of_folder(folder, ref)
    pair = _base_and_adapter(ref)
    if pair is not None:
        base, on_top = pair
        if base.adapter is not None:
            raise BadInput(f"model {ref!r}: {base.base_name!r} is an adapter itself; merge the two first.")
        return Source(base.base, base.revision, on_top, base.base_name)
    check_hub_id(ref)
    adapter = _hub_adapter(ref, revision)
    return Source(ref, revision, None, ref) if adapter is None else _of_adapter(adapter, ref)


def name_of(ref: str) -> str:
    """Return what a MODEL is called by default: the last part of its name, of BASE+ADAPTER both last parts."""
    pair = None if local_folder(ref) is not None else _split(ref)
    if pair is not None:
        return "+".join(name_of(part) for part in pair)
    last = ref.rstrip("/").rsplit("/", 1)[-1]
    return Path(ref).resolve().name if last in ("", ".", "..") else last


def base_named_by(ref: str) -> str | None:
    """Return what an adapter on this machine names as its base, as MODEL; None for anything else."""
    pair = None if local_folder(ref) is not None else _split(ref)
    if pair is not None:
        return pair[0]
    folder = local_folder(ref)
    if folder is None or not _is_adapter(folder):
        return None
    try:
        source = _of_adapter(folder, ref)
    except BadInput:  # said where the model is loaded
        return None
    return source.base_name


def model_revision(ref: str, revision: str | None = None) -> str:
    """Return the revision of a hub id (commit), a folder or embedded model (sha256 of its files), or of base+adapter.

    Weights are read, not loaded; on the hub only the commit is asked for, and a cached copy answers offline.
    Raises BadInput where nothing of that name can be found.
    """
    return revision_of(source_of(ref, revision))


def revision_of(source: Source) -> str:
    """Return the revision of a source; see `model_revision`."""
    folder = source.folder
    found = folder_revision(folder) if folder is not None else hub_revision(source.base, source.revision)
    return found if source.adapter is None else f"{found}+{folder_revision(source.adapter)}"


def adapter_settings(folder: Path) -> dict[str, Any]:
    """Return adapter_config.json; BadInput where it cannot be read."""
    path = folder / ADAPTER_CONFIG
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no mapping")
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read ({first_line(error)}); download it again.") from error
    return found


def _of_folder(folder: Path, ref: str) -> Source:
    if _is_adapter(folder):
        return _of_adapter(folder, ref)
    return Source(str(_sentence_transformer(folder)), None, None, ref)


def _is_adapter(folder: Path) -> bool:
    return (folder / ADAPTER_CONFIG).is_file()


def _of_adapter(folder: Path, ref: str) -> Source:
    _require_weights(folder)
    settings = adapter_settings(folder)
    named, revision = settings.get("base_model_name_or_path"), settings.get("revision")
    if not isinstance(named, str) or not named:
        raise BadInput(f"{folder / ADAPTER_CONFIG} names no base (base_model_name_or_path); give BASE+{ref}.")
    base = _base_of(named, folder)
    if base is None:
        raise BadInput(
            f"adapter {ref!r} was trained on {named!r}, which is no embedded model, no folder here and no hub id; "
            f"give its base yourself: BASE+{ref}."
        )
    if base.adapter is not None:
        raise BadInput(f"adapter {ref!r} stands on {named!r}, which is an adapter itself; merge the two first.")
    return Source(base.base, base.revision or revision, folder, base.base_name)


def _base_of(named: str, folder: Path) -> Source | None:
    """Return the base that an adapter names: embedded, a folder (from here, or from where the adapter is), a hub id."""
    if named in embedded_names():
        return source_of(named)
    for place in (Path(named), folder / named, folder.parent / named):
        if not _holds_a_model(place) or place.resolve() == folder.resolve():  # an adapter may be called like its base
            continue
        if _is_adapter(place):
            return Source(str(place), None, place, str(place))
        return _of_folder(place, str(place))
    try:
        check_hub_id(named)
    except BadInput:
        return None
    return Source(named, None, None, named)


def _require_weights(folder: Path) -> None:
    """Raise BadInput for an adapter without weights that are safe to read, and for one that lies in a whole model."""
    if not (folder / ADAPTER_WEIGHTS).is_file():
        pickled = (folder / "adapter_model.bin").is_file()
        raise BadInput(
            f"model folder {folder} is an adapter ({ADAPTER_CONFIG}) without {ADAPTER_WEIGHTS}; "
            + ("pickled .bin weights are never loaded: " if pickled else "")
            + "save it again with peft's `save_pretrained`."
        )
    whole = sorted(path.name for path in folder.glob("model*.safetensors"))
    if whole:
        raise BadInput(
            f"model folder {folder} holds an adapter ({ADAPTER_CONFIG}) and a whole model ({whole[0]}); keep them in "
            "folders of their own, so that it is clear which one is meant."
        )


def _sentence_transformer(folder: Path) -> Path:
    """Return the folder that holds the language model of a sentence-transformers folder, else the folder itself."""
    modules = folder / "modules.json"
    if (folder / "config.json").is_file() or not modules.is_file():
        return folder
    try:
        parts = [str(part["path"]) for part in json.loads(modules.read_text("utf-8"))]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f"{modules} cannot be read ({first_line(error)}); download the model again.") from error
    inside = [folder / part for part in parts if part and not part.startswith(("/", "\\")) and ".." not in part]
    return next((part for part in inside if (part / "config.json").is_file()), folder)


def _base_and_adapter(ref: str) -> tuple[Source, Path] | None:
    pair = _split(ref)
    if pair is None:
        return None
    base, wanted = pair
    folder = local_folder(wanted) or _hub_adapter(wanted, None)
    if folder is None or not _is_adapter(folder):
        raise BadInput(f"model {ref!r}: {wanted!r} is no adapter (a folder or hub id with {ADAPTER_CONFIG}).")
    _require_weights(folder)
    return source_of(base), folder


def _split(ref: str) -> tuple[str, str] | None:
    """Return BASE and ADAPTER, parted at the "+" at which both can be something; None where there is none."""
    for base, adapter in _partings(ref):
        if all(local_folder(part) is not None or _may_be_hub_id(part) for part in (base, adapter)):
            return base, adapter
    return None


def _partings(ref: str) -> Iterator[tuple[str, str]]:
    for at, mark in enumerate(ref):
        if mark == "+" and 0 < at < len(ref) - 1:
            yield ref[:at], ref[at + 1 :]


def _may_be_hub_id(ref: str) -> bool:
    try:
        check_hub_id(ref)
    except BadInput:
        return False
    return True


def _holds_a_model(place: Path) -> bool:
    try:
        return any((place / name).is_file() for name in ("config.json", ADAPTER_CONFIG, "modules.json"))
    except (OSError, ValueError):  # a name that no file system takes
        return False


def _hub_adapter(ref: str, revision: str | None) -> Path | None:
    """Return the folder of an adapter of the hub, None for a hub id of a whole model."""
    from huggingface_hub import snapshot_download, try_to_load_from_cache
    from transformers.utils import find_adapter_config_file

    if "/" not in ref:  # old names without an owner are whole models
        return None
    if isinstance(try_to_load_from_cache(ref, "config.json", revision=revision or "main"), str):
        return None
    try:
        if find_adapter_config_file(ref, revision=revision or "main") is None:
            return None
        return Path(snapshot_download(ref, revision=revision, allow_patterns=list(_HUB_FILES)))
    except Exception as error:  # which library raises what depends on the version of huggingface_hub
        raise BadInput(f"{unknown_model(ref)}, and the hub gave nothing ({first_line(error)}).") from error
