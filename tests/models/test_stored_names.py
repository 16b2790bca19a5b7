"""Saved files are read as the model in memory is, whatever names they give to its tensors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from families import FAMILIES, tiny
from safetensors.torch import load_file, save_file

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights

UNTIED = {"untied": {"tie_word_embeddings": False}, "tied": {"tie_word_embeddings": True}}


def _saved(
    folder: Path, fable: LanguageModel, family: str, rename: Callable[[str], str] = str, **changes: bool
) -> Path:
    tiny(family, **changes).save_pretrained(folder)
    fable.tokenizer.save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    save_file({rename(name): tensor for name, tensor in tensors.items()}, folder / "model.safetensors")
    return folder


def _read_alike(files: Weights, memory: Weights) -> None:
    anatomy = files.anatomy
    for layer in range(anatomy.n_layers):
        for part in (anatomy.query_key, anatomy.folded_query_key):
            for stored, held in zip(part(files.read, layer), part(memory.read, layer), strict=True):
                torch.testing.assert_close(stored, held, rtol=0, atol=0)
        down = anatomy.down_projection
        torch.testing.assert_close(down(files.read, layer), down(memory.read, layer), rtol=0, atol=0)
    for whole in (anatomy.input_embeddings, anatomy.output_embeddings):
        torch.testing.assert_close(whole(files.read), whole(memory.read), rtol=0, atol=0)


def _in_memory(model: object, fable: LanguageModel) -> Weights:
    return Weights("memory", model.config, fable.tokenizer, model.state_dict(), torch.device("cpu"))  # type: ignore[attr-defined]


@pytest.mark.parametrize("ties", UNTIED)
@pytest.mark.parametrize("family", FAMILIES)
def test_saved_files_of_every_architecture_are_read_as_the_model_in_memory(
    family: str, ties: str, tmp_path: Path, fable_2m: LanguageModel
) -> None:
    folder = _saved(tmp_path, fable_2m, family, **UNTIED[ties])
    _read_alike(Weights.open(str(folder), device="cpu"), _in_memory(tiny(family, **UNTIED[ties]), fable_2m))


def _without(first: str) -> Callable[[str], str]:
    return lambda name: name.removeprefix(first)


OLDER = {
    "gpt2": _without("transformer."),
    "bloom": _without("transformer."),
    "falcon, one key head": _without("transformer."),
    "llama": lambda name: f"language_model.{name}",
    "opt": _without("model."),
    "opt, narrow embeddings": _without("model."),
    "gpt_neox": lambda name: name.replace("embed_out.", "lm_head."),
    "t5": lambda name: name.replace("shared.", "encoder.embed_tokens."),
    "mixtral": _without("model."),
    "qwen3_moe": lambda name: name.removeprefix("model."),
}


@pytest.mark.parametrize("family", OLDER)
def test_files_with_older_and_other_names_are_read_as_the_model_in_memory(
    family: str, tmp_path: Path, fable_2m: LanguageModel
) -> None:
    folder = _saved(tmp_path, fable_2m, family, OLDER[family])
    _read_alike(Weights.open(str(folder), device="cpu"), _in_memory(tiny(family), fable_2m))


def test_files_of_experts_that_are_already_together_are_read_too(tmp_path: Path, fable_2m: LanguageModel) -> None:
    memory = _in_memory(tiny("mixtral"), fable_2m)
    folder = _saved(tmp_path, fable_2m, "mixtral")
    save_file(
        {name: held.contiguous() for name, held in tiny("mixtral").state_dict().items()}, folder / "model.safetensors"
    )
    _read_alike(Weights.open(str(folder), device="cpu"), memory)


def test_experts_that_are_missing_or_many_are_not_guessed(tmp_path: Path, fable_2m: LanguageModel) -> None:
    folder = _saved(tmp_path, fable_2m, "qwen3_moe")
    tensors = load_file(folder / "model.safetensors")
    last = "model.layers.1.mlp.experts.2.down_proj.weight"
    save_file({name: tensor for name, tensor in tensors.items() if name != last}, folder / "model.safetensors")
    weights = Weights.open(str(folder), device="cpu")
    with pytest.raises(BadInput, match=r"2 experts where its configuration says 3"):
        weights.anatomy.down_projection(weights.read, 1)
    twice = {f"{side}.{name}": tensor.clone() for name, tensor in tensors.items() for side in ("a", "b")}
    save_file(twice, folder / "model.safetensors")
    with pytest.raises(BadInput, match=r"several tensors that could be 'model.norm.weight' \(a.model.norm.weight, b."):
        Weights.open(str(folder), device="cpu").read("model.norm.weight")


def test_experts_quantised_to_four_bits_are_refused_and_their_heads_read(
    tmp_path: Path, fable_2m: LanguageModel
) -> None:
    folder = _saved(tmp_path, fable_2m, "gpt_oss")
    tensors = load_file(folder / "model.safetensors")
    packed: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if re.search(r"experts\.\w+_proj$", name):
            packed |= {
                f"{name}_blocks": torch.zeros(3, 32, 3, 16, dtype=torch.uint8),
                f"{name}_scales": torch.zeros(3, 32, 3, dtype=torch.uint8),
            }
        else:
            packed[name] = tensor
    save_file(packed, folder / "model.safetensors")
    files, memory = Weights.open(str(folder), device="cpu"), _in_memory(tiny("gpt_oss"), fable_2m)
    for stored, held in zip(*(w.anatomy.folded_query_key(w.read, 1) for w in (files, memory)), strict=True):
        torch.testing.assert_close(stored, held)
    with pytest.raises(BadInput, match=r"experts.down_proj' of .* is quantised \(MXFP4\); load the model with"):
        files.anatomy.down_projection(files.read, 0)
