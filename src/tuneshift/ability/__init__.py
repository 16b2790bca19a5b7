"""What a model can do: MMLU, BBH and perplexity through lm-evaluation-harness (extra `ability`)."""

from tuneshift.ability.harness import AbilityScores
from tuneshift.ability.harness_results import ability_rows, read_harness_results

__all__ = ["AbilityScores", "ability_rows", "read_harness_results"]
