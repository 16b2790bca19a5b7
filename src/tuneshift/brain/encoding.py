"""Encoding: what is predicted, how, and on which stimuli; everything but the features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from tuneshift.brain.mappings import GEOMETRIES, Linear, Mapped, Mapping, Ridge, mapped
from tuneshift.brain.partition import FEWEST, Part, Partition, Split
from tuneshift.brain.surrogates import Variant, as_recorded
from tuneshift.brain.targets import TargetBlock
from tuneshift.numerics.ridge import column_blocks
from tuneshift.numerics.splits import Fold

_COLUMNS = 8_192  # targets whose responses are cleaned and solved at once
_KEPT_BYTES = 2**28  # of cleaned responses that are kept from layer to layer

Places = tuple[np.ndarray, np.ndarray, list[Fold]]
"""Places within training and test rows at which some targets were recorded, and inner parts among them."""


@dataclass(frozen=True)
class Encoding:
    """`data` is stimulus x target, `cut` says what is held out, `blocks` its targets by the stimuli they have."""

    data: xr.DataArray
    blocks: list[TargetBlock]
    cut: Partition
    mapping: Mapping = "ridge"
    device: str = "cpu"
    patterns: np.ndarray = field(init=False)
    _cleaned: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", pattern_labels(self.data))

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits, in order."""
        return self.cut.splits

    @property
    def n_targets(self) -> int:
        """How many targets, scored or not."""
        return int(self.data.shape[1])

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Return the score (n_folds, v) of features (n_rows, d), NaN where a target cannot be scored."""
        out = np.full((len(self.splits), self.n_targets), np.nan)
        for number in range(len(self.splits)):
            for _, columns, score, _ in self.variant_scores(features, number):
                out[number, columns] = score
        return out

    def variant_scores(
        self, features: np.ndarray, number: int, variants: Sequence[Variant] = (as_recorded,)
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield variant, columns (k,), score (k,) and quality within training (k,) of one split.

        What only the features need is computed once for all variants of the responses, which are solved side by side.
        RSA and CKA take the targets of a pattern together, so that their columns are not cut, and variants come alone.
        """
        split = self.splits[number]
        sides = self._sides(features, split)
        alone = self.mapping in GEOMETRIES
        for place, block in enumerate(self.blocks):
            fit, places = self._fit(sides, split, block)
            if fit is None:
                continue
            for some in column_blocks(len(block.columns), len(block.columns) if alone else _COLUMNS):
                columns = block.columns[some]
                together = 1 if alone else max(1, _COLUMNS // len(columns))
                for first in range(0, len(variants), together):
                    made = variants[first : first + together]
                    key = (number, place, some.start, first, together)
                    seen, held_out = self._kept(key, columns, block.rows, split, places, made)
                    labels = np.tile(self.patterns[columns], len(made))
                    found = (np.split(each, len(made)) for each in fit.scores(seen, held_out, labels))
                    for which, (score, good) in enumerate(zip(*found, strict=True), first):
                        yield which, columns, score, good

    def predictions(self, features: np.ndarray, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Return what is predicted, and what was recorded, at the test rows (n_test, v); NaN where nothing was."""
        predicted = np.full((len(split.test.rows), self.n_targets), np.nan)
        observed = predicted.copy()
        sides = self._sides(features, split)
        for block in self.blocks:
            fit, places = self._fit(sides, split, block)
            if not isinstance(fit, Ridge | Linear):
                continue
            for some in column_blocks(len(block.columns), _COLUMNS):
                columns = block.columns[some]
                seen, held_out = self._responses(columns, block.rows, split, places)
                predicted[np.ix_(places[1], columns)] = fit.predictions(seen)
                observed[np.ix_(places[1], columns)] = held_out
        return predicted, observed

    def responses(self, columns: np.ndarray, rows: np.ndarray, part: Part) -> np.ndarray:
        """Return responses of targets at the rows of a part, cleaned; targets are recorded at `rows` and only there."""
        return self.cut.cleaned(self._chosen(columns, rows), part)

    def _chosen(self, columns: np.ndarray, rows: np.ndarray, variant: Variant = as_recorded) -> np.ndarray:
        """Return responses (n_rows, k), NaN where nothing was recorded, not cleaned yet."""
        values = self.data.values
        every = len(rows) == len(values)
        chosen = values[:, columns] if every else values[np.ix_(rows, columns)]
        if variant is not as_recorded:
            chosen = variant(chosen, rows)
        if every:
            return chosen
        whole = np.full((len(values), len(columns)), np.nan)
        whole[rows] = chosen
        return whole

    def _kept(
        self,
        key: tuple[int, ...],
        columns: np.ndarray,
        rows: np.ndarray,
        split: Split,
        places: Places,
        variants: Sequence[Variant],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Responses of variants side by side; kept for the next layer, which asks for the same, while there is room."""
        key = (*key, *map(id, variants))
        if key in self._cleaned:
            return self._cleaned[key]
        each = [self._responses(columns, rows, split, places, variant) for variant in variants]
        seen, held_out = (np.concatenate(side, axis=1) for side in zip(*each, strict=True))
        in_use = sum(side.nbytes for sides in self._cleaned.values() for side in sides)
        if in_use + seen.nbytes + held_out.nbytes <= _KEPT_BYTES:
            self._cleaned[key] = seen, held_out
        return seen, held_out

    def _responses(
        self, columns: np.ndarray, rows: np.ndarray, split: Split, places: Places, variant: Variant = as_recorded
    ) -> tuple[np.ndarray, np.ndarray]:
        values = self._chosen(columns, rows, variant)
        return self.cut.cleaned(values, split.train)[places[0]], self.cut.cleaned(values, split.test)[places[1]]

    def _sides(self, features: np.ndarray, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Return the features of training and of test rows, cleaned as the responses are."""
        return self.cut.cleaned(features, split.train), self.cut.cleaned(features, split.test)

    def _fit(
        self, sides: tuple[np.ndarray, np.ndarray], split: Split, block: TargetBlock
    ) -> tuple[Mapped | None, Places]:
        """Prepare the features where the block's targets were recorded; None where too little was recorded."""
        train, test, inner = places = split.within(block.rows)
        if min(len(train), len(test)) < FEWEST or not inner:
            return None, places
        return mapped(self.mapping, sides[0][train], sides[1][test], inner, self.device), places


def pattern_labels(data: xr.DataArray) -> np.ndarray:
    """Return which targets (v,) form a pattern together, for RSA and CKA: a participant's region.

    Where a participant has one target a region, all regions of that participant.
    """
    participants, regions = data["participant"].values, data["region"].values
    both = np.array([f"{p}\n{r}" for p, r in zip(participants, regions, strict=True)])
    return both if len(set(both)) < len(both) else np.asarray(participants).astype(str)
