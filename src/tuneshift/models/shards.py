"""The files that hold a checkpoint's tensors: safetensors, in the model's own folder, all of them there."""

from __future__ import annotations

import json
from pathlib import Path

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
