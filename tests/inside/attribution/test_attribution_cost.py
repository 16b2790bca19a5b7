"""The cheaper way is chosen, in chunks that fit."""

from __future__ import annotations

import numpy as np
import pytest
from attribution_models import laid_out, tiny

from tuneshift.inside.attribution import cost
from tuneshift.inside.attribution.cost import choose_chunk, choose_mode, position_passes


def test_short_prompts_with_long_responses_go_forwards_and_long_prompts_with_short_responses_backwards() -> None:
    model = tiny("llama")
    assert choose_mode(laid_out(4, 40), model) == "forward"
    assert choose_mode(laid_out(40, 4), model) == "reverse"
    assert choose_mode(laid_out(4, 0), model) == "reverse"


def test_position_passes_count_what_each_token_can_see() -> None:
    # three response tokens behind two prompt tokens: 2 + 3 + 4 positions backwards, 2 tangents over 4 forwards
    assert position_passes(laid_out(2, 3)) == (9, 8)
    # an encoder of two positions, and a decoder that has read 1, 2 and 3
    assert position_passes(laid_out(2, 3, encoder=True)) == (3 * 2 + 6, 2 * (2 + 3))


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_little_memory_means_small_chunks(monkeypatch: pytest.MonkeyPatch, mode: cost.Mode) -> None:
    model, layout = tiny("llama"), laid_out(64, 64)
    sizes = []
    for free in (0.0, 2e7, 1e12):
        monkeypatch.setattr(cost, "free_memory", lambda device, free=free: free)
        sizes.append(choose_chunk(layout, model, mode))
    assert sizes[0] == 1
    assert sizes == sorted(sizes)
    assert sizes[-1] == 16


def test_chunks_are_of_nearly_equal_size() -> None:
    # 17 tokens in two halves, not in 16 and a lone one
    assert choose_chunk(laid_out(8, 17), tiny("llama"), "reverse") == 9


def test_free_memory_is_some_of_this_machine() -> None:
    free = cost.free_memory(tiny("llama").device)
    assert 1e6 < free < 1e14
    assert np.isfinite(free)
