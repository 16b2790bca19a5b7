"""Which benchmark and category a task of the harness belongs to, however the harness spelled it over the years."""

from __future__ import annotations

import re
from dataclasses import dataclass

MMLU_SUBJECTS: dict[str, tuple[str, ...]] = {
    "stem": (
        "abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry", "college_computer_science",
        "college_mathematics", "college_physics", "computer_security", "conceptual_physics", "electrical_engineering",
        "elementary_mathematics", "high_school_biology", "high_school_chemistry", "high_school_computer_science",
        "high_school_mathematics", "high_school_physics", "high_school_statistics", "machine_learning",
    ),
    "humanities": (
        "formal_logic", "high_school_european_history", "high_school_us_history", "high_school_world_history",
        "international_law", "jurisprudence", "logical_fallacies", "moral_disputes", "moral_scenarios", "philosophy",
        "prehistory", "professional_law", "world_religions",
    ),
    "social_sciences": (
        "econometrics", "high_school_geography", "high_school_government_and_politics", "high_school_macroeconomics",
        "high_school_microeconomics", "high_school_psychology", "human_sexuality", "professional_psychology",
        "public_relations", "security_studies", "sociology", "us_foreign_policy",
    ),
    "other": (
        "business_ethics", "clinical_knowledge", "college_medicine", "global_facts", "human_aging", "management",
        "marketing", "medical_genetics", "miscellaneous", "nutrition", "professional_accounting",
        "professional_medicine", "virology",
    ),
}  # fmt: skip
"""The 57 subjects by category, as the harness groups them."""

MMLU_CATEGORIES = tuple(MMLU_SUBJECTS)

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

_SIZED = ("logical_deduction", "tracking_shuffled_objects")
_SIZES = ("three_objects", "five_objects", "seven_objects")
_NOT_IN_THE_LEADERBOARD = ("dyck_languages", "multistep_arithmetic_two", "word_sorting")
"""BBH tasks without choices, which the multiple choice form of the Open LLM Leaderboard does not have."""

_BBH_CATEGORY = {task: category for category, tasks in BBH_CATEGORIES.items() for task in tasks}
_MMLU_CATEGORY = {subject: category for category, subjects in MMLU_SUBJECTS.items() for subject in subjects}
_OTHER_SPELLINGS = {"causal_judgment": "causal_judgement", "formal_fallacies_syllogisms_negation": "formal_fallacies"}


def _any_of(names: list[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))  # the longest name first


_BBH_TASK = re.compile(
    r"(?P<family>(?:leaderboard_)?bbh|bigbench)(?P<variant>[_:-]\w+?)??"
    rf"[_:-](?P<task>{_any_of([*_BBH_CATEGORY, *_OTHER_SPELLINGS])})"
    rf"(?P<size>_(?:{_any_of(list(_SIZES))}))?(?P<suffix>_\w+)?"
)
# MMLU-Pro and MMLU-ProX have a subject "philosophy" too, and are other benchmarks.
_MMLU_TASK = re.compile(
    r"(?:hendrycksTest-|mmlu(?P<variant>_(?!pro(?:_|x_))\w+?)??[_:-])"
    rf"(?P<task>{_any_of(list(_MMLU_CATEGORY))})(?P<suffix>_\w+)?"
)
_DIRECT_ANSWERS = "bbh_zeroshot"
_TOTALS = ("mmlu", "bbh_zeroshot", "bbh_fewshot", "bbh_cot_zeroshot", "bbh_cot_fewshot", "leaderboard_bbh")


@dataclass(frozen=True)
class Part:
    """A task as a part of MMLU or BBH: `dataset` keeps variants of a benchmark apart, `name` is the bare subject."""

    dataset: str
    category: str
    name: str


def part_of(task: str) -> Part | None:
    """Return which part of MMLU or BBH a task is, None for a group and for any other task.

    `hendrycksTest-anatomy`, `mmlu:anatomy` and `mmlu_anatomy` are of `mmlu`; `bbh_zeroshot_navigate` and
    `bbh_navigate` of `bbh`; other ways of asking are data sets of their own (`bbh_cot_fewshot`, `leaderboard_bbh`,
    `bigbench`, `mmlu_continuation`).
    """
    if found := _MMLU_TASK.fullmatch(task):
        subject = found["task"]
        return Part(f"mmlu{found['variant'] or ''}{found['suffix'] or ''}", _MMLU_CATEGORY[subject], subject)
    if found := _BBH_TASK.fullmatch(task):
        name = _OTHER_SPELLINGS.get(found["task"], found["task"])
        family = f"{found['family']}{(found['variant'] or '').replace(':', '_')}{found['suffix'] or ''}"
        return Part(dataset_of_total(family), _BBH_CATEGORY[name], f"{name}{found['size'] or ''}")
    return None


def dataset_of_total(name: str) -> str:
    """Return the data set that the total of a benchmark stands for: `bbh` for direct answers, else its own name."""
    return "bbh" if name == _DIRECT_ANSWERS else name


def is_total(task: str) -> bool:
    """Whether a task is the harness's average over a whole benchmark that is told apart by categories."""
    return task in _TOTALS


def missing_parts(dataset: str, category: str, names: set[str]) -> list[str]:
    """Return the parts of a category that are not among `names`, in the order of the category."""
    if dataset.startswith("mmlu"):
        return [subject for subject in MMLU_SUBJECTS[category] if subject not in names]
    wanted: list[str] = []
    for task in BBH_CATEGORIES[category]:
        if task in names or (dataset == "leaderboard_bbh" and task in _NOT_IN_THE_LEADERBOARD):
            continue
        wanted += [f"{task}_{size}" for size in _SIZES] if task in _SIZED else [task]
    return [task for task in wanted if task not in names]


def bbh_category(task: str) -> str | None:
    """Return the category of a BBH task such as `bbh_zeroshot_navigate`, None for any other task."""
    part = part_of(task)
    return part.category if part is not None and part.category in BBH_CATEGORIES else None


def mmlu_category(task: str) -> str | None:
    """Return the category that a group task such as `mmlu_stem` stands for, None for any other task."""
    name = task.removeprefix("mmlu_")
    return name if name in MMLU_CATEGORIES and name != task else None
