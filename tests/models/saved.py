"""Models saved as people save them: tiny ones of many architectures, whole, renamed, or with something missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tools.architectures.zoo import Species, species

from tuneshift.models.embedded_models import embedded_folder

WEIGHTS = "model.safetensors"


def one_of(name: str) -> Species:
    """The species of the table of architectures that has this model type, or this name."""
    return next(one for one in species() if name in (one.model_type, one.name))


def copied(folder: Path, name: str = "fable-2m") -> Path:
    """A copy of an embedded model's folder."""
    source = embedded_folder(name)
    assert source is not None
    return Path(shutil.copytree(source, folder))


def with_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], Mapping[str, torch.Tensor]]) -> Path:
    """Write a folder's weights again as `change` makes them."""
    path = folder / WEIGHTS
    tensors = {name: tensor.clone() for name, tensor in change(load_file(path)).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    return folder


def with_json(folder: Path, name: str, **changes: Any) -> Path:
    """Write a JSON file of a folder again with these keys; a key that is None is removed."""
    path = folder / name
    document = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    document |= changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}), "utf-8")
    return folder
