"""Why this word rather than that: a difference of two attributions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attribution_models import apart, laid_out, tiny

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.contrast import contrastive_attribution, likeliest_others
from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.reverse import reverse_attribution
from tuneshift.inside.attribution.target import log_chosen


@pytest.mark.parametrize("family", ["llama", "gpt2", "t5"])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_contrast_is_the_attribution_of_the_one_minus_that_of_the_other(family: str, mode: str) -> None:
    model, layout = tiny(family), laid_out(5, 4, encoder=family == "t5")
    foils = np.array([7, 8, 9, 10])
    found = contrastive_attribution(model, layout, foils, mode=mode)  # type: ignore[arg-type]
    own, p = reverse_attribution(model, layout, target=lambda z, part: log_chosen(z, layout.target_ids[part]))
    other, q = reverse_attribution(model, layout, target=lambda z, part: log_chosen(z, foils[part]))
    assert apart(found.raw, own - other) < 1e-5
    np.testing.assert_allclose(found.difference, p - q, atol=1e-5)


def test_exchanging_the_two_words_changes_the_sign() -> None:
    model, layout = tiny("llama"), laid_out(5, 1)
    foil = 7
    one = contrastive_attribution(model, layout, [foil])
    swapped_ids = layout.ids.copy()
    swapped_ids[-1] = foil
    swapped = Layout(swapped_ids, layout.prompt, layout.own, layout.offsets, layout.response)
    other = contrastive_attribution(model, swapped, [int(layout.ids[-1])])
    assert apart(-other.raw, one.raw) < 1e-5


def test_by_default_the_foil_is_the_likeliest_other_token() -> None:
    model, layout = tiny("llama"), laid_out(4, 6)
    logits = model(torch.as_tensor(layout.ids)[None]).logits[0, layout.response - 1].numpy()
    logits[np.arange(6), layout.target_ids] = -np.inf
    np.testing.assert_array_equal(likeliest_others(model, layout), logits.argmax(1))
    np.testing.assert_array_equal(contrastive_attribution(model, layout).foil_ids, logits.argmax(1))


def test_a_word_against_itself_has_no_reasons() -> None:
    model, layout = tiny("llama"), laid_out(4, 3)
    found = contrastive_attribution(model, layout, layout.target_ids)
    np.testing.assert_allclose(found.raw, 0, atol=1e-6)
    np.testing.assert_allclose(found.difference, 0, atol=1e-6)


def test_wrong_foils_are_refused() -> None:
    model, layout = tiny("llama"), laid_out(4, 3)
    with pytest.raises(BadInput, match="2 foils were given for a response of 3"):
        contrastive_attribution(model, layout, [1, 2])
    with pytest.raises(BadInput, match="from 0 to 59; found 1 to 60"):
        contrastive_attribution(model, layout, [1, 2, 60])
