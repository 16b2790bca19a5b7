"""Results files as lm-evaluation-harness wrote them over the years, written by us after its source."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tuneshift.ability import AbilityScores
from tuneshift.result import Result

V03: dict[str, Any] = {
    "results": {
        "hellaswag": {"acc": 0.4, "acc_stderr": 0.02, "acc_norm": 0.5, "acc_norm_stderr": 0.03},
        "wikitext": {"word_perplexity": 20.5, "byte_perplexity": 1.7, "bits_per_byte": 0.75},
        "hendrycksTest-virology": {"acc": 0.3, "acc_stderr": 0.04, "acc_norm": 0.25, "acc_norm_stderr": 0.04},
        "lambada_openai": {"ppl": 9.5, "ppl_stderr": 0.2, "acc": 0.55, "acc_stderr": 0.01},
        "truthfulqa_mc": {"mc1": 0.25, "mc1_stderr": 0.01, "mc2": 0.375, "mc2_stderr": 0.02},
        "wmt14-fr-en": {"bleu": 31.5, "bleu_stderr": 0.5, "chrf": 55.5, "ter": 60.5},
        "cola": {"mcc": -0.02, "mcc_stderr": 0.03},
    },
    "versions": {"hellaswag": 0, "wikitext": 1},
    "config": {"model": "gpt2", "model_args": "pretrained=org/mine,dtype=float16", "num_fewshot": 5},
}
"""v0.3: metrics without a filter."""

LEADERBOARD_1: dict[str, Any] = {
    "results": {
        "harness|arc:challenge|25": {"acc": 0.5, "acc_stderr": 0.01, "acc_norm": 0.55, "acc_norm_stderr": 0.015},
        "harness|hendrycksTest-virology|5": {"acc": 0.35, "acc_stderr": 0.035},
        "harness|truthfulqa:mc|0": {"mc1": 0.3, "mc1_stderr": 0.01, "mc2": 0.45, "mc2_stderr": 0.02},
        "all": {"acc": 0.425, "acc_stderr": 0.02, "acc_norm": 0.55, "mc1": 0.3},
    },
    "versions": {"harness|arc:challenge|25": 0, "all": 0},
    "config_general": {"model_name": "org/mine"},
}
"""The first Open LLM Leaderboard: suite, task and number of examples in one name, and an average over all."""

LEADERBOARD_2: dict[str, Any] = {
    "results": {
        "leaderboard": {" ": " ", "alias": "leaderboard"},
        "leaderboard_bbh_snarks": {"alias": " - snarks", "acc_norm,none": 0.6, "acc_norm_stderr,none": 0.03},
        "leaderboard_bbh_hyperbaton": {"alias": " - h", "acc_norm,none": 0.7, "acc_norm_stderr,none": 0.04},
        "leaderboard_bbh_disambiguation_qa": {"acc_norm,none": 0.5, "acc_norm_stderr,none": "N/A"},
        "leaderboard_musr": {"acc_norm,none": 0.4, "acc_norm_stderr,none": 0.02},
        "leaderboard_ifeval": {
            "prompt_level_strict_acc,none": 0.31,
            "prompt_level_strict_acc_stderr,none": 0.02,
            "inst_level_strict_acc,none": 0.42,
            "inst_level_strict_acc_stderr,none": "N/A",
            "prompt_level_loose_acc,none": 0.33,
            "inst_level_loose_acc,none": 0.44,
        },
        "leaderboard_mmlu_pro": {"acc,none": 0.2, "acc_stderr,none": 0.01},
        "leaderboard_math_hard": {"exact_match,none": 0.05, "exact_match_stderr,none": 0.01},
    },
    "groups": {"leaderboard_musr": {}},
    "group_subtasks": {"leaderboard_musr": ["leaderboard_musr_team_allocation"], "leaderboard_mmlu_pro": []},
    "n-samples": {"leaderboard_mmlu_pro": {"original": 12032, "effective": 12032}},
    "higher_is_better": {"leaderboard_mmlu_pro": {"acc": True}},
    "model_name": "org/mine",
}
"""The second Open LLM Leaderboard: lm-eval since v0.4."""

GENERATED: dict[str, Any] = {
    "results": {
        "gsm8k": {
            "name": "gsm8k",
            "alias": "gsm8k",
            "sample_len": 1319,
            "exact_match,flexible-extract": 0.4,
            "exact_match_stderr,flexible-extract": 0.0135,
            "exact_match,strict-match": 0.3,
            "exact_match_stderr,strict-match": 0.0125,
        },
        "bbh_zeroshot_snarks": {"exact_match,strict-match": 0.1, "exact_match,flexible-extract": 0.6},
        "triviaqa": {"exact_match,remove_whitespace": 0.45, "exact_match_stderr,remove_whitespace": 0.005},
        "humaneval": {"pass@1,create_test": 0.25, "pass@1_stderr,create_test": 0.03},
        "squad_completion": {"contains,none": 0.5, "contains_stderr,none": 0.01},
    },
    "group_subtasks": {"gsm8k": []},
    "config": {"model": "hf", "model_args": {"pretrained": "org/mine", "dtype": "auto"}, "limit": None},
}
"""v0.4.9 and later: answers under several filters, the number of questions beside the metrics."""

LAYOUTS = {
    "v0.3": V03, "first leaderboard": LEADERBOARD_1, "second leaderboard": LEADERBOARD_2, "generated": GENERATED
}  # fmt: skip


def measured(path: Path, model: str = "mine") -> Result:
    return AbilityScores(results_file=path).run(SimpleNamespace(name=model))  # type: ignore[arg-type]


def read(folder: Path, document: Any, name: str = "harness.json") -> Result:
    """What `tuneshift ability mine --results-file` makes of a document."""
    path = folder / name
    path.write_text(json.dumps(document))
    return measured(path)
