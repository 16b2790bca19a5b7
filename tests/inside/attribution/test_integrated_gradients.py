"""Integrated gradients add up to what the prompt changes, and match captum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from attribution_models import apart, laid_out, tiny
from captum.attr import IntegratedGradients

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.integrated import integrated_gradients
from tuneshift.inside.attribution.reverse import reverse_attribution
from tuneshift.inside.attribution.target import log_probability


@pytest.mark.parametrize("baseline", ["mean", 3])
@pytest.mark.parametrize(("family", "gap"), [("gpt2", 1e-3), ("llama", 1e-3), ("t5", 0.05)])  # T5 has corners
def test_contributions_add_up_to_what_the_prompt_changes(family: str, gap: float, baseline: Any) -> None:
    layout = laid_out(5, 4, encoder=family.startswith("t5"))
    found = integrated_gradients(tiny(family), layout, steps=48, baseline=baseline)
    change = found.reached - found.baseline
    assert found.raw.shape == (5, 4)
    assert np.abs(found.gap).max() < gap * np.abs(change).max()


def test_more_steps_close_the_gap_even_from_zero() -> None:
    model, layout = tiny("gpt2").double(), laid_out(4, 3)
    gaps = [np.abs(integrated_gradients(model, layout, steps=n, baseline="zero").gap).max() for n in (4, 16, 256)]
    assert gaps[2] < 1e-3 * gaps[0]
    assert gaps[1] < gaps[0]


def test_both_ways_give_the_same_and_any_chunk() -> None:
    model, layout = tiny("llama"), laid_out(5, 6)
    one = integrated_gradients(model, layout, steps=3, mode="reverse", chunk=2)
    other = integrated_gradients(model, layout, steps=3, mode="forward", chunk=3)
    assert apart(other.raw, one.raw) < 1e-5


def test_captum_finds_the_same() -> None:
    model, layout = tiny("gpt2").double(), laid_out(4, 5)
    model.set_attn_implementation("eager")
    embeddings = model.get_input_embeddings()(torch.as_tensor(layout.ids)[None])
    baseline = embeddings.clone()
    baseline[0, :4] = model.get_input_embeddings()(torch.tensor(7))
    position, own = layout.response[3] - 1, layout.target_ids[3]
    captum = IntegratedGradients(lambda e: model(inputs_embeds=e).logits[:, position].softmax(-1)[:, own])
    expected = captum.attribute(embeddings, baselines=baseline, n_steps=20, method="gausslegendre").sum(-1)[0, :4]
    found = integrated_gradients(model, layout, steps=20, baseline=7)
    np.testing.assert_allclose(found.raw[:, 3], expected.detach().numpy(), rtol=1e-6)


def test_a_target_that_is_linear_on_the_way_needs_one_step() -> None:
    """A model without blocks is linear up to its logits; the target picks one of them."""
    model, layout = tiny("gpt2"), laid_out(1, 1)
    model.transformer.h = torch.nn.ModuleList()
    model.config.num_hidden_layers = 0
    model.transformer.ln_f = torch.nn.Identity()
    found = integrated_gradients(model, layout, steps=1, target=lambda logits, part: logits[:, 5])
    raw, _ = reverse_attribution(model, layout, target=lambda logits, part: logits[:, 5])
    np.testing.assert_allclose(found.gap, 0, atol=1e-5)
    mean = model.get_input_embeddings().weight.mean(0)
    mean_logit = float(mean @ model.lm_head.weight[5])
    np.testing.assert_allclose(found.raw, raw - mean_logit, atol=1e-5)


def test_log_probabilities_can_be_integrated_too() -> None:
    model, layout = tiny("llama"), laid_out(4, 3)
    found = integrated_gradients(model, layout, steps=48, target=log_probability(layout))
    assert (found.reached < 0).all()
    assert np.abs(found.gap).max() < 1e-3 * np.abs(found.reached - found.baseline).max()


def test_bad_steps_and_bad_tokens_are_refused() -> None:
    model, layout = tiny("llama"), laid_out(3, 2)
    with pytest.raises(BadInput, match="steps = 0"):
        integrated_gradients(model, layout, steps=0)
    with pytest.raises(BadInput, match="baseline token 60"):
        integrated_gradients(model, layout, baseline=60)
