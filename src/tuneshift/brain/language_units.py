"""Functional localisation: the units of a model that answer sentences more than strings of non-words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import yaml

from tuneshift.errors import BadInput
from tuneshift.human.embedded_data import embedded_file
from tuneshift.models import LanguageModel
from tuneshift.models.states import Pool, Stack
from tuneshift.progress import Progress, silent

STIMULI = "language_localiser.yaml"
NETWORK_SHARE = 0.01
"""The share of all units, over all layers together, that AlKhamissi et al. (2025) call a model's language network."""


@dataclass(frozen=True)
class LanguageUnits:
    """What the localiser found: `t` (L + 1, d), Welch's t of every unit; `units` (L + 1, k), each layer's top k.

    Units of a layer stand in the order of their numbers, so that all of them are the whole layer as it is.
    """

    t: np.ndarray
    units: np.ndarray

    @property
    def t_of_units(self) -> np.ndarray:
        """Welch's t (L + 1, k) of the chosen units."""
        return np.take_along_axis(self.t, self.units, axis=1)

    def network_by_layer(self, share: float = NETWORK_SHARE) -> list[int]:
        """Return how many units of each layer belong to the top `share` of all blocks' units, as was published."""
        blocks = self.t[1:]  # the embedding is no block
        most = max(1, round(share * blocks.size))
        chosen = np.argsort(-blocks, axis=None, kind="stable")[:most]
        return [0, *np.bincount(chosen // blocks.shape[1], minlength=len(blocks)).tolist()]


def localise(
    model: LanguageModel,
    k: int,
    pool: Pool = "last",
    stack: Stack = "encoder",
    progress: Progress = silent,
) -> LanguageUnits:
    """Return the k units of each layer that prefer sentences to non-words most (AlKhamissi et al. 2025, section 3).

    As published (after Fedorenko et al. 2010): the size of a unit's state at the end of each stimulus, Welch's t of
    sentences against non-words, the largest t. Two things differ. The published network is the top 1% over all layers
    together, which leaves some layers without a unit; a score for every layer needs units in every layer, so it is
    the top k of each (`network_by_layer` tells where the published network lies). And the stimuli are this project's
    own: 60 sentences of twelve words, and as many strings of as many pronounceable non-words and letters. They are no
    part of any recording, so the choice knows nothing of the responses that will be predicted.

    Raises BadInput for more units than a layer has.
    """
    refuse_too_many(k, model)
    sentences, non_words = localiser_stimuli()
    documents = [[text] for text in (*sentences, *non_words)]
    states = model.hidden_states(documents, pool=pool, stack=stack, progress=progress)
    t = preference(states[: len(sentences)], states[len(sentences) :])
    return LanguageUnits(t, top_units(t, k))


def refuse_too_many(k: int, model: LanguageModel) -> None:
    """Raise BadInput where a layer of the model has fewer than k units."""
    if k > model.n_units:
        raise BadInput(
            f"{k} language units a layer were asked for, and the layers of {model.name} have {model.n_units} units; "
            f"ask for at most {model.n_units}."
        )


@cache
def localiser_stimuli() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences, and the strings of non-words that match them one by one in words and letters."""
    content = yaml.safe_load(embedded_file(STIMULI).read_text(encoding="utf-8"))
    return tuple(content["sentences"]), tuple(content["non_words"])


def preference(sentences: np.ndarray, non_words: np.ndarray) -> np.ndarray:
    """Return Welch's t (L + 1, d) of the states' sizes at sentences (n, L + 1, d) against those at non-words.

    Sizes, since the sign of a unit of the residual stream means nothing. A unit that never changes has t = 0.
    """
    means, variances = [], []
    for states in (sentences, non_words):
        sizes = np.abs(states.astype(np.float64))
        means.append(sizes.mean(axis=0))
        variances.append(sizes.var(axis=0, ddof=1) / len(states))
    difference, spread = means[0] - means[1], np.sqrt(variances[0] + variances[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / spread
    return np.where(np.isnan(t), 0.0, t)


def top_units(t: np.ndarray, k: int) -> np.ndarray:
    """Return the numbers (L + 1, k) of the k units of largest t (L + 1, d) in each layer, in ascending order."""
    return np.sort(np.argsort(-t, axis=1, kind="stable")[:, :k], axis=1)


def random_units(n_layers: int, n_units: int, k: int, seed: int) -> np.ndarray:
    """Return the numbers (n_layers, k) of k random units of each layer, in ascending order; the seed fixes them."""
    rng = np.random.default_rng(seed)
    return np.stack([np.sort(rng.choice(n_units, size=k, replace=False)) for _ in range(n_layers)])
