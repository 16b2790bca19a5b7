"""Single tensors come from shards one by one, under whichever name a checkpoint gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from families import FAMILIES, tiny
from safetensors.torch import load_file, save_file

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.weights import SafetensorFiles, Weights


def _saved(folder: Path, fable: LanguageModel, family: str = "llama", shard: str = "20KB") -> Path:
    tiny(family).save_pretrained(folder, max_shard_size=shard)
    fable.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5", "llama, wide heads, biases", "bloom"])
def test_a_sharded_checkpoint_gives_the_tensors_of_the_loaded_model(
    family: str, tmp_path: Path, fable_2m: LanguageModel
) -> None:
    folder = _saved(tmp_path, fable_2m, family)
    assert len(list(folder.glob("*.safetensors"))) > 2
    weights, state = Weights.open(str(folder), device="cpu"), tiny(family).state_dict()
    anatomy = weights.anatomy
    for layer in range(anatomy.n_layers):
        for stored, loaded in zip(
            anatomy.folded_query_key(weights.read, layer),
            anatomy.folded_query_key(state.__getitem__, layer),
            strict=True,
        ):
            torch.testing.assert_close(stored, loaded)
        torch.testing.assert_close(
            anatomy.down_projection(weights.read, layer), anatomy.down_projection(state.__getitem__, layer)
        )
    for part in (anatomy.input_embeddings, anatomy.output_embeddings):
        torch.testing.assert_close(part(weights.read), part(state.__getitem__))


def test_only_the_tensors_that_are_asked_for_are_read(
    tmp_path: Path, fable_2m: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = Weights.open(str(_saved(tmp_path, fable_2m)), device="cpu")
    read: list[str] = []
    whole = SafetensorFiles.__getitem__

    def counting(files: SafetensorFiles, name: str) -> torch.Tensor:
        read.append(name)
        return whole(files, name)

    monkeypatch.setattr(SafetensorFiles, "__getitem__", counting)
    weights.anatomy.query_key(weights.read, 1)
    assert read == ["model.layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.k_proj.weight"]


def test_shards_that_are_not_needed_may_even_be_broken(tmp_path: Path, fable_2m: LanguageModel) -> None:
    folder = _saved(tmp_path, fable_2m)
    shard_of = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    wanted = "model.layers.1.mlp.down_proj.weight"
    for shard in set(shard_of.values()) - {shard_of[wanted]}:
        (folder / shard).write_bytes(b"not weights")
    weights = Weights.open(str(folder), device="cpu")
    assert weights.read(wanted).shape == (32, 48)
    broken = next(name for name, shard in shard_of.items() if shard != shard_of[wanted])
    with pytest.raises(BadInput, match=r"cannot be read from .*download the file again"):
        weights.read(broken)


def test_embedded_models_open_without_being_loaded(fable_2m: LanguageModel) -> None:
    opened, loaded = Weights.open("fable-2m", device="cpu"), Weights.of(fable_2m)
    assert opened.name == loaded.name == "fable-2m"
    name = "model.layers.2.mlp.down_proj.weight"
    torch.testing.assert_close(opened.read(name), loaded.read(name))
    assert opened.read(name).dtype == torch.float32


def test_names_may_lack_their_first_part_or_have_more_before_it(tmp_path: Path, fable_2m: LanguageModel) -> None:
    folder = _saved(tmp_path, fable_2m, "gpt2", shard="1GB")
    tensors = load_file(folder / "model.safetensors")
    expected = tensors["transformer.h.1.attn.c_attn.weight"]
    for rename in (lambda name: name.removeprefix("transformer."), lambda name: f"model.language_model.{name}"):
        renamed = {rename(name): tensor for name, tensor in tensors.items()}
        renamed["vision_tower.h.1.attn.c_attn.weight"] = torch.zeros(2, 2)
        save_file(renamed, folder / "model.safetensors")
        weights = Weights.open(str(folder), device="cpu")
        torch.testing.assert_close(weights.read("transformer.h.1.attn.c_attn.weight"), expected)


def _with(fable: LanguageModel, tensors: dict[str, torch.Tensor]) -> Weights:
    build, settings = FAMILIES["llama"]
    return Weights("own", build(**settings), fable.tokenizer, tensors, torch.device("cpu"))


def test_quantised_missing_and_offloaded_tensors_are_refused_with_words(fable_2m: LanguageModel) -> None:
    name = "model.layers.0.self_attn.q_proj.weight"
    for stored in (torch.zeros(4, 4, dtype=torch.int8), torch.zeros(4, 4).to(torch.float8_e4m3fn)):
        with pytest.raises(BadInput, match=r"is quantised .*give the checkpoint in float32"):
            _with(fable_2m, {name: stored}).read(name)
    with pytest.raises(BadInput, match="model own is quantised"):
        _with(fable_2m, {name.replace("weight", "qweight"): torch.zeros(4, 4, dtype=torch.int32)}).read(name)
    with pytest.raises(BadInput, match=r"has no tensor .*q_proj.weight' \(did you mean"):
        _with(fable_2m, {name.replace("q_proj", "k_proj"): torch.zeros(4, 4)}).read(name)
    with pytest.raises(BadInput, match=r"is offloaded; read the model's files"):
        _with(fable_2m, {name: torch.zeros(4, 4, device="meta")}).read(name)


def test_missing_models_files_and_shards_are_named(tmp_path: Path, fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match=r"'fable-2n' was not found \(did you mean 'fable-2m'"):
        Weights.open("fable-2n")
    folder = _saved(tmp_path, fable_2m)
    shard = min(path.name for path in folder.glob("*.safetensors"))
    (folder / shard).unlink()
    with pytest.raises(BadInput, match=f"names the shard {shard}, which is not there"):
        Weights.open(str(folder))
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(BadInput, match="no `weight_map`"):
        Weights.open(str(folder))
    (folder / "model.safetensors.index.json").unlink()
    for path in folder.glob("*.safetensors"):
        path.unlink()
    with pytest.raises(BadInput, match=r"holds no \.safetensors file"):
        Weights.open(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(BadInput, match=r"no usable config\.json"):
        Weights.open(str(folder))
