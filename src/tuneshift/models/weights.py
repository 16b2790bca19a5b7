"""Weights: single tensors of a model, from memory or from safetensors files, so that one layer at a time is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from tuneshift.errors import BadInput, first_line, nearest
from tuneshift.models.adapters import AdaptedTensors
from tuneshift.models.anatomy import Anatomy, anatomy_of
from tuneshift.models.embeddings import say_untied
from tuneshift.models.language_model import LanguageModel
from tuneshift.models.loading import load_config, load_tokenizer, torch_device
from tuneshift.models.revision import check_hub_id, unknown_model
from tuneshift.models.shards import SafetensorFiles
from tuneshift.models.source import name_of, source_of
from tuneshift.models.stored_names import stored

_QUANTISED = (".qweight", ".weight_scale", ".scales")
_SECOND_COPIES = ("consolidated*", "original/*", "metal/*")
_FILES = ("*.safetensors", "*.json", "*.model", "*.jinja", "*.txt")


class Weights:
    """A model's tensors by name, its configuration, tokenizer and anatomy.

    `read(name)` gives one tensor in float32 on `device`, and nothing else is held in memory. Build it with
    `Weights.of` (a loaded model) or `Weights.open` (files).
    """

    def __init__(
        self,
        name: str,
        config: PretrainedConfig,
        tokenizer: PreTrainedTokenizerBase,
        tensors: Mapping[str, torch.Tensor],
        device: torch.device,
    ) -> None:
        self.name = name
        self.config = config
        self.tokenizer = tokenizer
        self.device = device
        self._tensors = tensors

    @classmethod
    def of(cls, model: LanguageModel) -> Weights:
        """Read from a model in memory, without copying it."""
        torch_model = model.torch_model
        return cls(model.name, torch_model.config, model.tokenizer, torch_model.state_dict(), model.device)

    @classmethod
    def open(
        cls, ref: str, *, device: str = "auto", revision: str | None = None, trust_remote_code: bool = False
    ) -> Weights:
        """Open the safetensors files of an embedded model, a local folder or a hub id, one or many shards.

        Of an adapter, the base's tensors come with the adapter's change, each made when it is asked for. Nothing is
        read yet but names. Raises BadInput where there is no such model, file or shard.
        """
        source = source_of(ref, revision)
        folder = source.folder or _from_hub(source.base, source.revision)
        here = replace(source, base=str(folder), revision=None)
        config = load_config(here, ref, trust_remote_code)
        tokenizer = load_tokenizer(here, ref, trust_remote_code)
        tensors: Mapping[str, torch.Tensor] = SafetensorFiles(folder)
        if source.adapter is not None:
            tensors = AdaptedTensors(tensors, config, source.adapter, ref)
            config = tensors.config
        found = cls(name_of(ref), config, tokenizer, tensors, torch_device(device))
        found._say_whether_tied()
        return found

    def _say_whether_tied(self) -> None:
        """Correct a configuration that says tied where the files hold an output layer of its own."""
        text = self.config.get_text_config()
        if not getattr(text, "tie_word_embeddings", False):
            return
        try:
            names = anatomy_of(self.config).names
        except BadInput:  # said where the anatomy is asked for
            return
        held = [stored(name, self._tensors) for name in (names.input_embedding, names.output_embedding)]
        if held[0] is None or held[1] is None or held[0] == held[1]:
            return
        one, other = (self._tensors[where.names[0]] for where in held if where is not None)
        if one.shape != other.shape or not torch.equal(one, other):
            say_untied(self.config)

    @cached_property
    def anatomy(self) -> Anatomy:
        """Where this architecture keeps its parts; BadInput for an architecture that is not known."""
        return anatomy_of(self.config)

    def read(self, name: str, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the tensor of this name of the state dict, or some of its rows (n_rows,), in float32.

        Of a file, only the rows asked for are read: an embedding matrix can be larger than several layers.
        A checkpoint may call it otherwise, or keep experts apart that are one tensor in memory; see `stored_names`.
        Raises BadInput for a tensor that is missing, quantised, or not in memory (offloaded).
        """
        where = stored(name, self._tensors)
        if where is None:
            raise BadInput(self._missing(name))
        parts = [self._checked(name, self._tensors[part]) for part in where.names]
        if rows is not None:
            parts = [part[rows.to(part.device)] for part in parts]
        parts = [part.detach().to(self.device, torch.float32) for part in parts]
        return torch.stack(parts) if where.stacked else parts[0]

    def _checked(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_meta:
            raise BadInput(f"tensor {name!r} of {self.name} is offloaded; read the model's files with `Weights.open`.")
        if not tensor.is_floating_point() or tensor.element_size() < 2:
            raise BadInput(
                f"tensor {name!r} of {self.name} is quantised ({tensor.dtype}); "
                "give the checkpoint in float32, float16 or bfloat16."
            )
        return tensor

    def _missing(self, name: str) -> str:
        if any(held.endswith("_blocks") for held in self._tensors):
            return (
                f"tensor {name!r} of {self.name} is quantised (MXFP4); load the model with "
                "`Mxfp4Config(dequantize=True)`, save it with `save_pretrained`, and give that folder."
            )
        if any(held.endswith(_QUANTISED) for held in self._tensors):
            return f"model {self.name} is quantised; give the checkpoint in float32, float16 or bfloat16."
        return f"model {self.name} ({self.config.model_type}) has no tensor {name!r}{nearest(name, self._tensors)}."


def _from_hub(ref: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    check_hub_id(ref)
    try:
        return Path(
            snapshot_download(ref, revision=revision, allow_patterns=list(_FILES), ignore_patterns=list(_SECOND_COPIES))
        )
    except Exception as error:
        raise BadInput(f"{unknown_model(ref)}, and the hub gave nothing ({first_line(error)}).") from error
