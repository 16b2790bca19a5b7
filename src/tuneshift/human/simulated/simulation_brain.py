"""Simulated brains: responses to sentences in which it is known what drives every voxel, and how strongly.

The variance of a voxel is the sum of five shares, which add up to one:

- model: a few leading directions of a language model's features, after what sentence length, position and words
  explain was taken out of the features;
- nuisance: the sentence's length in words;
- other: driven by the sentence and common to all participants, but not in the model;
- drift: slow change within a passage, of each participant's own;
- noise: independent from sentence to sentence.

Features come in as an array, so that this module needs no language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr
from wordfreq import word_frequency

from tuneshift.errors import BadInput

SHARES = ("model", "nuisance", "other", "drift", "noise")


@dataclass(frozen=True)
class VoxelKind:
    """How the variance of a kind of voxel is divided; `model` is the middle of a range of +-`spread`."""

    model: float = 0.0
    nuisance: float = 0.0
    other: float = 0.0
    drift: float = 0.0
    spread: float = 0.0

    def shares(self, strength: float, quality: float = 1.0) -> tuple[float, ...]:
        """Return the shares in the order of `SHARES`.

        `strength`, between -1 and 1, is the voxel's place in the range; `quality` multiplies all that the sentence
        drives, as participants differ in how clean their recordings are.
        """
        model = quality * (self.model + strength * self.spread)
        given = (model, quality * self.nuisance, quality * self.other, self.drift)
        return (*given, 1.0 - sum(given))


KINDS = {
    "language": VoxelKind(model=0.42, other=0.10, drift=0.12, spread=0.08),
    "length": VoxelKind(nuisance=0.20, drift=0.12),
    "drift": VoxelKind(drift=0.60),
    "silent": VoxelKind(),
}
REGIONS = {
    "temporal": ("language",) * 9 + ("silent",),
    "frontal": ("language",) * 9 + ("silent",),
    "occipital": ("language",) * 5 + ("length",) * 4 + ("silent",),
    "midline": ("language",) * 5 + ("drift",) * 4 + ("silent",),
}


@dataclass(frozen=True)
class BrainPlan:
    """What to plant: who, where, which kinds of voxel, and the constants of the parts.

    `n_directions` leading directions of the features carry the model's part. `common` is the share of that part that
    a voxel has in common with the same voxel of the other participants. `drift_memory` is the correlation of drift
    between neighbouring sentences of a passage. The quality of participants is uniform in 1 +- `quality_spread`.
    """

    n_participants: int = 12
    regions: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(REGIONS))
    kinds: dict[str, VoxelKind] = field(default_factory=lambda: dict(KINDS))
    n_directions: int = 4
    common: float = 0.8
    drift_memory: float = 0.9
    quality_spread: float = 0.25


def simulate_brain(
    features: np.ndarray, texts: Sequence[str], passages: Sequence[str], plan: BrainPlan | None = None, seed: int = 0
) -> xr.Dataset:
    """Return responses (`stimulus`, `target`) of simulated participants, with the planted truth of every target.

    `features` (n_stimuli, n_units) are the states of a language model at each text, `passages` the passage of each.
    The dataset has the coordinates of a Recording; `responses` has about unit variance. Along `target` it holds
    the truth: `kind`; `share_model`, `share_nuisance`, `share_other`, `share_drift`, `share_noise` (adding up to 1);
    `unique_variance`, what the model explains beyond nuisance; `max_r` = its root, the best correlation that the
    model can reach; `ceiling` = root of the share of variance that is the same in all participants.

    Raises BadInput where the arguments differ in length or there are fewer stimuli than directions to plant.
    """
    plan = plan or BrainPlan()
    if not len(features) == len(texts) == len(passages):
        raise BadInput(f"{len(features)} rows of features, {len(texts)} texts and {len(passages)} passages must match.")
    rng = np.random.default_rng(seed)
    nuisance = sentence_nuisance(texts, passages)
    directions = leading_directions(features, nuisance.to_numpy(), plan.n_directions)
    length = _standardised(nuisance[["n_words"]].to_numpy())[:, 0]
    voxels = [(region, kind) for region, kinds in plan.regions.items() for kind in kinds]
    shape = (len(texts), len(voxels))

    strengths = rng.uniform(-1.0, 1.0, len(voxels))
    qualities = 1.0 + plan.quality_spread * rng.uniform(-1.0, 1.0, plan.n_participants)
    shares = np.array(
        [
            [plan.kinds[kind].shares(strength, quality) for (_, kind), strength in zip(voxels, strengths, strict=True)]
            for quality in qualities
        ]
    )  # (n_participants, n_voxels, n_shares)
    common = _unit_vectors(rng, plan.n_directions, len(voxels))
    other = _standardised(rng.standard_normal(shape))
    responses = []
    for planted in shares:
        own = _unit_vectors(rng, plan.n_directions, len(voxels), orthogonal_to=common)
        weights = np.sqrt(plan.common) * common + np.sqrt(1 - plan.common) * own
        drift = _standardised(_drift(rng, passages, len(voxels), plan.drift_memory))
        noise = _standardised(rng.standard_normal(shape))
        parts = (directions @ weights, np.repeat(length[:, None], len(voxels), axis=1), other, drift, noise)
        responses.append(sum(np.sqrt(share) * part for share, part in zip(planted.T, parts, strict=True)))
    return _dataset(np.hstack(responses), shares, voxels, texts, passages, plan)


def sentence_nuisance(texts: Sequence[str], passages: Sequence[str]) -> pd.DataFrame:
    """Return what a sentence shows without being understood, one row a text.

    `n_words`, `log_n_words`, `word_length` (letters), `log_frequency` (mean natural log of occurrences per million),
    `position` in the passage, `first` of its passage, and its marks: `quotation` anywhere, `closing_quote` and
    `question` at its end.
    """
    words = [text.split() for text in texts]
    position = pd.Series(list(passages)).groupby(list(passages)).cumcount().to_numpy()
    table = pd.DataFrame(
        {
            "n_words": [len(w) for w in words],
            "log_n_words": [np.log(len(w)) for w in words],
            "word_length": [np.mean([len(_bare(x)) for x in w]) for w in words],
            "log_frequency": [np.mean([log_frequency(x) for x in w]) for w in words],
            "position": position,
            "first": position == 0,
            "quotation": ['"' in text for text in texts],
            "closing_quote": [text.endswith('"') for text in texts],
            "question": [text.rstrip('"').endswith("?") for text in texts],
        }
    )
    return table.astype(float)


def log_frequency(word: str) -> float:
    """Return the natural log of a word's occurrences per million words of English, at least that of 0.01."""
    return float(np.log(max(word_frequency(_bare(word), "en") * 1e6, 0.01)))


