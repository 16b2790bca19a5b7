"""Names for many components: every component asked about several times, answers kept, several requests at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tuneshift.inside.concepts.naming.answers import KeptAnswers
from tuneshift.inside.concepts.naming.categories import Answer, question, read_answer
from tuneshift.inside.concepts.naming.endpoint import Endpoint
from tuneshift.progress import Progress, silent

Key = TypeVar("Key")

_TRIES = 3  # an answer that holds no concept is asked for again, under another seed
_ANSWER_TOKENS = 45
_LETTERS_A_TOKEN = 4


@dataclass(frozen=True)
class NamingCost:
    """What naming takes: requests, of which some are answered from disk already, and about how many tokens."""

    requests: int
    kept: int
    prompt_tokens: int
    answer_tokens: int

    def __str__(self) -> str:
        kept = f" ({self.kept:,} more are answered already)" if self.kept else ""
        return (
            f"{self.requests:,} requests{kept}, about {self.prompt_tokens:,} prompt tokens "
            f"and {self.answer_tokens:,} answer tokens"
        )

    def price(self, prompt: float, answer: float) -> float:
        """Return the price, for prices a million prompt tokens and a million answer tokens."""
        return (self.prompt_tokens * prompt + self.answer_tokens * answer) / 1e6


def naming_cost(requests: int, kept: int, letters: int) -> NamingCost:
    """Return the cost of requests whose questions have so many letters in all."""
    return NamingCost(requests, kept, letters // _LETTERS_A_TOKEN, requests * _ANSWER_TOKENS)


class Namer:
    """Asks an endpoint for the concepts of components, `seeds` times each."""

    def __init__(
        self, endpoint: Endpoint, kept: KeptAnswers | None = None, *, seeds: int = 5, at_once: int = 8
    ) -> None:
        self.endpoint = endpoint
        self.kept = kept or KeptAnswers()
        self.seeds = seeds
        self.at_once = at_once

    def cost(self, words: Mapping[Key, Sequence[str]]) -> NamingCost:
        """Return what naming these components would take, were every question answered at the first try."""
        questions = _questions(words.values())
        open_ones = [
            (messages, seed)
            for messages in questions
            for seed in range(self.seeds)
            if self.kept.answer(self._path(messages, seed)) is None
        ]
        letters = sum(len(message["content"]) for messages, _ in open_ones for message in messages)
        return naming_cost(len(open_ones), len(questions) * self.seeds - len(open_ones), letters)

    def name(self, words: Mapping[Key, Sequence[str]], progress: Progress = silent) -> dict[Key, list[Answer | None]]:
        """Return the answers about each component, one a seed; None where three tries held no concept.

        Components with the same words are asked about once. Raises BadInput and MeasurementFailed as `Endpoint.ask`;
        answers that came before are kept.
        """
        questions = _questions(words.values())
        jobs = [(number, seed) for number in range(len(questions)) for seed in range(self.seeds)]
        answers: dict[tuple[int, int], Answer | None] = {}
        what = f"naming concepts: {self.cost(words)}"
        progress(what, 0, len(jobs))
        with ThreadPoolExecutor(self.at_once) as pool:
            running = {pool.submit(self._answer, questions[number], seed): (number, seed) for number, seed in jobs}
            try:
                for future in as_completed(running):
                    answers[running[future]] = future.result()
                    progress(what, len(answers), len(jobs))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        number_of = {messages[-1]["content"]: number for number, messages in enumerate(questions)}
        return {
            key: [answers[number_of[question(mine)[-1]["content"]], seed] for seed in range(self.seeds)]
            for key, mine in words.items()
        }

    def _answer(self, messages: list[dict[str, str]], seed: int) -> Answer | None:
        for attempt in range(_TRIES):
            tried = seed + 1000 * attempt
            path = self._path(messages, tried)
            text = self.kept.answer(path)
            if text is None:
                text = self.endpoint.ask(messages, tried)
                self.kept.put(path, text)
            answer = read_answer(text)
            if answer is not None:
                return answer
        return None

    def _path(self, messages: list[dict[str, str]], seed: int) -> Path:
        return self.kept.answer_path(self.endpoint.url, self.endpoint.model, messages, seed)


def _questions(words: Iterable[Sequence[str]]) -> list[list[dict[str, str]]]:
    """Return the different questions about lists of words, in order."""
    found = {tuple(mine): question(mine) for mine in words}
    return list(found.values())
