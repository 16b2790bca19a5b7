"""Which prompts are measured, with which responses, and where their instructions stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneshift.errors import BadInput, nearest
from tuneshift.human.prompt_file import read_responses
from tuneshift.human.prompts.prompts import Prompt, PromptSet
from tuneshift.inside.attribution.instructions import find_instruction
from tuneshift.inside.attribution.layout import Form, Spans
from tuneshift.models import LanguageModel
from tuneshift.models.generation import Answer
from tuneshift.progress import Progress, silent


@dataclass(frozen=True)
class Wanted:
    """What a measurement says about its prompts; see `PromptAttribution` for what each means."""

    form: Form
    responses: str
    mark_instructions: bool
    without_tasks: tuple[str, ...]
    n_prompts: int
    min_response_tokens: int
    max_new_tokens: int


@dataclass(frozen=True)
class Chosen:
    """A prompt with the response that is attributed, and the character offsets of its instruction.

    `response` is a text, or what the model itself wrote.
    """

    prompt: Prompt
    response: str | Answer
    instruction: Spans


def choose(
    wanted: Wanted, model: LanguageModel, prompts: PromptSet, warnings: list[str], progress: Progress = silent
) -> list[Chosen]:
    """Return the prompts to measure, in their order; what is left out is counted in `warnings`.

    Given responses of fewer than `min_response_tokens` tokens are passed over; generated ones are kept (the same
    prompts for every model) and left out of the scores. Raises BadInput where nothing remains, with the reason.
    """
    candidates = _candidates(wanted, prompts, warnings)
    if wanted.responses == "generated":
        candidates = candidates[: wanted.n_prompts]
        answers = answers_of(model, [p for p, _ in candidates], wanted.form, wanted.max_new_tokens, progress)
        chosen = [Chosen(p, answer, spans) for (p, spans), answer in zip(candidates, answers, strict=True)]
        short = sum(len(answer.ids) < wanted.min_response_tokens for answer in answers)
        if short:
            warnings.append(
                f"{short} of {len(chosen)} generated answers have fewer than {wanted.min_response_tokens} tokens and "
                "are left out of the scores."
            )
        return chosen
    given = _given(wanted, prompts, warnings)
    chosen, without, short = [], 0, 0
    for prompt, spans in candidates:
        if len(chosen) == wanted.n_prompts:
            break
        text = given.get(prompt.name)
        if text is None or not text.strip():
            without += 1
        elif _n_tokens(model, text) < wanted.min_response_tokens:
            short += 1
        else:
            chosen.append(Chosen(prompt, text, spans))
    if without:
        warnings.append(f"{without} prompts of {prompts.name} have no response and are left out.")
    if short:
        warnings.append(
            f"{short} prompts of {prompts.name} have a response of fewer than {wanted.min_response_tokens} tokens and "
            "were passed over."
        )
    if not chosen:
        raise BadInput(
            f"no prompt of {prompts.name} has a response of at least {wanted.min_response_tokens} tokens; "
            "give --responses FILE, or attribute --generated answers."
        )
    return chosen


def answers_of(
    model: LanguageModel, prompts: Sequence[Prompt], form: Form, max_new_tokens: int, progress: Progress
) -> list[Answer]:
    """Return the model's greedy answers, each prompt followed by a blank line or inside the chat template."""
    chat = form == "chat"
    end = "" if chat or model.is_encoder_decoder else "\n\n"
    texts = [prompt.text + end for prompt in prompts]
    return model.answers(texts, max_new_tokens=max_new_tokens, chat=chat, progress=progress)


def _candidates(wanted: Wanted, prompts: PromptSet, warnings: list[str]) -> list[tuple[Prompt, Spans]]:
    known = {prompt.task for prompt in prompts.prompts if prompt.task}
    for task in wanted.without_tasks:
        if task not in known:
            raise BadInput(f"without_tasks: {prompts.name} has no task {task!r}{nearest(task, known)}.")
    found, unmarked = [], 0
    for prompt in prompts.prompts:
        if prompt.task in wanted.without_tasks:
            continue
        spans = prompt.instruction_spans
        if not spans and wanted.mark_instructions:
            spans = find_instruction(prompt.text)
        if spans:
            found.append((prompt, spans))
        else:
            unmarked += 1
    if unmarked:
        how = "and none was found by rule" if wanted.mark_instructions else "(--mark-instructions finds them by rule)"
        warnings.append(f"{unmarked} of {len(prompts.prompts)} prompts have no marked instruction {how}; left out.")
    if not found:
        raise BadInput(
            f"no prompt of {prompts.name} has a marked instruction; add `instruction` or `instruction_spans` to the "
            "file, or find them by rule with --mark-instructions."
        )
    return found


def _given(wanted: Wanted, prompts: PromptSet, warnings: list[str]) -> dict[str, str]:
    if wanted.responses == "reference":
        return {prompt.name: prompt.response for prompt in prompts.prompts if prompt.response}
    return read_responses(Path(wanted.responses), prompts, warnings)


def _n_tokens(model: LanguageModel, text: str) -> int:
    return len(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
