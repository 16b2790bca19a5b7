"""Whether a model reads the text better than no model at all: bits a token against a uniform guess."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sanity:
    """Mean surprisal of a text in bits a token, and what a guess with equal chances for every token would have."""

    bits: float
    uniform: float

    @property
    def line(self) -> str:
        """One line that stands with every result."""
        return f"mean surprisal {self.bits:.1f} bits a token; uniform would be {self.uniform:.1f}"

    def warnings(self, name: str) -> tuple[str, ...]:
        """Return a warning where the model does no better than a uniform guess, nothing else."""
        if self.bits < self.uniform:
            return ()
        return (
            f"{name} reads this text no better than a guess with equal chances for every token ({self.line}): its "
            "weights are random or damaged, or its tokenizer is another model's, so its scores mean nothing.",
        )


def sanity(plain: np.ndarray, n_tokens: np.ndarray, n_vocabulary: int) -> Sanity:
    """Return the sanity of plain surprisals (n_words,) in bits, of `n_tokens` (n_words,) tokens each."""
    return Sanity(float(plain.sum() / n_tokens.sum()), math.log2(n_vocabulary))
