"""Which category a benchmark task belongs to, so that abilities can be correlated with alignment by category."""

from __future__ import annotations

MMLU_CATEGORIES = ("stem", "humanities", "social_sciences", "other")

BBH_CATEGORIES: dict[str, tuple[str, ...]] = {
    "algorithmic_reasoning": (
        "boolean_expressions",
        "dyck_languages",
        "formal_fallacies",
        "geometric_shapes",
        "logical_deduction",
        "multistep_arithmetic_two",
        "navigate",
        "object_counting",
        "penguins_in_a_table",
        "reasoning_about_colored_objects",
        "temporal_sequences",
        "tracking_shuffled_objects",
        "web_of_lies",
        "word_sorting",
    ),
    "language_understanding": ("disambiguation_qa", "hyperbaton", "snarks"),
    "world_knowledge": (
        "causal_judgement",
        "date_understanding",
        "movie_recommendation",
        "ruin_names",
        "sports_understanding",
    ),
    "multilingual": ("salient_translation_error_detection",),
}
"""The 23 BIG-Bench Hard tasks by category (Suzgun et al. 2023, appendix; paper 1, section 3.3)."""


def bbh_category(task: str) -> str | None:
    """Return the category of a BBH task such as `bbh_zeroshot_navigate`, None for any other task."""
    if not task.startswith("bbh"):
        return None
    for category, names in BBH_CATEGORIES.items():
        if any(task.endswith(name) or f"_{name}_" in f"{task}_" for name in names):
            return category
    return None


def mmlu_category(task: str) -> str | None:
    """Return the category that a group task such as `mmlu_stem` stands for, None for any other task."""
    name = task.removeprefix("mmlu_")
    return name if name in MMLU_CATEGORIES and name != task else None
