"""Leaving prompt tokens out one by one: what gradients estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from attribution_models import laid_out, tiny
from scipy.stats import spearmanr

from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.occlusion import leave_one_out, rank_agreement
from tuneshift.inside.attribution.reverse import reverse_attribution
from tuneshift.inside.attribution.target import log_probability


def one_by_one(model: Any, layout: Layout, without: str) -> np.ndarray:
    """The same with one reading of the whole for each token."""
    embed = model.get_input_embeddings()

    def probabilities(embeddings: torch.Tensor, shift: int) -> np.ndarray:
        inputs: dict[str, Any] = {"inputs_embeds": embeddings}
        if layout.decoder_ids is not None:
            inputs["decoder_input_ids"], shift = torch.as_tensor(layout.decoder_ids)[None], 0
        p = model(**inputs).logits[0].softmax(-1)
        return p[layout.response - 1 - shift, layout.target_ids].numpy()

    full = embed(torch.as_tensor(layout.ids)[None])
    rows = []
    for position in layout.prompt:
        if without == "deleted":
            changed = torch.cat([full[:, :position], full[:, position + 1 :]], 1)
        else:
            changed = full.clone()
            changed[0, position] = 0
        rows.append(probabilities(full, 0) - probabilities(changed, 1 if without == "deleted" else 0))
    return np.array(rows)


@pytest.mark.parametrize("without", ["silenced", "deleted"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
def test_a_batch_of_prompts_gives_what_one_by_one_gives(family: str, without: Any) -> None:
    model, layout = tiny(family), laid_out(6, 5, encoder=family == "t5")
    expected = one_by_one(model, layout, without)
    for chunk in (1, 4, 16):
        drops, p = leave_one_out(model, layout, without=without, chunk=chunk)
        np.testing.assert_allclose(drops, expected, atol=1e-6)
        assert p.shape == (5,)


def test_log_probabilities_drop_by_the_log_of_the_ratio() -> None:
    model, layout = tiny("llama"), laid_out(4, 3)
    drops, p = leave_one_out(model, layout)
    of_logs, logs = leave_one_out(model, layout, target=log_probability(layout))
    np.testing.assert_allclose(np.exp(logs), p, rtol=1e-5)
    np.testing.assert_allclose(p - np.exp(logs - of_logs), drops, atol=1e-6)


def test_where_the_model_is_nearly_linear_the_gradient_is_the_drop() -> None:
    model, layout = tiny("gpt2").double(), laid_out(6, 5)
    model.get_input_embeddings().weight.mul_(1e-4)  # a step to zero is small, so its first order is all there is
    drops, _ = leave_one_out(model, layout)
    raw, _ = reverse_attribution(model, layout)
    np.testing.assert_allclose(drops, raw, rtol=1e-2, atol=1e-3 * np.abs(raw).max())
    np.testing.assert_allclose(rank_agreement(raw, drops), 1, atol=0.1)


def test_rank_agreement_is_spearmans_r_of_each_response_token() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(12, 4)).round(1), random.normal(size=(12, 4)).round(1)
    expected = [spearmanr(a[:, m], b[:, m]).statistic for m in range(4)]
    np.testing.assert_allclose(rank_agreement(a, b), expected)
    assert np.isnan(rank_agreement(np.zeros((3, 1)), np.arange(3.0)[:, None])).all()


def test_an_empty_response_has_nothing_to_drop() -> None:
    drops, p = leave_one_out(tiny("llama"), laid_out(3, 0))
    assert drops.shape == (3, 0)
    assert p.shape == (0,)
