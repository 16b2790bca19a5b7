"""Backwards, forwards and one backward pass a token are the same numbers, for every architecture and every chunk."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from attribution_models import DOUBLE, FAMILIES, apart, laid_out, published, tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneshift.inside.attribution import forward, reverse
from tuneshift.inside.attribution.cost import gradient_times_input
from tuneshift.inside.attribution.forward import forward_attribution
from tuneshift.inside.attribution.layout import Layout, lay_out
from tuneshift.inside.attribution.prefix import goes_on
from tuneshift.inside.attribution.reverse import prompt_embeddings, reverse_attribution
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule
from tuneshift.inside.attribution.target import log_probability
from tuneshift.models import LanguageModel

model_of = lru_cache(maxsize=None)(tiny)


def encoder(family: str) -> bool:
    return family.startswith("t5")


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "bloom"])
def test_both_ways_match_one_backward_pass_for_each_token(family: str) -> None:
    model, layout = model_of(family), laid_out(7, 9, encoder=encoder(family))
    expected = published(model, layout)
    for way in (reverse_attribution, forward_attribution):
        raw, probabilities = way(model, layout, 4)
        assert raw.dtype == np.float32
        assert raw.shape == (7, 9)
        assert apart(raw, expected) < 1e-5
        assert (probabilities > 0).all()


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_is_as_exact_as_its_own_rounding(family: str, half: torch.dtype) -> None:
    model, layout = tiny(family), laid_out(7, 9, encoder=encoder(family))
    expected, _ = reverse_attribution(model, layout)
    for way in (reverse_attribution, forward_attribution):
        raw, _ = way(model.to(half), layout, 4)
        assert raw.dtype == np.float32
        assert apart(raw, expected) < 0.1


def test_a_norm_behind_the_embeddings_leaves_nothing_of_their_scale() -> None:
    """BLOOM normalises embeddings at once: their scale changes nothing, so all that is left is the norm's epsilon."""
    model, layout = model_of("bloom"), laid_out(7, 9)
    directions = torch.randn(7, 32)
    other = (prompt_embeddings(model, layout), directions)
    raw, along = reverse_attribution(model, layout)[0], reverse_attribution(model, layout, point=other)[0]
    assert np.abs(raw).max() < 1e-3 * np.abs(along).max()
    assert apart(forward_attribution(model, layout, 3, point=other)[0], along) < 1e-5


@pytest.mark.parametrize("family", DOUBLE)
def test_both_ways_are_exact_in_double_precision(family: str) -> None:
    model, layout = tiny(family).double(), laid_out(6, 5)
    expected = published(model, layout)
    assert apart(reverse_attribution(model, layout, 2)[0], expected) < 1e-8
    assert apart(forward_attribution(model, layout, 4)[0], expected) < 1e-8


