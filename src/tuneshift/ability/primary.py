"""Which metric of a task is its accuracy and which its perplexity: by one rule, never by the order in a file."""

from __future__ import annotations

from collections.abc import Sequence

from tuneshift.ability.harness_scores import Score
from tuneshift.errors import BadInput

ACCURACY = "accuracy"
PERPLEXITY = "perplexity"

ACCURACIES = (
    "acc", "exact_match", "acc_norm", "em", "accuracy", "multiple_choice_grade", "mc1", "pass@1", "pass_at_1",
    "prompt_level_strict_acc",
)  # fmt: skip
"""Shares of right answers. The first of them that a task has is its accuracy."""
PERPLEXITIES = ("word_perplexity", "perplexity", "ppl")
"""Perplexities by word or by target. The first of them that a task has is its perplexity."""

_FILTERS = ("none", "strict-match", "flexible-extract", "get-answer")
_FILTERS_OF_BBH = ("flexible-extract", "get-answer", "none", "strict-match")
"""The filters that the harness's own averages over BBH are of, first."""
_SHARES = (*ACCURACIES, "acc_bytes", "acc_mutual_info", "acc_all", "mc2")
_UNITS = {
    "word_perplexity": "per word", "perplexity": "per word", "ppl": "per word", "byte_perplexity": "per byte",
    "bits_per_byte": "bits per byte", "bleu": "of 100", "chrf": "of 100", "chrf++": "of 100", "ter": "of 100",
}  # fmt: skip
_ROUNDING = 1e-9


def primaries(scores: Sequence[Score], dataset: str) -> dict[str, Score]:
    """Return the score that is a task's "accuracy" and the one that is its "perplexity", where it has them.

    The metric that stands first in `ACCURACIES` or `PERPLEXITIES`; of its filters none, strict-match,
    flexible-extract, get-answer, then the first by the alphabet, and for BBH flexible-extract first.
    """
    filters = _FILTERS_OF_BBH if "bbh" in dataset else _FILTERS

    def order(score: Score, names: tuple[str, ...]) -> tuple[int, int, str]:
        place = filters.index(score.filter) if score.filter in filters else len(filters)
        return names.index(score.metric), place, score.filter

    found = {}
    for kind, names in ((ACCURACY, ACCURACIES), (PERPLEXITY, PERPLEXITIES)):
        candidates = [score for score in scores if score.metric in names]
        if candidates:
            found[kind] = min(candidates, key=lambda score: order(score, names))
    return found


def own_name(score: Score) -> str:
    """Return what a metric is called that is neither accuracy nor perplexity of its task."""
    return f"harness_{score.metric}" if score.metric in (ACCURACY, PERPLEXITY) else score.metric


def unit_of(score: Score) -> str | None:
    """Return the unit of a score, None where its name does not tell (f1 is a share here and of 100 there)."""
    if score.metric in _SHARES or (score.metric.endswith("_acc") and 0 <= score.value <= 1):
        return "share"
    return _UNITS.get(score.metric)


def check_range(score: Score, task: str, where: str) -> None:
    """Raise BadInput for a share outside 0 to 1 and for a perplexity below 1."""
    if score.metric in _SHARES and not -_ROUNDING <= score.value <= 1 + _ROUNDING:
        percent = "; if the file is in percent, divide value and standard error by 100" if score.value > 1 else ""
        raise BadInput(f"{where}, task {task!r}: {score} is {score.value:g}, and a share lies from 0 to 1{percent}.")
    if score.metric in (*PERPLEXITIES, "byte_perplexity") and score.value < 1 - _ROUNDING:
        raise BadInput(
            f"{where}, task {task!r}: {score} is {score.value:g}, and no perplexity is below 1; is it a logarithm?"
        )
