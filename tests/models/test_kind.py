"""What kind of model it is: by family and is_decoder, proved by running; how many positions it has."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers as hf
from tests.models.saved import copied, one_of, with_json, with_tensors

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.models import LanguageModel
from tuneshift.models.kind import kind_of
from tuneshift.models.positions import context_length
from tuneshift.models.states import is_causal

DOCUMENT = ["the old miller woke", "and lit the lamp", "when rain fell"]


def loaded(folder: Path) -> LanguageModel:
    return LanguageModel.load(str(folder), device="cpu")


@pytest.mark.parametrize(
    "saved_as", ["BertForMaskedLM", "BertModel", "BertForPreTraining", "BertForNextSentence", None]
)
def test_a_bert_is_a_masked_model_whatever_its_class_is_called(tmp_path: Path, saved_as: str | None) -> None:
    folder = one_of("bert").save(tmp_path / "model", tied=True)
    with_json(folder, "config.json", architectures=[saved_as] if saved_as else None)
    model = loaded(folder)
    assert not is_causal(model.torch_model)
    assert model.surprisals([DOCUMENT[0].split()])["surprisal"].notna().all()


@pytest.mark.parametrize("architecture", ["bert", "roberta", "electra", "distilbert", "mpnet"])
def test_states_of_a_masked_model_never_know_what_comes_later(tmp_path: Path, architecture: str) -> None:
    one = one_of(architecture)
    model = loaded(one.save(tmp_path / "model", tied=one.ties[0]))
    first, other = (model.hidden_states([[*DOCUMENT[:2], last]])[:2] for last in (DOCUMENT[2], "a light above"))
    assert (first == other).all()


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (hf.BertConfig(is_decoder=True), "causal"),
        (hf.BertConfig(), "masked"),
        (hf.RobertaConfig(), "masked"),
        (hf.XLMRobertaConfig(is_decoder=True), "causal"),
        (hf.ElectraConfig(), "masked"),
        (hf.DistilBertConfig(), "masked"),
        (hf.MPNetConfig(), "masked"),
        (hf.ModernBertConfig(), "masked"),
        (hf.GPT2Config(), "causal"),
        (hf.LlamaConfig(), "causal"),
        (hf.MambaConfig(), "causal"),
        (hf.T5Config(), "encoder-decoder"),
        (hf.BartConfig(), "encoder-decoder"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.model_type,
)
def test_kind_goes_by_family_and_is_decoder(config: hf.PretrainedConfig, kind: str) -> None:
    assert kind_of(config) == kind


def test_what_is_no_language_model_is_refused() -> None:
    with pytest.raises(BadInput, match="'vit' is no language model"):
        kind_of(hf.ViTConfig())


def test_a_bert_that_writes_reads_only_what_came_before(tmp_path: Path) -> None:
    folder = one_of("bert").save(tmp_path / "model", tied=True)
    with_json(folder, "config.json", is_decoder=True, architectures=["BertLMHeadModel"])
    with_json(folder, "tokenizer_config.json", bos_token="[CLS]")
    model = loaded(folder)
    assert is_causal(model.torch_model)
    whole = model.hidden_states([DOCUMENT])
    assert torch.tensor(whole[:2]).allclose(torch.tensor(model.hidden_states([DOCUMENT[:2]])), atol=1e-5)


def test_a_causal_family_that_looks_ahead_is_refused_because_it_was_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = one_of("gemma3_text").save(tmp_path / "model", tied=True)
    with_json(folder, "config.json", use_bidirectional_attention=True)
    with pytest.raises(BadInput, match="is set up as a causal model but looks ahead"):
        loaded(folder)


def test_weights_that_give_no_numbers_are_refused(tmp_path: Path) -> None:
    folder = with_tensors(
        copied(tmp_path / "model"),
        lambda held: {name: t * float("nan") if name == "model.norm.weight" else t for name, t in held.items()},
    )
    with pytest.raises(MeasurementFailed, match="numbers that are not finite"):
        loaded(folder)


@pytest.mark.parametrize("family", ["Roberta", "XLMRoberta", "Camembert", "Longformer", "MPNet", "Data2VecText"])
def test_positions_counted_from_the_padding_are_no_tokens(fable_2m: LanguageModel, family: str) -> None:
    config = getattr(hf, f"{family}Config")(max_position_embeddings=66, pad_token_id=1)
    assert context_length(config, fable_2m.tokenizer) == 64


@pytest.mark.parametrize(("name", "limit"), [("max_position_embeddings", 77), ("n_positions", 31)])
def test_other_families_count_from_nought(fable_2m: LanguageModel, name: str, limit: int) -> None:
    config = hf.GPT2Config(n_positions=limit) if name == "n_positions" else hf.BertConfig(max_position_embeddings=limit)
    assert context_length(config, fable_2m.tokenizer) == limit


@pytest.mark.parametrize("architecture", ["roberta", "mpnet", "bert"])
def test_a_text_longer_than_the_positions_is_read_in_windows(tmp_path: Path, architecture: str) -> None:
    model = loaded(one_of(architecture).save(tmp_path / "model", tied=True))
    words = ["the", "old", "miller", "lit", "the", "lamp"] * 30
    assert len(model.tokenizer(" ".join(words))["input_ids"]) > model.context_length
    assert len(model.surprisals([words])) == len(words)
    assert len(model.hidden_states([words[:150]])) == 150


def test_a_sentence_transformers_folder_is_the_model_that_it_holds(tmp_path: Path) -> None:
    one = one_of("mpnet")
    inner = one.save(tmp_path / "st" / "0_Transformer", tied=True)
    (tmp_path / "st" / "modules.json").write_text(
        '[{"idx": 0, "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},'
        ' {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]'
    )
    found, plain = loaded(tmp_path / "st"), loaded(inner)
    assert found.name == "st"
    assert (found.hidden_states([DOCUMENT]) == plain.hidden_states([DOCUMENT])).all()
