"""An adapter loads wherever a model does, and says what it said beside its base."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.models.saved import copied, one_of, with_json
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from tuneshift.errors import BadInput, MissingExtra
from tuneshift.models import LanguageModel, model_revision
from tuneshift.models.embedded_models import embedded_folder
from tuneshift.models.source import base_named_by, name_of
from tuneshift.models.weights import Weights

DOCUMENT = [["the old miller woke", "and lit the lamp in the house"]]
ALL = "all-linear"


def lora(**options: Any) -> peft.LoraConfig:
    return peft.LoraConfig(**{"task_type": "CAUSAL_LM", "r": 4, "target_modules": ["q_proj", "v_proj"], **options})


KINDS: dict[str, Any] = {
    "lora": lora(),
    "every linear layer": lora(target_modules=ALL),
    "rslora": lora(use_rslora=True, lora_alpha=3),
    "dora": lora(use_dora=True, target_modules=ALL),
    "dora, embeddings": lora(use_dora=True, target_modules=["embed_tokens", "down_proj"]),
    "some layers, ranks by layer": lora(layers_to_transform=[1, 3], rank_pattern={"v_proj": 2}, alpha_pattern={"q": 3}),
    "embeddings, tied": lora(target_modules=["embed_tokens", "o_proj"]),
    "output layer, tied": lora(target_modules=["lm_head", "o_proj"]),
    "saved norms": lora(modules_to_save=["norm", "input_layernorm"]),
    "saved embeddings, tied": lora(modules_to_save=["embed_tokens"]),
    "saved output layer, tied": lora(modules_to_save=["lm_head"]),
    "a few tokens": lora(trainable_token_indices=[5, 7, 9]),
    "loha": peft.LoHaConfig(task_type="CAUSAL_LM", r=3, target_modules=["q_proj", "up_proj"]),
    "lokr": peft.LoKrConfig(task_type="CAUSAL_LM", r=3, target_modules=["q_proj", "up_proj"]),
    "ia3": peft.IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]
    ),
    "oft": peft.OFTConfig(
        task_type="CAUSAL_LM", oft_block_size=8, r=0, target_modules=["q_proj"], use_cayley_neumann=False
    ),
}


def trained(base: Path, folder: Path, settings: Any, seed: int = 0, auto: Any = AutoModelForCausalLM) -> Any:
    """Save an adapter whose every tensor is random, as training leaves it; return the model beside its base."""
    torch.manual_seed(seed)
    model = peft.get_peft_model(auto.from_pretrained(base, dtype=torch.float32), settings)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                size = 0.02 if any(part in name for part in ("oft", "hada", "lokr", "ia3")) else 0.05
                parameter.add_(torch.randn_like(parameter) * size)
    model.save_pretrained(folder)
    return model.eval()


def ids_of(model: LanguageModel) -> torch.Tensor:
    return torch.tensor([[model.start_token_id, *model.tokenizer(" ".join(DOCUMENT[0]))["input_ids"]]])


@pytest.fixture
def base() -> Path:
    found = embedded_folder("fable-2m")
    assert found is not None
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_adapter_says_merged_what_it_says_beside_its_base(tmp_path: Path, base: Path, kind: str) -> None:
    beside = trained(base, tmp_path / "adapter", KINDS[kind])
    model = LanguageModel.load(f"fable-2m+{tmp_path / 'adapter'}", device="cpu")
    ids = ids_of(model)
    with torch.inference_mode():
        expected, found = beside(input_ids=ids).logits, model.torch_model(ids).logits
        plain = AutoModelForCausalLM.from_pretrained(base)(ids).logits
    assert (expected - plain).abs().max() > 1e-2  # the adapter does something
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "oft"])
def test_weights_read_from_files_one_at_a_time_are_those_of_the_merged_model(
    tmp_path: Path, base: Path, kind: str
) -> None:
    trained(base, tmp_path / "adapter", KINDS[kind])
    ref = f"fable-2m+{tmp_path / 'adapter'}"
    files, memory = Weights.open(ref, device="cpu"), Weights.of(LanguageModel.load(ref, device="cpu"))
    assert files.config.tie_word_embeddings == memory.config.tie_word_embeddings
    for name in memory._tensors:
        if name == "lm_head.weight" and memory.config.tie_word_embeddings:
            continue
        assert torch.equal(files.read(name), memory.read(name)), name
    for layer in range(files.anatomy.n_layers):
        for one, other in zip(*(w.anatomy.folded_query_key(w.read, layer) for w in (files, memory)), strict=True):
            assert torch.equal(one, other)
        assert torch.equal(*(w.anatomy.down_projection(w.read, layer) for w in (files, memory)))
    assert torch.equal(*(w.anatomy.output_embeddings(w.read) for w in (files, memory)))


def test_a_kind_that_needs_more_than_one_layer_s_tensors_is_not_read_from_files(tmp_path: Path, base: Path) -> None:
    trained(base, tmp_path / "adapter", KINDS["oft"])
    with pytest.raises(BadInput, match=r"\(OFT\) cannot be read a layer at a time; merge it"):
        Weights.open(f"fable-2m+{tmp_path / 'adapter'}", device="cpu")


@pytest.mark.parametrize("architecture", ["gpt2", "gpt_neox", "phi", "t5"])
def test_other_architectures_and_transposed_layers(tmp_path: Path, architecture: str) -> None:
    one = one_of(architecture)
    folder = one.save(tmp_path / "base", tied=one.ties[-1])
    auto = AutoModelForSeq2SeqLM if architecture == "t5" else AutoModelForCausalLM
    settings = lora(target_modules=ALL, task_type="SEQ_2_SEQ_LM" if architecture == "t5" else "CAUSAL_LM")
    beside = trained(folder, tmp_path / "adapter", settings, auto=auto)
    model = LanguageModel.load(str(tmp_path / "adapter"), device="cpu")  # its base is found by the path it names
    inputs = {"input_ids": torch.arange(5, 13)[None]}
    inputs |= {"decoder_input_ids": inputs["input_ids"]} if architecture == "t5" else {}
    with torch.inference_mode():
        expected, found = beside(**inputs).logits, model.torch_model(**inputs).logits
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    files, memory = Weights.open(str(tmp_path / "adapter"), device="cpu"), Weights.of(model)
    for layer in range(files.anatomy.n_layers):
        assert torch.equal(*(w.anatomy.down_projection(w.read, layer) for w in (files, memory)))


def test_tokens_added_before_training_come_with_the_adapter(tmp_path: Path, base: Path) -> None:
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    beside = peft.get_peft_model(model, lora(modules_to_save=["embed_tokens"])).eval()
    with torch.no_grad():
        for parameter in filter(lambda held: held.requires_grad, beside.parameters()):
            parameter.add_(torch.randn_like(parameter) * 0.05)
    beside.save_pretrained(tmp_path / "adapter")
    tokenizer.save_pretrained(tmp_path / "adapter")
    found = LanguageModel.load(f"fable-2m+{tmp_path / 'adapter'}", device="cpu")
    ids = torch.tensor([found.tokenizer("<|im_start|>the old miller<|im_end|>")["input_ids"]])
    with torch.inference_mode():
        expected, merged = beside(input_ids=ids).logits, found.torch_model(ids).logits
    assert (merged - expected)[..., : merged.shape[-1]].abs().max() <= 1e-5 * expected.abs().max()
    files = Weights.open(f"fable-2m+{tmp_path / 'adapter'}", device="cpu")
    assert torch.equal(files.read("model.embed_tokens.weight"), found.torch_model.get_input_embeddings().weight)


def test_adapter_and_base_are_found_by_every_way_of_naming_them(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(tmp_path / "runs" / "my+base")
    trained(tmp_path / "runs" / "my+base", tmp_path / "runs" / "adapter", lora())
    folder = tmp_path / "runs" / "adapter"
    states = LanguageModel.load(f"fable-2m+{folder}", device="cpu").hidden_states(DOCUMENT)
    for named in ("fable-2m", str(tmp_path / "runs" / "my+base"), "my+base", "../my+base"):
        with_json(folder, "adapter_config.json", base_model_name_or_path=named)
        assert (LanguageModel.load(str(folder), device="cpu").hidden_states(DOCUMENT) == states).all(), named
    monkeypatch.chdir(tmp_path / "runs")
    for ref in ("adapter", "my+base+adapter", "./my+base+./adapter"):
        model = LanguageModel.load(ref, device="cpu")
        assert (model.hidden_states(DOCUMENT) == states).all(), ref
    assert (name_of("my+base+adapter"), name_of("adapter"), name_of("my+base")) == (
        "my+base+adapter",
        "adapter",
        "my+base",
    )
    assert base_named_by("my+base+adapter") == "my+base"
    assert base_named_by("fable-2m") is None
    assert model_revision("adapter") == "+".join(
        [model_revision("fable-2m"), model_revision("adapter").partition("+")[2]]
    )


def test_an_adapter_of_the_hub_is_read_from_its_cache(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(base, tmp_path / "adapter", lora())
    with_json(tmp_path / "adapter", "adapter_config.json", base_model_name_or_path="fable-2m")
    monkeypatch.setattr("transformers.utils.find_adapter_config_file", lambda ref, **_: ref == "me/mine" or None)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda ref, **_: str(tmp_path / "adapter"))
    expected = LanguageModel.load(str(tmp_path / "adapter"), device="cpu").hidden_states(DOCUMENT)
    for ref in ("me/mine", "fable-2m+me/mine"):
        found = LanguageModel.load(ref, device="cpu")
        assert found.name.endswith("mine")
        assert (found.hidden_states(DOCUMENT) == expected).all()


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    trained(base, tmp_path / "adapter", lora(target_modules=ALL))
    return with_json(tmp_path / "adapter", "adapter_config.json", base_model_name_or_path="fable-2m")


def refused(ref: str) -> list[str]:
    said = []
    for take in (LanguageModel.load, Weights.open):
        with pytest.raises(BadInput) as error:
            take(ref, device="cpu")
        said.append(str(error.value))
    return said


def test_a_pickled_adapter_is_never_read(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    assert all("pickled .bin weights are never loaded" in said for said in refused(str(adapter)))


@pytest.mark.parametrize(
    ("named", "words"),
    [(None, "names no base"), ("/somewhere/else/base", "give its base yourself: BASE+"), ("a b c", "no hub id")],
)
def test_a_base_that_is_not_here_is_asked_for(adapter: Path, named: str | None, words: str) -> None:
    with_json(adapter, "adapter_config.json", base_model_name_or_path=named)
    assert all(words in said for said in refused(str(adapter)))


def test_a_tensor_missing_or_left_over_is_refused_by_name(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    kept = load_file(path)
    name = sorted(kept)[3]
    save_file({key: tensor for key, tensor in kept.items() if key != name}, path, metadata={"format": "pt"})
    assert all(f"1 of its {len(kept)} tensors are not in its file ({name})" in said for said in refused(str(adapter)))
    more = {"base_model.model.model.layers.9.mlp.up_proj.lora_A.weight": torch.zeros(4, 128)}
    save_file({**kept, **more}, path, metadata={"format": "pt"})
    assert all("1 tensors of its file have no place in its base" in said for said in refused(str(adapter)))


def test_an_adapter_of_another_base_is_refused(adapter: Path) -> None:
    assert all("adapter" in said and "base" in said for said in refused(f"fable-8m+{adapter}"))


def test_trained_vectors_before_a_text_are_no_tuned_model(tmp_path: Path, base: Path) -> None:
    settings = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    trained(base, tmp_path / "adapter", settings)
    assert all("changes no weights" in said for said in refused(f"fable-2m+{tmp_path / 'adapter'}"))


def test_a_folder_that_holds_a_whole_model_too_is_ambiguous(adapter: Path, base: Path) -> None:
    shutil.copy(base / "model.safetensors", adapter)
    assert all("keep them in folders of their own" in said for said in refused(str(adapter)))


def test_what_is_no_adapter_cannot_stand_after_a_base(base: Path) -> None:
    assert all("is no adapter" in said for said in refused(f"fable-2m+{base}"))


def test_without_peft_the_extra_is_named(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingExtra, match=r"tuneshift\[adapters\]"):
        LanguageModel.load(str(adapter), device="cpu")


def test_an_adapter_without_a_tokenizer_has_its_base_s(adapter: Path) -> None:
    for path in adapter.glob("token*"):
        path.unlink()
    found = LanguageModel.load(str(adapter), device="cpu")
    assert found.start_token_id == LanguageModel.load("fable-2m").start_token_id
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "fable-2m"
    assert np.isfinite(found.surprisals([["the", "old", "miller"]])["surprisal"]).all()


def test_biases_of_layers_that_are_not_wrapped_come_with_the_adapter(tmp_path: Path) -> None:
    folder = one_of("gpt2").save(tmp_path / "base", tied=True)
    trained(folder, tmp_path / "adapter", lora(bias="all", target_modules=["c_attn"]))
    ref = str(tmp_path / "adapter")
    files, memory = Weights.open(ref, device="cpu"), Weights.of(LanguageModel.load(ref, device="cpu"))
    for name in memory._tensors:
        assert name == "lm_head.weight" or torch.equal(files.read(name), memory.read(name)), name
    plain = Weights.open(str(folder), device="cpu")
    assert not torch.equal(plain.read("transformer.h.0.ln_1.bias"), files.read("transformer.h.0.ln_1.bias"))


@pytest.mark.parametrize("named", ["gpt2", "."])
def test_an_adapter_called_like_its_base_is_not_its_own_base(tmp_path: Path, base: Path, named: str) -> None:
    trained(base, tmp_path / "gpt2", lora())
    with_json(tmp_path / "gpt2", "adapter_config.json", base_model_name_or_path=named)
    for said in refused(str(tmp_path / "gpt2")):
        assert "gpt2" in said
    assert base_named_by(str(tmp_path / "gpt2")) in ("gpt2", None)


@pytest.mark.parametrize("settings", [{"layer_replication": [(0, 3), (1, 4)]}, {"alora_invocation_tokens": [5, 6]}])
def test_what_is_more_than_a_layer_s_own_is_not_read_from_files(
    tmp_path: Path, base: Path, settings: dict[str, Any]
) -> None:
    trained(base, tmp_path / "adapter", lora(**settings))
    with pytest.raises(BadInput, match="cannot be read a layer at a time"):
        Weights.open(f"fable-2m+{tmp_path / 'adapter'}", device="cpu")
