"""One pass over a document gives the states that re-reading the context for every part would give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel

STORY = [
    ["The miller woke before the sun.", "He lit the lamp and listened.", "Somewhere below, the wheel had stopped."],
    ["A letter came.", "Nobody dared to open it until the evening, when the doctor returned."],
]


def _reread(model: LanguageModel, parts: list[str], upto: int) -> list[torch.Tensor]:
    ids = [model.tokenizer.bos_token_id, *model.tokenizer(" ".join(parts[: upto + 1]))["input_ids"]]
    with torch.inference_mode():
        output = model.torch_model(torch.tensor([ids]), output_hidden_states=True)
    return [layer[0] for layer in output.hidden_states]


def test_one_pass_equals_rereading_the_context_for_every_part(fable_2m: LanguageModel) -> None:
    states = fable_2m.hidden_states(STORY)
    assert states.shape == (5, fable_2m.n_layers + 1, fable_2m.n_units)
    row = 0
    for parts in STORY:
        for upto in range(len(parts)):
            expected = torch.stack([layer[-1] for layer in _reread(fable_2m, parts, upto)])
            np.testing.assert_allclose(states[row], expected.numpy(), atol=1e-4)
            row += 1


def test_the_mean_over_a_parts_tokens_can_be_asked_for(fable_2m: LanguageModel) -> None:
    states = fable_2m.hidden_states(STORY, pool="mean")
    layers = _reread(fable_2m, STORY[0], 0)
    np.testing.assert_allclose(states[0], torch.stack([layer[1:].mean(0) for layer in layers]).numpy(), atol=1e-4)


def test_layers_can_be_chosen_and_wrong_ones_are_named(fable_2m: LanguageModel) -> None:
    every = fable_2m.hidden_states(STORY)
    np.testing.assert_array_equal(fable_2m.hidden_states(STORY, layers=[-1, 2]), every[:, [4, 2]])
    with pytest.raises(BadInput, match=r"layer 9 does not exist: this model has layers 0 \(embeddings\) to 4"):
        fable_2m.hidden_states(STORY, layers=[9])


def test_batching_changes_nothing(fable_2m: LanguageModel) -> None:
    np.testing.assert_allclose(
        fable_2m.hidden_states(STORY, batch_tokens=1), fable_2m.hidden_states(STORY, batch_tokens=10_000), atol=1e-5
    )


def test_a_document_past_the_context_is_read_in_overlapping_windows(fable_2m: LanguageModel) -> None:
    words = [["the", "river", "was", "deep", "and", "the", "night", "was", "long"][i % 9] for i in range(1500)]
    ids = fable_2m.tokenizer(" ".join(words))["input_ids"]
    assert len(ids) == 1500  # one token a word, so that word 1,200 is token 1,200
    states = fable_2m.hidden_states([words], layers=[-1])[:, 0]
    start = 1500 - 1023  # the second window: what the context holds behind the beginning-of-text mark
    with torch.inference_mode():
        window = torch.tensor([[fable_2m.tokenizer.bos_token_id, *ids[start:]]])
        expected = fable_2m.torch_model(window, output_hidden_states=True).hidden_states[-1][0]
    np.testing.assert_allclose(states[1200], expected[1200 - start + 1].numpy(), atol=1e-4)


def test_an_untrained_twin_has_the_same_shape_other_weights_and_a_seed(fable_2m: LanguageModel) -> None:
    twin, again, other = fable_2m.untrained(1), fable_2m.untrained(1), fable_2m.untrained(2)
    states = twin.hidden_states(STORY)
    assert states.shape == fable_2m.hidden_states(STORY).shape
    np.testing.assert_array_equal(states, again.hidden_states(STORY))
    assert np.abs(states - other.hidden_states(STORY)).max() > 0.01
    assert len({twin.revision, other.revision, fable_2m.revision}) == 3


@pytest.fixture(scope="module")
def tiny_t5(fable_2m: LanguageModel) -> LanguageModel:
    torch.manual_seed(3)
    tokenizer: PreTrainedTokenizerFast = fable_2m.tokenizer
    config = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_ff=64, d_kv=8, num_heads=4, num_layers=3, num_decoder_layers=2,
        decoder_start_token_id=1, eos_token_id=0, pad_token_id=1,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config).eval().requires_grad_(False)
    return LanguageModel("tiny-t5", model, tokenizer, "test")


def test_an_encoder_never_sees_what_follows_a_part(tiny_t5: LanguageModel) -> None:
    changed = [[*STORY[0][:2], "All was well, and the children laughed."], STORY[1]]
    before, after = tiny_t5.hidden_states(STORY), tiny_t5.hidden_states(changed)
    assert before.shape == (5, 4, 32)
    np.testing.assert_allclose(before[[0, 1, 3, 4]], after[[0, 1, 3, 4]], atol=1e-5)
    assert np.abs(before[2] - after[2]).max() > 1e-3


def test_decoder_states_are_given_on_request_and_look_back_only(tiny_t5: LanguageModel) -> None:
    changed = [[*STORY[0][:2], "All was well, and the children laughed."], STORY[1]]
    before, after = (tiny_t5.hidden_states(text, stack="decoder") for text in (STORY, changed))
    assert before.shape == (5, 3, 32)
    np.testing.assert_allclose(before[[0, 1, 3, 4]], after[[0, 1, 3, 4]], atol=1e-5)
