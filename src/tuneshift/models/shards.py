"""The files that hold a checkpoint's tensors: safetensors, in the model's own folder, all of them there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from tuneshift.errors import BadInput

INDEX = "model.safetensors.index.json"


def indexed_shards(folder: Path) -> dict[str, str] | None:
    """Return tensor name -> file name as a folder's index of shards says, None where it has no index.

    Raises BadInput where the index cannot be read, names a file outside the folder or of another kind, or one that is
    not there: whoever wrote the index must not choose which other file of this machine is opened.
    """
    index = folder / INDEX
    if not index.is_file():
        return None
    try:
        shard_of = json.loads(index.read_text("utf-8"))["weight_map"]
        names = sorted(set(shard_of.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{index} is no index of shards (no `weight_map`); download it again.") from error
    for name in names:
        if not isinstance(name, str) or not _is_plain(name):
            raise BadInput(
                f"{index} names the shard {name!r:.200}, which is no .safetensors file of this folder; "
                "do not use this model, or download it again from a source you trust."
            )
        if not (folder / name).is_file():
            raise BadInput(f"{index} names the shard {name}, which is not there; download it again.")
    return dict(shard_of)


def _is_plain(name: str) -> bool:
    return name.endswith(".safetensors") and len(name) < 256 and not any(mark in name for mark in "/\\:\0")


class SafetensorFiles(Mapping[str, torch.Tensor]):
    """The tensors of a model folder by name; each is read from its file when it is asked for, and not kept.

    `only` is the one file of the folder that holds them, where others may lie beside it. Raises BadInput where a file
    is missing or cannot be read.
    """

    def __init__(self, folder: Path, only: str | None = None) -> None:
        self.folder = folder
        self._shard_of = _listed([folder / only]) if only is not None else _shards(folder)

    def __getitem__(self, name: str) -> torch.Tensor:
        path = self.folder / self._shard_of[name]
        try:
            with safe_open(path, framework="pt") as file:
                return file.get_tensor(name)  # type: ignore[no-any-return]
        except (OSError, SafetensorError) as error:
            raise BadInput(f"tensor {name!r} cannot be read from {path}: {error}; download the file again.") from error

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor; none is read."""
        found: dict[str, tuple[int, ...]] = {}
        for shard in sorted(set(self._shard_of.values())):
            with safe_open(self.folder / shard, framework="pt") as file:
                found |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._shard_of)

    def __len__(self) -> int:
        return len(self._shard_of)

    def __contains__(self, name: object) -> bool:
        return name in self._shard_of  # Mapping's own asks for the tensor, which would read it


def _shards(folder: Path) -> dict[str, str]:
    """Return the file that holds each tensor: as the index says, else what the files themselves list."""
    indexed = indexed_shards(folder)
    if indexed is not None:
        return indexed
    single = folder / "model.safetensors"
    paths = [single] if single.is_file() else sorted(folder.glob("*.safetensors"))
    if not paths:
        raise BadInput(f"model folder {folder} holds no .safetensors file; save it again with `save_pretrained`.")
    return _listed(paths)


def _listed(paths: Sequence[Path]) -> dict[str, str]:
    shard_of: dict[str, str] = {}
    for path in paths:
        try:
            with safe_open(path, framework="pt") as file:
                shard_of |= dict.fromkeys(file.keys(), path.name)
        except (OSError, SafetensorError) as error:
            raise BadInput(f"{path} is no safetensors file that can be read: {error}") from error
    return shard_of
