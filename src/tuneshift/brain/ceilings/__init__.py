"""Noise ceilings: how well a person's responses can be predicted at all, judged by other people's."""

from tuneshift.brain.ceilings.ceiling import Ceiling, CeilingEstimate, noise_ceiling

__all__ = ["Ceiling", "CeilingEstimate", "noise_ceiling"]