def leading_directions(features: np.ndarray, nuisance: np.ndarray, n_directions: int) -> np.ndarray:
    """Return the first principal components (n_stimuli, n_directions) of standardised features free of nuisance.

    Columns have mean 0 and variance 1 and are uncorrelated with each other and with every column of `nuisance`.
    Signs are fixed, so that the same features give the same directions on every machine.
    """
    X = _standardised(np.asarray(features, dtype=np.float64))
    N = np.column_stack([np.ones(len(X)), _standardised(np.asarray(nuisance, dtype=np.float64))])
    if len(X) <= N.shape[1] + n_directions:
        raise BadInput(f"{len(X)} stimuli are too few for {n_directions} directions beyond {N.shape[1]} nuisances.")
    residual = X - N @ np.linalg.lstsq(N, X, rcond=None)[0]
    u, _, vt = np.linalg.svd(residual, full_matrices=False)
    largest = np.argmax(np.abs(vt[:n_directions]), axis=1)
    signs = np.sign(vt[np.arange(n_directions), largest])
    return _standardised(u[:, :n_directions] * signs)


def leave_one_out_ceiling(share: np.ndarray, n_participants: int) -> np.ndarray:
    """Return the correlation expected between one participant and the mean of the others.

    `share` of the variance is common to all, the rest independent: share / sqrt(share + (1 - share) / (S - 1)).
    It approaches `sqrt(share)`, the ceiling, as participants are added.
    """
    share = np.asarray(share, dtype=np.float64)
    return share / np.sqrt(share + (1 - share) / (n_participants - 1))


def _drift(rng: np.random.Generator, passages: Sequence[str], n_voxels: int, memory: float) -> np.ndarray:
    """First-order autoregressive noise, started anew in every passage, (n_stimuli, n_voxels)."""
    steps = rng.standard_normal((len(passages), n_voxels))
    out = np.empty_like(steps)
    for row, passage in enumerate(passages):
        new = row == 0 or passages[row - 1] != passage
        out[row] = steps[row] if new else memory * out[row - 1] + np.sqrt(1 - memory**2) * steps[row]
    return out


def _unit_vectors(rng: np.random.Generator, n: int, count: int, orthogonal_to: np.ndarray | None = None) -> np.ndarray:
    """Columns of length one (n, count), each at right angles to the same column of `orthogonal_to`."""
    vectors = rng.standard_normal((n, count))
    if orthogonal_to is not None:
        vectors -= orthogonal_to * (orthogonal_to * vectors).sum(axis=0)
    return vectors / np.linalg.norm(vectors, axis=0)


def _standardised(X: np.ndarray) -> np.ndarray:
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _bare(word: str) -> str:
    return word.strip("\"'.,;:!?()").lower()


def _dataset(
    responses: np.ndarray,
    shares: np.ndarray,
    voxels: Sequence[tuple[str, str]],
    texts: Sequence[str],
    passages: Sequence[str],
    plan: BrainPlan,
) -> xr.Dataset:
    participants = [f"p{i + 1:02d}" for i in range(plan.n_participants)]
    targets = [(p, i, region, kind) for p in participants for i, (region, kind) in enumerate(voxels)]
    every = shares.reshape(-1, len(SHARES))
    model, nuisance, other = every[:, 0], every[:, 1], every[:, 2]
    truth = {f"share_{name}": every[:, i] for i, name in enumerate(SHARES)}
    truth |= {
        "unique_variance": model,
        "max_r": np.sqrt(model),
        "ceiling": np.sqrt(plan.common * model + nuisance + other),
    }
    return xr.Dataset(
        {
            "responses": (("stimulus", "target"), responses.astype(np.float32)),
            "kind": ("target", [kind for *_, kind in targets]),
            **{name: ("target", values.astype(np.float64)) for name, values in truth.items()},
        },
        coords={
            "text": ("stimulus", list(texts)),
            "passage": ("stimulus", list(passages)),
            "participant": ("target", [p for p, *_ in targets]),
            "region": ("target", [region for *_, region, _ in targets]),
            "voxel": ("target", [i for _, i, *_ in targets]),
            "target_name": ("target", [f"{p}_{region}_{i:02d}" for p, i, region, _ in targets]),
        },
    )
