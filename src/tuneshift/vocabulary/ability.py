"""What the numbers of abilities mean: properties of a model that alignment is held against (methods, section 3)."""

from __future__ import annotations

from tuneshift.vocabulary.metric import Kind, Metric

ABILITY = Kind(
    "ability",
    "Abilities",
    "across",
    "What can a model do, by lm-evaluation-harness?",
    (
        Metric(
            "accuracy", "accuracy", "share", "property", headline={}, over="questions", family="abilities", direction="higher",
            what="how many questions it answers", up="answer more questions", down="answer fewer questions",
            source="Aw et al. 2023, section 5",
        ),
        Metric(
            "perplexity", "perplexity", "per word", "property", headline={}, over="words", family="abilities", direction="lower",
            what="how surprised it is by ordinary text", up="be more surprised by ordinary text",
            down="be less surprised by ordinary text",
        ),
    ),
    "tuneshift.ability:AbilityScores",
    others="detail",  # a task's other metrics tell the same ability again
    task=("text-generation", "Ability"),
    tokens=2e7,
)  # fmt: skip
