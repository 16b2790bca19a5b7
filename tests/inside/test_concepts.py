"""What feed-forward layers write: against a plain SVD, and with a component planted in a hand-made model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import blank_llama, families, language_model, sixty_words, weights_of

from tuneshift.inside import FeedforwardConcepts, feedforward_concepts
from tuneshift.inside.concepts import components as components_module
from tuneshift.inside.concepts.components import principal_components
from tuneshift.models import LanguageModel


@pytest.mark.parametrize("family", list(families().FAMILIES))
def test_every_architecture_agrees_with_a_plain_svd(family: str, fable_2m: LanguageModel) -> None:
    weights = weights_of(families().tiny(family), fable_2m.tokenizer)
    listed, anatomy = sixty_words(fable_2m.tokenizer), weights.anatomy
    found = feedforward_concepts(weights, words=listed, n_components=6, top_words=8)
    matrix = anatomy.output_embeddings(weights.read).double().numpy()
    outputs = np.stack([matrix[list(tokens)].mean(axis=0) for tokens in listed.tokens])
    outputs /= np.linalg.norm(outputs, axis=1, keepdims=True)
    for layer in range(anatomy.n_layers):
        rows = anatomy.down_projection(weights.read, layer).double().numpy()
        _, singular, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        components, words = found.layers[layer].components, found.layers[layer].words
        np.testing.assert_allclose(components.variance, singular[:6] ** 2 / len(rows), rtol=1e-4)
        np.testing.assert_allclose(components.share, (singular[:6] / np.linalg.norm(singular)) ** 2, rtol=1e-4)
        assert np.abs(np.sum(components.directions.numpy() * directions[:6], axis=1)).min() > 0.9999
        projections = components.directions.double().numpy() @ outputs.T
        for component in range(6):
            expected = np.argsort(-np.abs(projections[component]))[:8]
            assert set(words.places[component]) == set(expected)
            np.testing.assert_allclose(
                words.projections[component], projections[component][words.places[component]], atol=1e-5
            )


def test_large_layers_go_another_way_to_the_same_components(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    weights = torch.randn(300, 40) * torch.linspace(3, 1, 40) + 5
    small = principal_components(weights, 10)
    monkeypatch.setattr(components_module, "_SMALL", 0)
    large = principal_components(weights, 10)
    torch.testing.assert_close(small.directions, large.directions, atol=1e-4, rtol=0)
    np.testing.assert_allclose(small.variance, large.variance, rtol=1e-4)
    np.testing.assert_allclose(small.share, large.share, rtol=1e-4)


def test_more_components_than_units_are_as_many_as_units() -> None:
    found = principal_components(torch.randn(30, 8), 300)
    assert found.directions.shape == (8, 8)
    assert found.share.sum() == pytest.approx(1, abs=1e-5)


def _planted(tokenizer: Any, theme: list[str]) -> LanguageModel:
    """Layer 2 has neurons, some for and some against, that write the mean output direction of the theme's words."""
    model = blank_llama(tokenizer, d=128)
    vocabulary = tokenizer.get_vocab()
    outputs = model.lm_head.weight
    direction = torch.stack([outputs[vocabulary[f"Ġ{word}"]] for word in theme]).mean(dim=0)
    neurons = torch.randn(40, generator=torch.Generator().manual_seed(2)) * 3
    model.model.layers[1].mlp.down_proj.weight[:, :40] += torch.outer(direction / direction.norm(), neurons)
    return language_model(model, tokenizer)


def test_a_planted_component_is_found_by_its_words(fable_2m: LanguageModel) -> None:
    theme = ["king", "queen", "prince", "crown", "throne"]
    found = feedforward_concepts(_planted(fable_2m.tokenizer, theme))
    top, bottom = found.describe(2, 0)
    assert set(theme) <= {*top[:8], *bottom[:8]}
    assert set(theme) <= set(top) or set(theme) <= set(bottom)  # all on one side
    share = found.layers[1].components.share
    assert share[0] > 3 * share[1]
    for component in range(5):
        elsewhere = found.describe(1, component)
        assert len(set(theme) & {*elsewhere[0], *elsewhere[1]}) < 3


def test_the_table_of_components_says_what_each_component_says(fable_2m: LanguageModel) -> None:
    found = feedforward_concepts(fable_2m, n_words=500, top_words=20)
    table = found.table(n_components=2)
    assert len(table) == 4 * 2 * 20
    rows = table[(table["layer"] == 3) & (table["component"] == 1)]
    assert set(rows["word"]) == {word for side in found.describe(3, 1) for word in side}
    assert (rows["projection"].abs().diff().dropna() <= 0).all()
    assert rows["share"].iloc[0] == pytest.approx(found.layers[2].components.share[1])


def test_one_model_alone_gives_variance_by_layer_and_components_to_browse(fable_2m: LanguageModel) -> None:
    result = FeedforwardConcepts(kept_components=3).run(fable_2m)
    browsable = result.details["concepts"]["components"]
    assert [(c["layer"], c["component"]) for c in browsable] == [(layer, c) for layer in (1, 2, 3, 4) for c in range(3)]
    assert all(0 < c["share"] < 1 and c["side"] == "model" and len(c["words_top"]) >= 15 for c in browsable)
    for layer in range(1, 5):
        assert 0 < result.value(metric="variance_share", layer=layer, target="mean") < 1
    first = browsable[0]
    named = f"component 0: {', '.join(first['words_top'][:8])}"
    assert result.value(metric="variance_share", layer=1, target=named) == pytest.approx(first["share"])
