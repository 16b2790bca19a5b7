"""What tuning moved: nothing between equal models, a known angle where one was planted, verbs that heads gain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import blank_llama, changed, language_model, turned_by

from tuneshift.errors import BadInput
from tuneshift.inside import (
    FeedforwardConcepts,
    HeadPatterns,
    compare_internals,
    concept_shift,
    head_patterns,
    head_shift,
    state_shift,
)
from tuneshift.inside.concepts.rotation import matched_components, principal_angles, random_rotation
from tuneshift.inside.heads.overlap import head_overlap
from tuneshift.inside.heads.verbs import verb_gain
from tuneshift.inside.pairing import layers_label, quarters
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights

UNMOVED = {
    "head_overlap": 1.0, "rotation_deg": 0.0, "rotation_largest_deg": 0.0,
    "rotation_matched_deg": 0.0, "concept_overlap": 1.0, "weight_change": 0.0,
    "state_cka": 1.0, "state_cosine": 1.0, "state_change": 0.0,
}  # fmt: skip
TEXTS = [["A tree fell,", "and nobody heard"], ["Rain came.", "The road was wet;", "we walked"], ["So it ended!"]] * 4


@pytest.fixture(scope="module")
def blank(fable_2m: LanguageModel) -> LanguageModel:
    return language_model(blank_llama(fable_2m.tokenizer, layers=4), fable_2m.tokenizer, "base")


def test_two_equal_models_show_no_shift_anywhere(fable_2m: LanguageModel) -> None:
    twin = changed(fable_2m, lambda model: None)
    result = compare_internals(fable_2m, twin, documents=TEXTS)
    layers = result.table[result.table["layer"].str.fullmatch(r"\d+").fillna(False)]
    assert set(layers["metric"]) == set(UNMOVED)
    for metric, expected in UNMOVED.items():
        values = layers.loc[layers["metric"] == metric, "value"].astype(float)
        assert len(values) == {"state": 5}.get(metric[:5], 4)
        np.testing.assert_allclose(values, expected, atol=1e-5)
    verbs = result.table[result.table["metric"].str.startswith("verb_gain")]
    assert verbs["value"].isna().all()  # every head ties: there is no share
    assert set(result.table["measurement"]) == {"internals"}
    assert all(lens["raised"] == lens["lowered"] == [] for lens in result.details["lens"])
    assert np.abs(result.arrays["principal_angles"]).max() < 1e-5


@pytest.mark.parametrize("angle", [5.0, 30.0, 60.0, 90.0])
def test_a_layer_turned_by_a_known_angle_shows_it_and_no_other_layer_does(blank: LanguageModel, angle: float) -> None:
    k = 8
    turned = changed(blank, turned_by(angle, k, layer=3))
    result = concept_shift(blank, turned, FeedforwardConcepts(rotation_components=k, n_components=20))
    angles = result.arrays["principal_angles"]
    np.testing.assert_allclose(angles.sel(layer=3), angle, atol=0.05)
    for metric in ("rotation_deg", "rotation_largest_deg"):
        assert result.value(metric=metric, layer=3) == pytest.approx(angle, abs=0.05)
    for layer in (1, 2, 4):
        assert float(np.abs(angles.sel(layer=layer)).max()) < 1e-5
        assert result.value(metric="weight_change", layer=layer) == 0
    random = result.value(metric="rotation_deg", target="random rotation")
    assert 50 < random < 90


@pytest.mark.parametrize("angle", [2.0, 20.0, 40.0])
def test_a_turn_of_all_directions_shows_in_each_of_them(blank: LanguageModel, angle: float) -> None:
    """Units turned pairwise by one angle: every direction lies at that angle from itself, subspaces at less."""

    def edit(torch_model: Any) -> None:
        weights = torch_model.model.layers[1].mlp.down_proj.weight
        radians = torch.tensor(np.radians(angle))
        even, odd = weights[::2].clone(), weights[1::2].clone()
        weights[::2] = radians.cos() * even - radians.sin() * odd
        weights[1::2] = radians.sin() * even + radians.cos() * odd

    result = concept_shift(blank, changed(blank, edit))
    np.testing.assert_allclose(result.arrays["matched_angles"].sel(layer=2), angle, atol=0.1)
    assert result.value(metric="rotation_matched_deg", layer=2) == pytest.approx(angle, abs=0.1)
    assert float(result.arrays["principal_angles"].sel(layer=2).max()) <= angle + 0.1
    for layer in (1, 3, 4):
        assert result.value(metric="rotation_matched_deg", layer=layer) < 1e-5


def test_only_the_heads_of_a_changed_layer_lose_pairs(blank: LanguageModel) -> None:
    def edit(model: Any) -> None:
        query = model.model.layers[1].self_attn.q_proj.weight
        query[16:32] = torch.randn(query[16:32].shape, generator=torch.Generator().manual_seed(9)) / 8

    result = head_shift(blank, changed(blank, edit))
    overlap = result.arrays["head_overlap"]
    expected = np.ones((4, 4))
    expected[1, 1] = float(overlap.sel(layer=2, head=1))
    np.testing.assert_array_equal(overlap, expected)
    assert expected[1, 1] < 0.3
    assert result.value(metric="head_overlap", layer=2, target="mean") == pytest.approx(expected[1].mean())
    assert result.details["heads"]["score"]["change"][1][1] == expected[1, 1]


def test_what_different_heads_share_is_what_chance_gives(blank: LanguageModel) -> None:
    own = head_patterns(blank)
    expected = []
    for layer in own.layers:
        for h in range(4):
            first, second = ({tuple(pair) for pair in layer.heads[i % 4].pairs.tolist()} for i in (h, h + 2))
            expected.append(len(first & second) / len(first | second))
    np.testing.assert_allclose(head_overlap(own, own, shift=2).ravel(), expected)
    result = head_shift(blank, changed(blank, lambda model: None))
    assert result.value(metric="head_overlap", target="another head") == pytest.approx(np.mean(expected))


def test_a_verb_that_one_key_head_takes_up_is_a_gain() -> None:
    """Verb 0 rises in 3 of 4 heads that change, verb 1 in none; ties count for nothing."""
    base = np.zeros((2, 4, 3))
    tuned = base.copy()
    tuned[0, :3, 0] = 2
    base[1, 0, 0] = 5
    base[1, 1:3, 1] = 1
    gain = verb_gain(base, tuned, [0, 2], [1], queries_per_key=2)
    assert gain.instruction[0] == pytest.approx(0.75)  # verb 2 never changes and is left out
    assert gain.control[0] == 0
    assert gain.difference[0] == pytest.approx(0.75)
    assert gain.n_key_heads == 4
    assert np.isnan(gain.shares[0][1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_exchanging_base_and_tuned_turns_gains_into_losses(seed: int) -> None:
    generator = np.random.default_rng(seed)
    base, tuned = generator.integers(0, 4, size=(2, 4, 4, 6)).astype(float)
    there, back = (verb_gain(*pair, [0, 1, 2], [3, 4, 5], 2) for pair in ((base, tuned), (tuned, base)))
    assert there.instruction[0] == pytest.approx(1 - back.instruction[0])
    assert there.instruction[1] == pytest.approx(1 - back.instruction[2])
    assert there.difference[0] == pytest.approx(-back.difference[0])
    assert there.p == pytest.approx(back.p)


def test_verbs_planted_in_more_heads_are_a_significant_gain() -> None:
    generator = np.random.default_rng(5)
    base = generator.poisson(6, size=(8, 8, 60)).astype(float)
    tuned = base + generator.choice([-1, 0, 1], size=base.shape)
    tuned[:, :, :30] = base[:, :, :30] + generator.choice([-1, 0, 1], p=[0.15, 0.2, 0.65], size=(8, 8, 30))
    gain = verb_gain(base, tuned, range(30), range(30, 60), queries_per_key=4)
    assert gain.p < 1e-6
    assert 0.75 < gain.instruction[1] < gain.instruction[0] < gain.instruction[2] < 0.88
    assert gain.control[1] < 0.5 < gain.control[2]
    assert gain.difference[1] > 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_principal_angles_agree_with_scipy(seed: int, k: int) -> None:
    from scipy.linalg import subspace_angles

    first, second = np.random.default_rng(seed).standard_normal((2, k, 12))
    expected = np.degrees(np.sort(subspace_angles(first.T, second.T)))
    np.testing.assert_allclose(principal_angles(first, second), expected, atol=1e-8)


def test_tiny_angles_are_exact() -> None:
    first, turn = np.eye(3, 9), np.eye(9)
    angle = np.radians(1e-7)
    turn[0, 0] = turn[5, 5] = np.cos(angle)
    turn[0, 5], turn[5, 0] = np.sin(angle), -np.sin(angle)
    np.testing.assert_allclose(principal_angles(first, first @ turn), [0, 0, 1e-7], rtol=1e-6, atol=1e-12)


def test_random_subspaces_of_a_plane_have_the_known_mean_angle() -> None:
    """Two random lines in the plane: the angle is uniform between 0 and 90 degrees."""
    draws = np.concatenate([random_rotation(1, 2, seed).principal.ravel() for seed in range(40)])
    assert draws.mean() == pytest.approx(45, abs=3 * 26 / len(draws) ** 0.5)
    assert random_rotation(5, 400).principal.mean() > 80  # high dimensions: nearly at right angles


def test_components_that_change_places_and_signs_are_matched() -> None:
    base = np.linalg.qr(np.random.default_rng(0).standard_normal((10, 4)))[0].T
    order = [2, 0, 3, 1]
    places, angles = matched_components(base, -base[order])
    assert [order[place] for place in places] == [0, 1, 2, 3]
    np.testing.assert_allclose(angles, 0, atol=1e-12)


def test_layers_are_grouped_in_quarters() -> None:
    assert [layers_label(group) for group in quarters(32)] == ["1-8", "9-16", "17-24", "25-32"]
    assert [layers_label(group) for group in quarters(3)] == ["1-1", "2-2", "3-3"]
    assert [len(group) for group in quarters(10)] == [3, 3, 2, 2]


def test_a_tuned_model_keeps_more_of_its_base_than_chance(
    fable_2m: LanguageModel, fable_2m_instruct: LanguageModel
) -> None:
    result = compare_internals(fable_2m, fable_2m_instruct, documents=TEXTS)
    chance = result.value(metric="head_overlap", target="another head")
    random = result.value(metric="rotation_deg", target="random rotation")
    for layer in range(1, 5):
        assert chance < result.value(metric="head_overlap", layer=layer, target="mean") < 1
        assert 0 < result.value(metric="rotation_deg", layer=layer) < random
        assert 0.5 < result.value(metric="state_cka", layer=layer) < 1
    assert len(result.details["lens"]) == 5


def test_files_give_the_numbers_of_loaded_models(fable_2m: LanguageModel, fable_2m_instruct: LanguageModel) -> None:
    spec = HeadPatterns(n_words=500), FeedforwardConcepts(n_words=500)
    files = [Weights.open(name, device="cpu") for name in ("fable-2m", "fable-2m-instruct")]
    one = compare_internals(*files, heads=spec[0], concepts=spec[1])
    other = [head_shift(fable_2m, fable_2m_instruct, spec[0]), concept_shift(fable_2m, fable_2m_instruct, spec[1])]
    values = np.concatenate([part.table["value"].to_numpy(dtype=float, na_value=np.nan) for part in other])
    np.testing.assert_allclose(one.table["value"].to_numpy(dtype=float, na_value=np.nan), values, rtol=1e-5)


def test_models_that_are_no_pair_are_refused(fable_2m: LanguageModel, blank: LanguageModel) -> None:
    other = language_model(blank_llama(fable_2m.tokenizer, layers=3), fable_2m.tokenizer, "shallow")
    with pytest.raises(BadInput, match="shallow is no tuned version of base: n_layers is 3 there and 4 here"):
        head_shift(blank, other)
    strange = type(fable_2m.tokenizer).from_pretrained(fable_2m.tokenizer.name_or_path)
    strange.add_tokens(["xyzzy"])
    grown = language_model(blank.torch_model, strange, "grown")
    state_shift(blank, grown, TEXTS)  # a tuned model may have added tokens
    with pytest.raises(BadInput, match=r"tokenizers of grown and base differ: token 'xyzzy' is number"):
        concept_shift(grown, blank)
    with pytest.raises(BadInput, match="have 2 parts, at least 10 are needed"):
        state_shift(blank, blank, TEXTS[:1])
