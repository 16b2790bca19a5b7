"""What the numbers of brain alignment mean (methods, sections 1 and 8)."""

from __future__ import annotations

from tuneshift.vocabulary.metric import Kind, Metric

NESTED = {"layer": ("nested",)}
"""The layer that was chosen without the stimuli it is scored on: one number a model."""
_PAPER = "Aw et al. 2023, section 3"

BRAIN = Kind(
    "brain",
    "Brains",
    "brains",
    "How well do a model's hidden states predict people's brain responses to the same text?",
    (
        Metric(
            "r", "brain score r", "r", where=NESTED, headline=NESTED, over="participants", family="brains",
            direction="higher", what="how well it predicts people's brain responses",
            up="predict people's brain responses better", down="predict people's brain responses worse", chance=0.0,
            beside=("ceiling", "unique_r2", "r_surrogate", "r_untrained"), linked=True, source=_PAPER,
        ),
        Metric(
            "r_normalised", "brain score, share of ceiling", "share of ceiling", where=NESTED, over="participants",
            direction="higher", chance=0.0, follows="r", source=_PAPER,
        ),
        Metric(
            "unique_r2", "unique variance r²", "r2", where=NESTED, over="participants", direction="higher", chance=0.0,
            what="how much of the responses only the model explains", linked=True,
        ),
        Metric(
            "unique_r2_extrapolated", "unique variance r², extrapolated to unlimited text", "r2", "detail",
            where=NESTED, over="participants", chance=0.0,
        ),
        Metric("r_nuisance", "score of the text's surface alone", "r", "control", over="participants", chance=0.0),
        Metric("r_oasm", "score of the places of stimuli alone (OASM)", "r", "control", over="participants", chance=0.0),
        Metric(
            "r_untrained", "score of the untrained twin", "r", "control", where=NESTED, over="participants",
            direction="higher",
        ),
        Metric("r_random_units", "score of as many random units", "r", "control", where=NESTED, over="participants"),
        Metric("r_surrogate", "score of surrogate recordings, where 0 is true", "r", "control", where=NESTED, chance=0.0),
        Metric("ceiling", "noise ceiling (root of the reliability)", "r", "ceiling", over="participants"),
        Metric("r_over_stimuli", "brain score, interval over stimuli", "r", "detail", where=NESTED, over="stimuli"),
        Metric("share_significant", "share of targets below q = .05", "share", "detail", where=NESTED),
        Metric("p_permutation", "p of the score, stimuli exchanged", "p", "test", where=NESTED),
        Metric("p_surrogate", "p of the score among its surrogates", "p", "test", where=NESTED),
        Metric("sd_surrogate", "spread of the scores of surrogate recordings", "r", "test", where=NESTED),
    ),
    "tuneshift.brain:BrainAlignment",
    task=("brain-alignment", "Brain alignment"),
    tokens=2e4,
    seconds=20.0,
)  # fmt: skip
