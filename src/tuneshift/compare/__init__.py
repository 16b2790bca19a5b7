"""Comparisons over results: tuned v. base, correlations over models, and the link between layers."""

from tuneshift.compare.correlations import correlate_with_properties, score_points
from tuneshift.compare.layer_link import link_layers
from tuneshift.compare.pairs import PAIR_COLUMNS, compare_pair
from tuneshift.compare.sensitivity import has_sensitivity, sensitivity

__all__ = [
    "PAIR_COLUMNS",
    "compare_pair",
    "correlate_with_properties",
    "has_sensitivity",
    "link_layers",
    "score_points",
    "sensitivity",
]
