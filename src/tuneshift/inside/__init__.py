"""Inside the model: what drives its answers, what its heads look for, what its layers know."""

from tuneshift.inside.attribution.attribution import Attribution, attribute
from tuneshift.inside.attribution.density import attribution_levels, importance_density, instruction_score
from tuneshift.inside.attribution.measurement import PromptAttribution
from tuneshift.inside.comparison import compare_internals
from tuneshift.inside.concepts.concepts import Concepts, feedforward_concepts
from tuneshift.inside.concepts.measurement import FeedforwardConcepts
from tuneshift.inside.concepts.shift import concept_shift
from tuneshift.inside.heads.measurement import HeadPatterns
from tuneshift.inside.heads.patterns import WordPairs, head_patterns
from tuneshift.inside.heads.shift import head_shift
from tuneshift.inside.internals import Internals
from tuneshift.inside.states.shift import state_shift

__all__ = [
    "Attribution",
    "Concepts",
    "FeedforwardConcepts",
    "HeadPatterns",
    "Internals",
    "PromptAttribution",
    "WordPairs",
    "attribute",
    "attribution_levels",
    "compare_internals",
    "concept_shift",
    "feedforward_concepts",
    "head_patterns",
    "head_shift",
    "importance_density",
    "instruction_score",
    "state_shift",
]
