"""One start token for a pair: the same weights give the same numbers, whatever a tokenizer says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.models.saved import copied, with_json
from transformers import AutoTokenizer, LlamaConfig, PreTrainedTokenizerBase

from tuneshift.brain import brain_alignment
from tuneshift.human import load_data
from tuneshift.inside import attribute
from tuneshift.models import LanguageModel
from tuneshift.models.start_token import start_shared_with, start_token
from tuneshift.study import load_study, run

SENTENCES = [["the", "miller", "woke"], ["rain", "fell"], ["she", "put", "the", "book", "down"]]


def tokenizer_of(folder: Path, **metadata: str | None) -> PreTrainedTokenizerBase:
    """fable's tokenizer, whose files say this of its special tokens."""
    copied(folder)
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    with_json(folder, "tokenizer_config.json", **metadata)
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return found


METADATA = {
    "as published": {},
    "no start token": {"bos_token": None},
    "another end token": {"bos_token": None, "eos_token": "<|pad|>"},
    "no end token": {"bos_token": None, "eos_token": None},
    "another start token": {"bos_token": "<|pad|>"},
    "padded with the end": {"bos_token": None, "pad_token": "<|endoftext|>"},
}


# Where nothing but the tokenizer says what begins a text, another start token is another start token.
@pytest.mark.parametrize(
    ("said", "configured"),
    [(said, yes) for said in METADATA for yes in (True, False) if (said, yes) != ("another start token", False)],
)
def test_the_same_weights_read_the_same_whatever_the_tokenizer_says_of_itself(
    tmp_path: Path, fable_2m: LanguageModel, said: str, configured: bool
) -> None:
    folder = tmp_path / "model"
    tokenizer_of(folder, **METADATA[said])
    if not configured:
        with_json(folder, "config.json", bos_token_id=0)
        text = (folder / "config.json").read_text().replace('"bos_token_id": 0', '"bos_token_id": null')
        (folder / "config.json").write_text(text)
    other = LanguageModel.load(str(folder), device="cpu")
    assert other.start_token == fable_2m.start_token == "<|endoftext|>"
    assert (other.surprisals(SENTENCES)["surprisal"] == fable_2m.surprisals(SENTENCES)["surprisal"]).all()
    assert np.array_equal(other.hidden_states(SENTENCES), fable_2m.hidden_states(SENTENCES))
    pair = [attribute(model, "Say the word: river", "river flows on and on").raw for model in (fable_2m, other)]
    assert np.array_equal(*pair)


def test_a_pair_with_other_start_tokens_of_its_own_reads_the_base_s(tmp_path: Path, fable_2m: LanguageModel) -> None:
    """Qwen-like: the configuration says nothing, and each tokenizer has a start token of its own."""
    tokenizer_of(tmp_path / "tuned", bos_token="<|pad|>")
    with_json(tmp_path / "tuned", "config.json", bos_token_id=0)
    text = (tmp_path / "tuned" / "config.json").read_text().replace('"bos_token_id": 0', '"bos_token_id": null')
    (tmp_path / "tuned" / "config.json").write_text(text)
    alone = LanguageModel.load(str(tmp_path / "tuned"), device="cpu")
    pair = LanguageModel.load(str(tmp_path / "tuned"), device="cpu", starts_like="fable-2m")
    assert (alone.start_token, pair.start_token) == ("<|pad|>", "<|endoftext|>")
    surprisal = [model.surprisals(SENTENCES)["surprisal"].to_numpy() for model in (fable_2m, alone, pair)]
    assert np.abs(surprisal[1] - surprisal[0]).max() > 0.5  # bits: what the start token alone can do
    assert np.array_equal(surprisal[2], surprisal[0])
    untrained = pair.untrained(1)
    assert untrained.start_token_id == pair.start_token_id


def test_brain_scores_of_the_same_weights_are_the_same_number(tmp_path: Path, fable_2m: LanguageModel) -> None:
    tokenizer_of(tmp_path / "tuned", bos_token=None, eos_token="<|pad|>")
    tuned = LanguageModel.load(str(tmp_path / "tuned"), device="cpu")
    recording = load_data("simulated_brain")
    found = [brain_alignment(model, recording) for model in (fable_2m, tuned)]
    values = [result.table["value"].to_numpy(float) for result in found]
    assert np.array_equal(*values, equal_nan=True)
    assert [result.details["start_token"] for result in found] == ["<|endoftext|>"] * 2


def test_a_study_s_pair_differs_by_exactly_nothing_where_the_weights_do_not(tmp_path: Path) -> None:
    tokenizer_of(tmp_path / "tuned", bos_token="<|pad|>")
    text = (tmp_path / "tuned" / "config.json").read_text().replace('"bos_token_id": 0', '"bos_token_id": null')
    (tmp_path / "tuned" / "config.json").write_text(text)
    study = load_study(
        {
            "name": "same",
            "models": ["fable-2m", {"model": str(tmp_path / "tuned"), "base": "fable-2m"}],
            "measurements": [{"kind": "reading", "data": "simulated_reading", "n_boot": 0, "mixed_model": False}],
        }
    )
    results = run(study, out=tmp_path / "out")
    table = results.table[results.table["metric"].isin(["pearson_r", "delta_ll"])]
    base, tuned = (part["value"].tolist() for _, part in table.groupby("model"))
    assert base == tuned
    prints = table.groupby("model")["fingerprint"].first()
    assert prints.nunique() == 2


def test_a_configuration_s_inherited_number_is_no_start_token_where_it_is_padding_or_a_word(
    tmp_path: Path, fable_2m: LanguageModel
) -> None:
    tokenizer = fable_2m.tokenizer
    assert start_token(LlamaConfig(vocab_size=8192), tokenizer) == tokenizer.bos_token_id  # 1, which is <|pad|> here
    assert start_token(LlamaConfig(vocab_size=8192, bos_token_id=300), tokenizer) == tokenizer.bos_token_id
    assert start_token(LlamaConfig(vocab_size=8192, bos_token_id=None), tokenizer) == tokenizer.bos_token_id


def test_a_tuned_model_with_another_vocabulary_keeps_its_own_start_and_says_so(
    tmp_path: Path, fable_2m: LanguageModel
) -> None:
    from tools.architectures.tokenizers import tokenizer

    other, config = tokenizer("bytes"), LlamaConfig(vocab_size=260, bos_token_id=None)
    start, (note,) = start_shared_with(
        config, other, fable_2m.torch_model.config, fable_2m.tokenizer, "mine", "fable-2m"
    )
    assert start == other.bos_token_id
    assert "mine begins texts with '<s>' and its base fable-2m with '<|endoftext|>'" in note
