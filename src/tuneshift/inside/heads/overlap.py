"""How many word pairs a head keeps through tuning: Jaccard index of its pairs before and after."""

from __future__ import annotations

import numpy as np

from tuneshift.inside.heads.knowledge import HeadKnowledge
from tuneshift.inside.heads.patterns import WordPairs


def head_overlap(base: WordPairs, tuned: WordPairs, shift: int = 0) -> np.ndarray:
    """Return the Jaccard index of each head's pairs in base and tuned (n_layers, n_heads).

    Two heads without pairs agree (1). With `shift`, head h of the base meets head h + shift of the tuned model in the
    same layer: what two different heads share is what chance and common words give.
    """
    n_words = len(base.words)
    return np.array(
        [
            [
                _jaccard(_codes(head, n_words), _codes(theirs.heads[(h + shift) % len(theirs.heads)], n_words))
                for h, head in enumerate(mine.heads)
            ]
            for mine, theirs in zip(base.layers, tuned.layers, strict=True)
        ]
    )


def _codes(head: HeadKnowledge, n_words: int) -> np.ndarray:
    codes: np.ndarray = head.pairs[:, 0].astype(np.int64) * n_words + head.pairs[:, 1]
    return codes


def _jaccard(first: np.ndarray, second: np.ndarray) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - shared
    return shared / union if union else 1.0
