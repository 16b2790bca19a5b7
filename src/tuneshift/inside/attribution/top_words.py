"""The words of a prompt that a response leans on most: tokens put together into words again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class PromptWord(NamedTuple):
    """A word of a prompt, the density of its strongest token, and whether it belongs to the instruction."""

    word: str
    density: float
    instruction: bool


def prompt_words(
    tokens: Sequence[str], density: Sequence[float], instruction: Sequence[bool], own: Sequence[bool]
) -> list[PromptWord]:
    """Return the words of a prompt in reading order, from its tokens (P,), their densities (P,) and marks (P,).

    A token begins a word where it brings white space along or follows some, and where the prompt's own text (`own`)
    begins; white space alone is no word, nor is what nobody wrote (beginning of sequence, chat template).
    """
    words: list[PromptWord] = []
    begins = True
    for token, value, marked, mine in zip(tokens, density, instruction, own, strict=True):
        text = token.strip() if mine else ""
        if text and (begins or token[0].isspace()):
            words.append(PromptWord(text, float(value), bool(marked)))
        elif text:
            before = words[-1]
            words[-1] = PromptWord(
                before.word + text, max(before.density, float(value)), before.instruction or bool(marked)
            )
        begins = not text or token[-1].isspace()  # after a blank, or after the frame
    return words


def strongest_words(words: Sequence[PromptWord], n: int) -> list[PromptWord]:
    """Return the n words of the highest density, the strongest first, those without any left out."""
    return sorted((word for word in words if word.density > 0), key=lambda word: -word.density)[:n]
