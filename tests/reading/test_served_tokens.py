"""A server's tokens are laid over the text letter by letter; what does not fit is refused with its place."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.reading.served.dialects import DIALECTS, ServedTokens, Unreadable, tokens_of
from tuneshift.reading.served.matching import Mismatch, word_scores
from tuneshift.reading.served.spellings import _byte_of_character

BIT = -math.log(2)  # the log probability of one bit, in nats
ECHO, _, PROMPT = DIALECTS


def _tokens(*texts: str | None, first: float | None = None) -> ServedTokens:
    """Tokens of 1, 2, 3, ... bits, but the first."""
    return ServedTokens(texts, (first, *((i + 1) * BIT for i in range(1, len(texts)))))


def test_a_word_has_the_bits_of_its_tokens_and_the_first_one_none_without_a_start_token() -> None:
    scores = word_scores(["Once", "upon", "a"], _tokens("On", "ce", " up", "on", " a"))
    np.testing.assert_allclose(scores.bits, [np.nan, 7, 5])
    assert scores.n_tokens.tolist() == [2, 2, 1]
    assert scores.start == ()


@pytest.mark.parametrize("start", ["<s>", "", "<|begin_of_text|>", None])
def test_a_start_token_is_no_part_of_the_text(start: str | None) -> None:
    scores = word_scores(["Once", "upon"], _tokens(start, "Once", " up", "on"))
    np.testing.assert_allclose(scores.bits, [2, 7])
    assert scores.start == ("?" if start is None else start,)


def test_two_start_tokens_are_no_part_of_the_text_either() -> None:
    scores = word_scores(["Once", "upon"], _tokens("[gMASK]", "<sop>", "Once", " upon"))
    np.testing.assert_allclose(scores.bits, [3, 4])
    assert scores.start == ("[gMASK]", "<sop>")


def test_a_first_token_without_text_is_the_first_word_s_where_the_text_begins_before_the_second() -> None:
    scores = word_scores(["Once", "upon"], _tokens(None, "ce", " upon"))
    np.testing.assert_allclose(scores.bits, [np.nan, 3])
    assert scores.n_tokens.tolist() == [2, 1]


def test_what_the_server_wrote_itself_behind_the_text_is_left_out() -> None:
    np.testing.assert_allclose(word_scores(["a", "b"], _tokens("<s>", "a", " b", " c")).bits, [2, 3])
    with pytest.raises(Mismatch, match="the text ends after 'a b', and tokens go on with ' c'"):
        word_scores(["a", "b"], _tokens("<s>", "a", " b", " c", " d"))


@pytest.mark.parametrize(
    "texts",
    [
        ("<s>", "▁nai", "<0xC3>", "<0xAF>", "ve", "▁", "<0xE6>", "<0x97>", "<0xA5>", "!"),
        ("<s>", "nai", "bytes:\\xc3", "bytes:\\xaf", "ve", " ", "bytes:\\xe6", "bytes:\\x97", "bytes:\\xa5", "!"),
        ("<s>", "nai", "\ufffd", "\ufffd", "ve", " ", "\ufffd", "\ufffd", "\ufffd", "!"),
        ("<s>", "nai", "", "ï", "ve", "", "", "", "日", "!"),
        ("<s>", "nai", "Ã", "¯", "ve", "Ġ", "æ", "Ĺ", "¥", "!"),
    ],
    ids=["sentencepiece", "openai", "replaced", "put together", "byte-level"],
)
def test_parts_of_a_character_belong_to_its_word(texts: tuple[str, ...]) -> None:
    scores = word_scores(["naiïve", "日!"], _tokens(*texts))
    assert scores.n_tokens.tolist() == [4, 5]
    np.testing.assert_allclose(scores.bits, [2 + 3 + 4 + 5, 6 + 7 + 8 + 9 + 10])


def test_parts_of_a_character_may_end_the_text_and_a_word_of_the_server_s_own_follow() -> None:
    for texts in (("<s>", "a", " “", "\ufffd", "\ufffd"), ("<s>", "a", " “", "\ufffd", "\ufffd", " The")):
        assert word_scores(["a", "“”"], _tokens(*texts)).n_tokens.tolist() == [1, 3]


@given(st.lists(st.text(st.sampled_from("abé日“🙂."), min_size=1, max_size=6), min_size=1, max_size=8), st.data())
def test_any_text_cut_anywhere_within_its_words_is_laid_out_right(words: list[str], data: st.DataObject) -> None:
    pieces, owners = ["<s>"], []
    spell = {byte: character for character, byte in _byte_of_character().items()}
    replaced = data.draw(st.booleans())
    for number, word in enumerate(words):
        raw = (" " + word if number else word).encode()
        cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=3))) if len(raw) > 1 else []
        for first, last in zip([0, *cuts], [*cuts, len(raw)], strict=True):
            part = raw[first:last]
            pieces.append(part.decode(errors="replace") if replaced else "".join(spell[byte] for byte in part))
            owners.append(number)
    try:
        scores = word_scores(words, _tokens(*pieces))
    except Mismatch:
        assert replaced  # parts of characters side by side with the same whole ones can be laid out in several ways
        return
    assert scores.n_tokens.tolist() == np.bincount(owners, minlength=len(words)).tolist()


def test_a_token_over_two_words_is_refused_with_both() -> None:
    with pytest.raises(BadInput, match=r"words 2 and 3 \('New', 'York'\) share the token ' New York'"):
        word_scores(["in", "New", "York"], _tokens("<s>", "in", " New York"))
    with pytest.raises(BadInput, match=r"words 1 and 2 \('in', 'New'\) share the token 'in '"):
        word_scores(["in", "New"], _tokens("<s>", "in ", "New"))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("<s>", "the", " cat"), "after 'the' the text goes on with ' Cat sat', and the token is ' cat'"),
        (("<s>", "the", " Cat"), "after 'the Cat' the text goes on with ' sat', and there is no token left"),
        ((" Cat", " sat"), "at the beginning the text goes on with 'the Cat sat', and the token is ' Cat'"),
        ((), "at the beginning .* there is no token left"),
    ],
)
def test_tokens_that_are_not_the_text_s_are_refused_with_the_place(texts: tuple[str, ...], said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        word_scores(["the", "Cat", "sat"], _tokens(*texts) if texts else ServedTokens((), ()))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "is nan"),
        (-math.inf, "is -inf; no model with a softmax gives that"),
        (-9999.0, "is -9999; no model"),
        (0.5, "is 0.5; the log of a probability is never above 0"),
        (None, r"token 3 \(' b'\) has no log probability"),
    ],
)
def test_numbers_that_are_no_log_probabilities_are_refused(value: float | None, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        word_scores(["a", "b"], ServedTokens(("<s>", "a", " b"), (None, -1.0, value)))


def test_a_first_token_of_probability_one_with_nothing_before_it_has_none() -> None:
    assert np.isnan(word_scores(["a", "b"], ServedTokens(("a", " b"), (0.0, -1.0))).bits[0])
    assert word_scores(["a", "b"], ServedTokens(("<s>", "a", " b"), (0.0, -1.0, -1.0))).bits[0] > 1


def test_rounding_above_zero_is_a_probability_of_one() -> None:
    assert word_scores(["a"], ServedTokens(("<s>", "a"), (None, 1e-6))).bits[0] == pytest.approx(0, abs=1e-5)


def _answer(**choice: Any) -> bytes:
    return json.dumps({"choices": [choice]}).encode()


def test_of_two_tokens_in_one_place_the_prompt_s_own_is_the_one_of_lower_rank() -> None:
    both = {
        "279": {"logprob": -1.25, "rank": 1, "decoded_token": " the"},
        "281": {"logprob": -10.5, "rank": 2163, "decoded_token": " p"},
    }
    assert tokens_of(PROMPT, _answer(prompt_logprobs=[None, both])).texts == (None, " p")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"logprobs": None}, "no log probabilities"),
        ({"logprobs": {"tokens": ["a"]}}, "no list of tokens"),
        ({"logprobs": {"tokens": ["a"], "token_logprobs": [None, -1.0]}}, "1 tokens and 2 log probabilities"),
        ({"logprobs": {"tokens": [7], "token_logprobs": [None]}}, "one of its tokens is 7"),
        ({"logprobs": {"tokens": ["a"], "token_logprobs": ["None"]}}, "one of its log probabilities is 'None'"),
        ({"logprobs": {"content": ["a"]}}, "no list of tokens"),
    ],
)
def test_an_answer_of_another_shape_is_not_guessed_at(choice: dict[str, Any], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        tokens_of(ECHO, _answer(**choice))


@pytest.mark.parametrize(
    "positions", ["no list", [None, {}], [None, None], [None, {"1": {"logprob": -1.0}}], [None, {"1": 3}]]
)
def test_prompt_log_probabilities_of_another_shape_are_not_guessed_at(positions: Any) -> None:
    with pytest.raises(Unreadable):
        tokens_of(PROMPT, _answer(prompt_logprobs=positions))