def test_a_finite_difference_in_one_embeddings_scale_gives_its_row() -> None:
    model, layout, step = tiny("gpt2").double(), laid_out(5, 6), 1e-5
    raw, _ = reverse_attribution(model, layout)
    embeddings = model.get_input_embeddings()(torch.as_tensor(layout.ids)[None])
    scaled = []
    for scale in (1 + step, 1 - step):
        changed = embeddings.clone()
        changed[0, 2] *= scale
        p = model(inputs_embeds=changed).logits[0].softmax(-1)
        scaled.append(p[layout.response - 1, layout.target_ids].numpy())
    np.testing.assert_allclose((scaled[0] - scaled[1]) / (2 * step), raw[2], rtol=1e-6, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(n_prompt=st.integers(1, 9), n_response=st.integers(1, 9), chunk=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_size_of_a_chunk_changes_nothing(n_prompt: int, n_response: int, chunk: int, seed: int) -> None:
    model, layout = model_of("llama"), laid_out(n_prompt, n_response, seed=seed)
    expected, p = reverse_attribution(model, layout, n_response)
    for way in (reverse_attribution, forward_attribution):
        raw, probabilities = way(model, layout, chunk)
        np.testing.assert_allclose(raw, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
        np.testing.assert_allclose(probabilities, p, rtol=1e-5)


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
def test_later_response_tokens_do_not_change_earlier_ones(family: str) -> None:
    long = laid_out(6, 8, encoder=encoder(family))
    short = laid_out(6, 8, encoder=encoder(family))
    decoder = None if short.decoder_ids is None else short.decoder_ids[:5]
    ids = short.ids if decoder is not None else short.ids[:10]
    short = Layout(ids, short.prompt, short.own, short.offsets, short.response[:4], decoder)
    model = model_of(family)
    for way in (reverse_attribution, forward_attribution):
        whole, part = way(model, long)[0], way(model, short)[0]
        assert apart(whole[:, :4], part) < 1e-5


@pytest.mark.parametrize("family", ["llama", "gpt2", "falcon, alibi", "qwen3"])
def test_reading_on_gives_what_reading_again_from_the_start_gives(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, layout = model_of(family), laid_out(6, 8)
    assert goes_on(model, layout)
    once = [way(model, layout, 3)[0] for way in (reverse_attribution, forward_attribution)]
    for module in (reverse, forward):
        monkeypatch.setattr(module, "goes_on", lambda model, layout: False)
    again = [way(model, layout, 3)[0] for way in (reverse_attribution, forward_attribution)]
    for one, other in zip(once, again, strict=True):
        assert apart(one, other) < 1e-5


@pytest.mark.parametrize("family", ["mistral, sliding window", "gemma3", "t5"])
def test_models_that_keep_other_things_than_all_keys_read_again(family: str) -> None:
    assert not goes_on(model_of(family), laid_out(6, 8, encoder=encoder(family)))


@pytest.mark.parametrize("mode", ["auto", "reverse", "forward"])
def test_an_empty_response_has_no_columns(mode: Any) -> None:
    raw, p = gradient_times_input(model_of("llama"), laid_out(4, 0), mode=mode)
    assert raw.shape == (4, 0)
    assert p.shape == (0,)


def test_gradients_of_log_probabilities_are_those_of_probabilities_over_them() -> None:
    model, layout = model_of("llama"), laid_out(5, 6)
    raw, p = reverse_attribution(model, layout)
    for way in (reverse_attribution, forward_attribution):
        of_logs, logs = way(model, layout, 4, target=log_probability(layout))
        np.testing.assert_allclose(np.exp(logs), p, rtol=1e-5)
        assert apart(of_logs * p, raw) < 1e-5


def test_the_model_keeps_its_attention_and_its_weights_take_no_gradients() -> None:
    model, layout = tiny("llama"), laid_out(4, 3)
    model.set_attn_implementation("sdpa")
    for way in (reverse_attribution, forward_attribution):
        way(model, layout)
        assert model.config._attn_implementation == "sdpa"
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.get_output_embeddings()._forward_pre_hooks
    assert torch.is_grad_enabled()


class _Unknown(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.fft.fft(x).real


def test_operations_without_a_rule_are_refused_forwards_and_go_backwards_instead() -> None:
    model, layout = tiny("llama"), laid_out(3, 12)
    model.model.norm = torch.nn.Sequential(model.model.norm, _Unknown())
    with pytest.raises(NoTangentRule, match="fft"):
        gradient_times_input(model, layout, mode="forward")
    raw, _ = gradient_times_input(model, layout)
    assert apart(raw, published(model, layout)) < 1e-5


class _Written(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x * 1.5
        y += x
        y.mul_(0.5)
        return y


def test_writing_into_a_tensor_moves_its_tangents_too() -> None:
    model, layout = tiny("llama"), laid_out(3, 5)
    model.model.norm = torch.nn.Sequential(_Written(), model.model.norm)
    assert apart(forward_attribution(model, layout)[0], published(model, layout)) < 1e-5


class _WrittenView(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x * 1.5
        y[..., :3] += x[..., :3]
        return y


def test_writing_into_a_view_is_refused_since_its_base_would_not_follow() -> None:
    model, layout = tiny("llama"), laid_out(3, 5)
    model.model.norm = torch.nn.Sequential(_WrittenView(), model.model.norm)
    with pytest.raises(NoTangentRule):
        forward_attribution(model, layout)


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_a_real_model_and_its_tokenizer_give_the_same_both_ways(fable_2m_instruct: LanguageModel, form: Any) -> None:
    layout = lay_out(fable_2m_instruct, "Repeat the word: apple", "apple apple pear", form)
    model = fable_2m_instruct.torch_model
    raw, p = reverse_attribution(model, layout)
    forward, q = forward_attribution(model, layout)
    assert apart(forward, raw) < 1e-5
    np.testing.assert_allclose(p, q, rtol=1e-5)
