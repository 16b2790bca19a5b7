"""PromptAttribution: instruction scores of a prompt set, in one form of prompt (paper 2, sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from tuneshift.human.prompt_file import load_prompts, prompts_checksum
from tuneshift.human.prompts.prompts import PromptSet
from tuneshift.inside.attribution.attribution import Attribution, attribute
from tuneshift.inside.attribution.density import THRESHOLD, P, scaled_density
from tuneshift.inside.attribution.followed import FollowedTest, as_rows, followed_tests
from tuneshift.inside.attribution.layout import Form
from tuneshift.inside.attribution.selection import Chosen, Wanted, answers_of, choose
from tuneshift.inside.attribution.variants import variant_scores, variants_array
from tuneshift.measurement import Measurement, of_model
from tuneshift.models import LanguageModel
from tuneshift.models.generation import Answer
from tuneshift.models.lent_template import in_chat_form, template_checksum
from tuneshift.models.unknown_letters import unknown_letters
from tuneshift.numerics.resampling import bootstrap_mean
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.vocabulary.inside import ATTRIBUTION

_MOST_PICTURES = 40


class PromptAttribution(Measurement):
    """Which prompt words drive the response, and how much of that is the instruction.

    `prompts`: a prompt set or a .jsonl file; the first `n_prompts` are used that carry an instruction, do not belong to
    `without_tasks` and whose response has `min_response_tokens` (shorter ones are left out of all scores, as
    published). `form`: "plain" or "chat"; `template` names a model, or a .jinja file, that lends its chat template to a
    model without one. `responses`: "reference" (the prompts' own), "generated" (the model's greedy answers, at most
    `max_new_tokens`, in the very tokens that it wrote), or a .jsonl file. `mark_instructions` finds
    instructions by rule where none are marked. `followed` decides by program which instructions the model's own answers
    follow, where the prompt set knows how. `threshold` and `p` are b and p of methods, section 4; `seed` is the
    bootstrap's.
    """

    code_version: ClassVar[int] = 3
    metrics: ClassVar = ATTRIBUTION.metrics
    kind: Literal["attribution"] = "attribution"
    prompts: str = "fable_instructions"
    form: Form = "plain"
    template: str | None = None
    responses: str = "reference"
    mark_instructions: bool = False
    without_tasks: tuple[str, ...] = ()
    n_prompts: int = Field(default=40, ge=1)
    min_response_tokens: int = Field(default=5, ge=1)
    max_new_tokens: int = Field(default=64, ge=1)
    followed: bool = True
    threshold: int = Field(default=THRESHOLD, ge=0, le=9)
    p: float = Field(default=P, gt=1)
    seed: int = 0

    def data_checksum(self) -> str:
        """Return the checksum of the prompts, of responses from a file, and of a template that is lent from here."""
        own = self.responses not in ("reference", "generated")
        template = template_checksum(self.template) if self.form == "chat" else ""
        return prompts_checksum(self.prompts) + (prompts_checksum(self.responses) if own else "") + template

    def run(self, model: LanguageModel, progress: Progress = silent) -> Result:
        """Attribute every response and score its instruction; see the class for what is measured.

        Rows: `instruction_score` of every prompt ("prompt:NAME"), task ("task:NAME", mean with a 95% bootstrap interval
        over prompts) and over all ("mean"), `mapping` being the form, with "frame apart" where only the prompt's own
        tokens count; `followed_rate` (share); `followed_difference` of the instruction score. Arrays: scores by prompt,
        and `instruction_scores` (variant, prompt) for tables of sensitivity. Raises BadInput where no prompt has an
        instruction or a response, or a chat form finds no template.
        """
        prompts = load_prompts(self.prompts)
        warnings = [*model.notes, *prompts.notes]
        if self.form == "chat":
            model, told = in_chat_form(model, self.template)
            warnings += told
        wanted = Wanted(**{name: getattr(self, name) for name in Wanted.__dataclass_fields__})
        chosen = choose(wanted, model, prompts, warnings, progress)
        texts = [[text] for item in chosen for text in (item.prompt.text, _text_of(item.response)) if text.strip()]
        warnings += unknown_letters(model.tokenizer, texts)
        found: list[Attribution] = []
        for number, item in enumerate(chosen):
            found.append(
                attribute(model, item.prompt.text, item.response, form=self.form, instruction=item.instruction)
            )
            progress(f"attribution, {self.form} form", number + 1, len(chosen))
        followed = self._followed(model, prompts, chosen, progress)
        result = self._result(prompts.name, chosen, found, followed, tuple(warnings))
        return of_model(replace(result, details={**result.details, "start_token": model.start_token}), model)

    def _followed(
        self, model: LanguageModel, prompts: PromptSet, chosen: Sequence[Chosen], progress: Progress
    ) -> np.ndarray:
        """Return whether the model's own answers follow (n,): 1, 0, or NaN where no program can tell."""
        unknown = np.full(len(chosen), np.nan)
        if not self.followed or not any(
            prompts.followed(c.prompt, c.prompt.response or "") is not None for c in chosen
        ):
            return unknown
        if self.responses == "generated":
            answers = [item.response for item in chosen]
        else:
            answers = [*answers_of(model, [c.prompt for c in chosen], self.form, self.max_new_tokens, progress)]
        texts = [_text_of(answer) for answer in answers]
        decided = [prompts.followed(item.prompt, text) for item, text in zip(chosen, texts, strict=True)]
        return np.array([np.nan if value is None else float(value) for value in decided])

    def _result(
        self,
        dataset: str,
        chosen: Sequence[Chosen],
        found: Sequence[Attribution],
        followed: np.ndarray,
        warnings: tuple[str, ...],
    ) -> Result:
        names = [item.prompt.name for item in chosen]
        tasks = [item.prompt.task for item in chosen]
        lengths = np.array([item.raw.shape[1] for item in found])
        counted = lengths >= self.min_response_tokens
        scores = {
            self.form: np.array([self._score(item) for item in found]),
            f"{self.form}, frame apart": np.array([self._score(item.apart()) for item in found]),
        }
        common: dict[str, Any] = {"measurement": self.kind, "dataset": dataset}
        rows: list[dict[str, Any]] = []
        arrays: dict[str, xr.DataArray] = {}
        tests: list[dict[str, object]] = []
        for mapping, values in scores.items():
            values = np.where(counted, values, np.nan)
            setting = {**common, "mapping": mapping}
            rows += self._summaries(values, tasks, {**setting, "metric": "instruction_score", "unit": "score"})
            arrays[f"instruction_score_{mapping}"] = _by_prompt(values, chosen)
            for name, value, length in zip(names, values, lengths, strict=True):
                if np.isfinite(value):
                    row = {"metric": "instruction_score", "target": f"prompt:{name}", "value": value, "n": length}
                    rows.append({**setting, **row, "unit": "score"})
            if np.isfinite(followed).any():
                found_tests = followed_tests(values, followed, tasks, self.seed)
                rows += [_row_of_test(test, setting) for test in found_tests]
                tests += [{"mapping": mapping, **row} for row in as_rows(found_tests)]
        if np.isfinite(followed).any():
            setting = {**common, "mapping": self.form, "metric": "followed_rate", "unit": "share"}
            rows += self._summaries(followed, tasks, setting)
            arrays[f"followed_rate_{self.form}"] = _by_prompt(followed, chosen)
        arrays |= _covariates(found, chosen, counted, names)
        pictures = [
            self._picture(item, attribution, float(score), yes)
            for item, attribution, score, yes in zip(
                chosen[:_MOST_PICTURES], found, scores[self.form], followed, strict=False
            )
        ]
        return Result.from_rows(
            rows,
            arrays=arrays,
            warnings=warnings,
            details={"pictures": pictures, "tests": tests, "form": self.form, "n_prompts": len(chosen)},
        )

    def _score(self, attribution: Attribution) -> float:
        return attribution.instruction_score(threshold=self.threshold, p=self.p)

    def _summaries(
        self, values: np.ndarray, tasks: Sequence[str | None], setting: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Summarise values (n,) of prompts over all of them and over each task; NaN is left out."""
        rows = []
        groups = {"mean": np.isfinite(values)}
        if len(set(tasks)) > 1:
            for task in dict.fromkeys(task for task in tasks if task):
                groups[f"task:{task}"] = np.isfinite(values) & np.array([mine == task for mine in tasks])
        for target, mine in groups.items():
            if mine.any():
                low, high = bootstrap_mean(values[mine], seed=self.seed)
                value, n = float(values[mine].mean()), int(mine.sum())
                rows.append({**setting, "target": target, "value": value, "ci_low": low, "ci_high": high, "n": n})
        return rows

    def _picture(self, item: Chosen, attribution: Attribution, score: float, followed: float) -> dict[str, Any]:
        return {
            "prompt": item.prompt.name,
            "task": item.prompt.task,
            "prompt_tokens": list(attribution.prompt_tokens),
            "response_tokens": list(attribution.response_tokens),
            "levels": attribution.levels,
            "density": scaled_density(attribution.density),
            "own": [bool(mark) for mark in attribution.own],
            "instruction": [bool(mark) for mark in attribution.instruction],
            "instruction_score": score,
            "followed": None if np.isnan(followed) else bool(followed),
        }


def _row_of_test(test: FollowedTest, setting: dict[str, Any]) -> dict[str, Any]:
    target = {"all": "mean", "within tasks": "within tasks"}.get(test.task, f"task:{test.task}")
    numbers = {"value": test.difference, "ci_low": test.ci_low, "ci_high": test.ci_high}
    counted = test.n_followed + test.n_not
    return {**setting, "metric": "followed_difference", "target": target, **numbers, "n": counted, "unit": "score"}


def _by_prompt(values: np.ndarray, chosen: Sequence[Chosen]) -> xr.DataArray:
    return xr.DataArray(values, dims=("prompt",), coords=_coords(chosen))


def _coords(chosen: Sequence[Chosen]) -> dict[str, Any]:
    return {
        "prompt": [item.prompt.name for item in chosen],
        "task": ("prompt", [item.prompt.task or "" for item in chosen]),
    }


def _covariates(
    found: Sequence[Attribution], chosen: Sequence[Chosen], counted: np.ndarray, names: Sequence[str]
) -> dict[str, xr.DataArray]:
    """Return what a table of sensitivity needs: scores of all variants, and the lengths that densities grow with."""
    scores = variants_array([variant_scores(item) for item in found], names).where(xr.DataArray(counted, dims="prompt"))
    lengths = {
        "response_length": [item.raw.shape[1] for item in found],
        "prompt_length": [item.raw.shape[0] for item in found],
        "instruction_length": [int(item.instruction.sum()) for item in found],
    }
    return {"instruction_scores": scores} | {
        name: xr.DataArray(np.array(values, dtype=float), dims=("prompt",), coords=_coords(chosen))
        for name, values in lengths.items()
    }


def _text_of(response: str | Answer) -> str:
    return response.text if isinstance(response, Answer) else response
