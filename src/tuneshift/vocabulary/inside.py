"""What the numbers of the inside mean: attribution, heads, concepts, states (methods, sections 4 to 7)."""

from __future__ import annotations

from tuneshift.vocabulary.metric import Kind, Metric

_PAPER = "Wu et al. 2024"

_OWN_FORM = {"mapping": ("plain", "chat")}
"""Scores with the prompt's frame kept apart stand in the section: findings speak of the published definition."""

ATTRIBUTION = Kind(
    "attribution",
    "What drives the answer",
    "prompts",
    "Which words of a prompt drive the answer?",
    (
        Metric(
            "instruction_score", "instruction score", "score", headline=_OWN_FORM, over="prompts",
            family="prompts", direction="higher", what="how much instruction words drive its answers",
            up="let instruction words drive its answers more", down="let instruction words drive its answers less",
            source=f"{_PAPER}, section 4",
        ),
        Metric(
            "followed_rate", "share of instructions followed", "share", headline=_OWN_FORM, over="prompts",
            family="prompts", direction="higher", what="how often it follows instructions",
            up="follow instructions more often", down="follow instructions less often",
        ),
        Metric("followed_difference", "instruction score, followed minus not followed", "score", "detail", over="prompts"),
    ),
    "tuneshift.inside:PromptAttribution",
    task=("prompt-attribution", "Prompt attribution"),
    tokens=2e5,
)  # fmt: skip

_HEADS = (
    Metric("head_pairs", "word pairs known", "pairs", "detail"),
    Metric("verb_pair_share", "share of word pairs that hold such a verb", "share", "detail"),
    Metric("pair_units", "strongest word pair of each head: units it occurs in", "units", "detail"),
)
_CONCEPTS = (
    Metric("variance_share", "variance held by the first components", "share", "detail"),
    Metric("category_share", "share of concepts in a category", "share", "detail", source=f"{_PAPER}, section 6"),
    Metric("category_share_change", "change of the share of concepts in a category", "share", "detail"),
    Metric(
        "category_share_p", "category shares: p over repeats of the naming model, which measures its noise", "p", "test"
    ),
)

HEADS = Kind(
    "heads",
    "What attention heads look for",
    "inside",
    "Which pairs of words do attention heads look for?",
    _HEADS,
    "tuneshift.inside:HeadPatterns",
    seconds=30.0,
)
CONCEPTS = Kind(
    "concepts",
    "What feed-forward layers know",
    "inside",
    "Which concepts do feed-forward layers write?",
    _CONCEPTS,
    "tuneshift.inside:FeedforwardConcepts",
    seconds=30.0,
)
INTERNALS = Kind(
    "internals",
    "Inside",
    "inside",
    "How far did tuning move the heads, the feed-forward layers and the hidden states?",
    (
        *_HEADS,
        *_CONCEPTS,
        Metric(
            "verb_gain_difference", "verbs gained: instruction − control", "share", "detail", over="key heads",
            family="heads", what="how many heads took up instruction verbs more than other verbs",
            up="give its heads more instruction verbs than other verbs",
            down="give its heads fewer instruction verbs than other verbs", chance=0.0, source=f"{_PAPER}, section 5",
        ),
        Metric("verb_gain_share", "share of heads that gained the verb", "share", "detail", source=f"{_PAPER}, section 5"),
        Metric("verb_gain_p", "verbs gained: p of a Welch test over verbs", "p", "test"),
        Metric("head_overlap", "overlap of heads' word pairs", "Jaccard index", "detail", movement=True, unmoved=1.0),
        Metric(
            "rotation_deg", "rotation of feed-forward subspaces, mean principal angle", "degrees", "detail",
            movement=True,
        ),
        Metric(
            "rotation_largest_deg", "rotation of feed-forward subspaces, largest principal angle", "degrees", "detail",
            movement=True,
        ),
        Metric(
            "rotation_matched_deg", "rotation of feed-forward components matched one to one", "degrees", "detail",
            movement=True,
        ),
        Metric("concept_overlap", "overlap of component words", "Jaccard index", "detail", movement=True, unmoved=1.0),
        Metric("weight_change", "change of written weights", "share", "detail", movement=True),
        Metric("state_cka", "hidden states: CKA", "CKA", "detail", over="documents", movement=True, unmoved=1.0),
        Metric("state_cosine", "hidden states: cosine", "cosine", "detail", over="documents", movement=True, unmoved=1.0),
        Metric("state_change", "hidden states: length of change", "share", "detail", over="documents", movement=True),
    ),
    "tuneshift.inside:Internals",
    seconds=60.0,
)  # fmt: skip
