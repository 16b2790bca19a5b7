"""Inside the model: what drives its answers, what its heads look for, what its layers know."""

from tuneshift.inside.attribution.attribution import Attribution, attribute
from tuneshift.inside.attribution.density import attribution_levels, importance_density, instruction_score
from tuneshift.inside.attribution.measurement import PromptAttribution

__all__ = [
    "Attribution",
    "PromptAttribution",
    "attribute",
    "attribution_levels",
    "importance_density",
    "instruction_score",
]
