"""Parts of a text know their tokens; windows cover every token with enough context."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.documents import tokenise, windows

# Bytes of one character may be tokens of their own, so accents are worth trying.
words = st.text(alphabet="abcdefghijklmnop'ÄéXYZ.,!?-", min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(words, min_size=1, max_size=30))
def test_the_tokens_of_all_parts_spell_the_text(fable_2m: LanguageModel, parts: list[str]) -> None:
    document = tokenise(parts, fable_2m.tokenizer)
    assert document.first[0] == 0
    assert document.last[-1] == len(document.ids) - 1
    np.testing.assert_array_equal(document.first[1:], document.last[:-1] + 1)
    for part, first, last in zip(parts, document.first, document.last, strict=True):
        assert fable_2m.tokenizer.decode(document.ids[first : last + 1]).strip() == part


def test_an_empty_part_is_refused_with_its_place(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="part 2 of 3 is empty"):
        tokenise(["A king", " ", "slept."], fable_2m.tokenizer)


@given(n_tokens=st.integers(1, 5000), length=st.integers(2, 400))
def test_windows_take_each_token_once_with_half_a_window_of_context(n_tokens: int, length: int) -> None:
    taken: list[int] = []
    for window in windows(n_tokens, length):
        assert 0 <= window.start <= window.fresh < window.stop <= n_tokens
        assert window.stop - window.start <= length
        if window.start:
            assert window.fresh - window.start >= length // 2
        taken.extend(range(window.fresh, window.stop))
    assert taken == list(range(n_tokens))
