"""Linear CKA and the logit lens, against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import changed

from tuneshift.inside import state_shift
from tuneshift.inside.pairing import as_weights
from tuneshift.inside.states.lens import lens_of_difference
from tuneshift.inside.states.similarity import cka_with_interval, linear_cka
from tuneshift.inside.words import word_list
from tuneshift.models import LanguageModel

TEXTS = [["A tree fell,", "and nobody heard"], ["Rain came.", "The road was wet;", "we walked"], ["So it ended!"]] * 4


def _by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """Kornblith et al. (2019), linear CKA over features: ||Y'X||^2 / (||X'X|| ||Y'Y||), columns centred."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return float(np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 30), st.integers(1, 8), st.integers(1, 8))
def test_cka_is_its_definition(seed: int, n: int, d1: int, d2: int) -> None:
    generator = np.random.default_rng(seed)
    x, y = generator.standard_normal((n, d1)) + 3, generator.standard_normal((n, d2))
    assert linear_cka(x, y) == pytest.approx(_by_definition(x, y), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_cka_sees_no_rotation_shift_or_scale(seed: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((20, 6))
    turn = np.linalg.qr(generator.standard_normal((6, 6)))[0]
    assert linear_cka(x, 3 * x @ turn + 7) == pytest.approx(1, abs=1e-9)


def test_the_interval_is_that_of_documents_drawn_again() -> None:
    generator = np.random.default_rng(3)
    x = generator.standard_normal((40, 5))
    y = x + generator.standard_normal((40, 5))
    documents = np.repeat(np.arange(10), 4)
    value, low, high = cka_with_interval(x, y, documents, seed=1)
    counts = np.random.default_rng(1).multinomial(10, np.full(10, 0.1), size=500)
    expected = []
    for count in counts:
        rows = np.repeat(np.arange(40), count[documents])
        expected.append(_by_definition(x[rows], y[rows]))
    np.testing.assert_allclose([low, high], np.quantile(expected, [0.025, 0.975]), atol=1e-9)
    assert value == pytest.approx(_by_definition(x, y))
    assert np.isnan(cka_with_interval(x, y, np.repeat([0, 1], 20))[1])


def test_a_constant_representation_has_no_cka() -> None:
    assert np.isnan(linear_cka(np.ones((10, 3)), np.random.default_rng(0).standard_normal((10, 3))))


def test_only_layers_after_a_change_move(fable_2m: LanguageModel) -> None:
    def edit(model: Any) -> None:
        model.model.layers[2].mlp.down_proj.weight.mul_(1.5)

    result = state_shift(fable_2m, changed(fable_2m, edit), TEXTS)
    for layer in range(5):
        change = result.value(metric="state_change", layer=layer)
        assert change == 0 if layer < 3 else change > 0.01


def test_the_lens_reads_out_the_difference_of_logits(fable_2m: LanguageModel) -> None:
    """After the last norm, the mean change of a word's logit is that of the model's own logits."""
    words = word_list(fable_2m.tokenizer)
    generator = np.random.default_rng(2)
    base = generator.standard_normal((3, 2, 128)).astype(np.float32)
    tuned = base + 0.1 * generator.standard_normal(base.shape).astype(np.float32)
    found = lens_of_difference(base, tuned, as_weights(fable_2m), words, n=5)
    torch_model = fable_2m.torch_model
    for layer in range(2):
        states = [torch.from_numpy(side[:, layer]) for side in (base, tuned)]
        with torch.no_grad():
            logits = [torch_model.lm_head(torch_model.model.norm(s) if layer == 0 else s) for s in states]
        change = (logits[1] - logits[0]).mean(dim=0)
        tokens = torch.tensor([tokens[0] for tokens in words.tokens])
        expected = [words.words[i] for i in change[tokens].topk(5).indices]
        assert [word for word, _ in found[layer]["raised"]] == expected
        assert found[layer]["raised"][0][1] == pytest.approx(float(change[tokens].max()), abs=2e-3)
        assert found[layer]["lowered"][0][1] == pytest.approx(float(change[tokens].min()), abs=2e-3)
