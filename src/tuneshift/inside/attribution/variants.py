"""Instruction scores under every choice of constants: sensitivity belongs to the result (methods, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr

from tuneshift.inside.attribution.attribution import Attribution
from tuneshift.inside.attribution.density import importance_density, instruction_score, scaled_density

THRESHOLDS = (0, 5, 7, 9)
EXPONENTS = (2, 4)


@dataclass(frozen=True)
class Variant:
    """One choice: whether the prompt's frame counts as prompt, densities scaled by their maximum, threshold b, p."""

    frame: bool
    scaled: bool
    threshold: int
    p: float

    def __str__(self) -> str:
        frame, scaled = "included" if self.frame else "apart", "scaled" if self.scaled else "not scaled"
        return f"frame {frame}, {scaled}, b = {self.threshold}, p = {self.p:g}"


VARIANTS = tuple(
    Variant(frame, scaled, threshold, p)
    for frame, scaled, threshold, p in product((True, False), (True, False), THRESHOLDS, EXPONENTS)
)


def variant_scores(attribution: Attribution) -> np.ndarray:
    """Return the instruction score under each of `VARIANTS` (n_variants,)."""
    scores = []
    for frame in (True, False):
        chosen = attribution if frame else attribution.apart()
        for scaled, threshold, p in product((True, False), THRESHOLDS, EXPONENTS):
            density = importance_density(chosen.levels, threshold, p)
            scores.append(instruction_score(scaled_density(density) if scaled else density, chosen.instruction))
    return np.array(scores)


def variants_array(scores: Sequence[np.ndarray], names: Sequence[str]) -> xr.DataArray:
    """Return scores of all prompts as an array (variant, prompt) whose coordinates say which variant is which."""
    return xr.DataArray(
        np.array(scores).reshape(len(names), len(VARIANTS)).T,
        dims=("variant", "prompt"),
        coords={
            "variant": [str(variant) for variant in VARIANTS],
            "frame": ("variant", [variant.frame for variant in VARIANTS]),
            "scaled": ("variant", [variant.scaled for variant in VARIANTS]),
            "threshold": ("variant", [variant.threshold for variant in VARIANTS]),
            "p": ("variant", [float(variant.p) for variant in VARIANTS]),
            "prompt": list(names),
        },
    )
