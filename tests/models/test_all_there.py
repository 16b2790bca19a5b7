"""No tensor of any model is ever random: a deleted or renamed one is refused by name, or loaded rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.models.saved import WEIGHTS, copied, one_of, with_json, with_tensors
from tools.architectures.zoo import Species, species

from tuneshift.errors import BadInput, TuneshiftError
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights

DOCUMENT = [["the old miller woke", "and lit the lamp"]]
SEVERAL = ("llama", "gpt2", "gpt_neox", "opt", "bloom", "t5", "qwen3", "mixtral", "gemma3_text", "bert", "mamba")


def loaded(folder: Path) -> LanguageModel:
    return LanguageModel.load(str(folder), device="cpu")


def weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.torch_model.state_dict().items()}


def tried(folder: Path) -> LanguageModel | str:
    """The model, or the sentence that refuses it."""
    try:
        return loaded(folder)
    except TuneshiftError as refusal:
        return str(refusal)


def without(folder: Path, kept: dict[str, torch.Tensor], name: str, **more: torch.Tensor) -> Path:
    return with_tensors(folder, lambda _: {**{key: tensor for key, tensor in kept.items() if key != name}, **more})


def is_whole(model: LanguageModel, whole: dict[str, torch.Tensor]) -> bool:
    """The tensor was a twin of a tied one, or the whole output layer: then the model says that it has none."""
    if not model.has_head:
        return "saved without its output layer" in " ".join(model.notes)
    now = weights(model)
    return all(torch.equal(now[name], whole[name]) for name in whole)


@pytest.mark.parametrize("architecture", SEVERAL)
@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_each_tensor_deleted_or_renamed_in_turn_is_refused_or_was_not_needed(
    tmp_path: Path, architecture: str, how: str
) -> None:
    one = one_of(architecture)
    folder = one.save(tmp_path / "model", tied=one.ties[0])
    whole = weights(loaded(folder))
    kept = load_file(folder / WEIGHTS)
    taken = []
    for name in kept:
        renamed = {f"{name}_old": kept[name]} if how == "renamed" else {}
        found = tried(without(folder, kept, name, **renamed))
        if isinstance(found, str):
            assert "in none of its files" in found, found
        else:
            assert is_whole(found, whole), name
            taken.append(name)
    assert len(taken) <= 2, taken


@pytest.mark.parametrize("one", list(species()), ids=lambda one: one.name)
def test_of_every_architecture_the_first_last_and_middle_tensor_are_missed(tmp_path: Path, one: Species) -> None:
    folder = one.save(tmp_path / "model", tied=one.ties[-1])
    kept = load_file(folder / WEIGHTS)
    whole = weights(loaded(folder))
    names = sorted(kept)
    for name in {names[0], names[len(names) // 2], names[-1]}:
        found = tried(without(folder, kept, name))
        assert "none of its files" in found if isinstance(found, str) else is_whole(found, whole), (name, found)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "base_model.model.", "_fsdp_wrapped_module.", "mine."])
@pytest.mark.parametrize("which", ["all", "body"])
def test_renamed_weights_are_refused_and_a_known_prefix_is_named(tmp_path: Path, prefix: str, which: str) -> None:
    def renamed(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        if which == "all":
            return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}
        return {name.replace("model.", f"model.{prefix}", 1): tensor for name, tensor in tensors.items()}

    folder = with_tensors(copied(tmp_path / "model"), renamed)
    with pytest.raises(BadInput) as refused:
        loaded(folder)
    sentence = str(refused.value)
    assert "tensors are in none of its files" in sentence
    assert prefix == "mine." or repr(prefix) in sentence
    assert ("torch.compile" in sentence) == (prefix == "_orig_mod.")


@pytest.mark.parametrize("prefix", ["model.", "transformer."])
def test_a_prefix_that_transformers_understands_gives_the_right_weights(tmp_path: Path, prefix: str) -> None:
    whole = weights(loaded(copied(tmp_path / "whole")))
    folder = with_tensors(copied(tmp_path / "m"), lambda held: {f"{prefix}{name}": t for name, t in held.items()})
    found = tried(folder)
    assert repr(prefix) in found if isinstance(found, str) else is_whole(found, whole)


def test_a_tensor_of_another_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    folder = with_json(copied(tmp_path / "model"), "config.json", intermediate_size=320)
    with pytest.raises(BadInput, match=r"have another shape in the files: \S+ is \[\d+, \d+\] where it should be \["):
        loaded(folder)


def test_layers_that_the_configuration_leaves_out_are_refused(tmp_path: Path) -> None:
    folder = with_json(copied(tmp_path / "model"), "config.json", num_hidden_layers=3, layer_types=None)
    with pytest.raises(BadInput, match=r"hold layers that its config\.json does not have \(model\.layers\.3\."):
        loaded(folder)


def test_an_adapter_left_in_a_whole_model_is_refused(tmp_path: Path) -> None:
    more = {"model.layers.0.self_attn.q_proj.lora_A.default.weight": torch.zeros(4, 128)}
    folder = with_tensors(copied(tmp_path / "model"), lambda held: {**held, **more})
    with pytest.raises(BadInput, match="1 tensors of an adapter that was never merged"):
        loaded(folder)


def test_what_a_language_model_has_no_place_for_is_told_with_count_and_name(tmp_path: Path) -> None:
    folder = with_tensors(copied(tmp_path / "model"), lambda held: {**held, "score.weight": torch.zeros(2, 128)})
    (note,) = loaded(folder).notes
    assert "hold 1 tensors that a language model has no place for (score.weight)" in note


@pytest.mark.parametrize("architecture", ["llama", "gpt_neox", "bert", "roberta", "distilbert", "mpnet", "electra"])
def test_a_body_saved_without_its_output_layer_has_states_and_says_that_it_has_no_more(
    tmp_path: Path, architecture: str
) -> None:
    one = one_of(architecture)
    folder = one.save(tmp_path / "model", tied=one.ties[-1])
    whole = loaded(folder)
    whole.torch_model.base_model.save_pretrained(tmp_path / "body")
    whole.tokenizer.save_pretrained(tmp_path / "body")
    body = loaded(tmp_path / "body")
    assert any("was saved without its output layer" in note for note in body.notes)
    assert (body.hidden_states(DOCUMENT) == whole.hidden_states(DOCUMENT)).all()
    twin = body.untrained(3)
    assert twin.hidden_states(DOCUMENT).shape == whole.hidden_states(DOCUMENT).shape
    for ask in (
        lambda: body.surprisals([["the", "old", "miller"]]),
        lambda: body.generate(["the old"]),
    ):
        with pytest.raises(BadInput, match="was saved without its output layer"):
            ask()


def test_tokens_without_an_embedding_are_refused_by_name(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model")
    model = loaded(folder)
    model.tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    model.tokenizer.save_pretrained(folder)
    with pytest.raises(BadInput, match=r"has 2 tokens beyond the \d+ rows of its embeddings: '<\|im_start\|>' \("):
        loaded(folder)


def test_a_place_for_pictures_beyond_the_embeddings_is_no_fault(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model")
    model = loaded(folder)
    model.tokenizer.add_special_tokens({"additional_special_tokens": ["<image_soft_token>"]})
    model.tokenizer.save_pretrained(folder)
    assert (loaded(folder).hidden_states(DOCUMENT) == model.hidden_states(DOCUMENT)).all()


@pytest.mark.parametrize("architecture", ["gpt2", "bert", "qwen2"])
def test_a_folder_without_its_vocabulary_is_refused(tmp_path: Path, architecture: str) -> None:
    folder = one_of(architecture).save(tmp_path / "model", tied=True)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(BadInput, match=r"vocabulary of its tokenizer|no usable config\.json and tokenizer"):
        loaded(folder)


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "qwen2", "gpt_neox"])
def test_an_output_layer_of_its_own_is_used_though_the_configuration_says_tied(
    tmp_path: Path, architecture: str
) -> None:
    folder = one_of(architecture).save(tmp_path / "model", tied=False)
    with_json(folder, "config.json", tie_word_embeddings=True)
    model = loaded(folder)
    own = model.torch_model.get_output_embeddings().weight
    for weights_of in (Weights.of(model), Weights.open(str(folder), device="cpu")):
        assert torch.equal(weights_of.anatomy.output_embeddings(weights_of.read), own)


def test_blocks_that_guess_further_ahead_are_no_layers(tmp_path: Path) -> None:
    def more(held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {**held, **{n.replace("layers.3.", "layers.4."): t for n, t in held.items() if "layers.3." in n}}

    folder = with_tensors(copied(tmp_path / "model"), more)
    with pytest.raises(BadInput, match="hold layers that its config"):
        loaded(folder)
    with_json(folder, "config.json", num_nextn_predict_layers=1)
    assert "has no place for" in " ".join(loaded(folder).notes)
