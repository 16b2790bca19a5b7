"""How every kind of text file is read, what was read of it in numbers, and how many entries a damaged text holds."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks._corpus_layouts import WORDS
from tuneshift.errors import TuneshiftError
from tuneshift.human import ReadingTimes, Recording, check_file, import_reading_times, load_data, read_recipe
from tuneshift.human.prompt_file import read_prompts, read_responses
from tuneshift.human.recordings.series.confounds import read_confounds
from tuneshift.human.recordings.series.numeric_table import read_numeric_table
from tuneshift.human.recordings.series.recipe import WordFiles
from tuneshift.human.recordings.series.word_times import read_words
from tuneshift.reading.surprisal_formats import load_surprisals
from tuneshift.study.config import load_study


@dataclass(frozen=True)
class Holds:
    """What was read: numbers, words, what was `said` of it, and how many entries were said to be `left_out`."""

    values: list[float]
    words: list[str] = field(default_factory=list)
    said: str = ""
    left_out: int = 0


class Disagreement(AssertionError):
    """`data check` finds a file sound that the reader refuses, or the other way round."""


def _agreed(path: Path, read: Callable[[Path], Any], always: bool = False) -> tuple[Any, list[str]]:
    """Read a file, and hold what the reader does against what `data check` finds: every fourth copy, or `always`."""
    if not always and zlib.crc32(path.read_bytes()) % 4:
        return read(path), []
    problems = check_file(path)
    fatal = [problem for problem in problems if not problem.startswith("warning: ")]
    try:
        found = read(path)
    except TuneshiftError as error:
        if not fatal:
            raise Disagreement(f"the reader refuses what the check finds sound: {error}") from None
        raise
    if fatal:
        raise Disagreement(f"the check finds what the reader does not: {fatal[0]}")
    return found, problems


def _number(pattern: str, text: str) -> int:
    return sum(int(found.replace(",", "")) for found in re.findall(pattern, text))


def own_file(path: Path) -> Holds:
    found, problems = _agreed(path, load_data, always=b"response" in path.read_bytes())
    if isinstance(found, ReadingTimes):
        said = " | ".join((*found.warnings, *found.notes))
        left_out = _number(r"(\d[\d,]*) of \d+ (?:time|amplitude)s are empty", " | ".join(found.warnings))
        return Holds(_times(found), found.words["word"].tolist(), said, left_out)
    assert isinstance(found, Recording)
    said = " | ".join((*problems, *found.dropped))
    values = found.data.values
    lost = _number(r"(\d+) responses are NaN", said) + len(values) * _number(r"(\d+) of \d+ targets hold no resp", said)
    return Holds(values[np.isfinite(values)].tolist(), found.data["text"].values.tolist(), said, lost)


def corpus(path: Path) -> Holds:
    found, _ = _agreed(path, import_reading_times)
    said = " | ".join(found.notes)
    counted = found.notes[0]
    left_out = sum(_number(p, counted) for p in (r"([\d,]+) are 0", r"([\d,]+) are empty", r"([\d,]+) rows without"))
    taken = _number(r"took ([\d,]+) times", counted)
    assert taken == len(_times(found)), f"says {taken} times, and gives {len(_times(found))}"
    return Holds(_times(found), found.words["word"].tolist(), said, left_out)


def _times(found: ReadingTimes) -> list[float]:
    held = found.words["time"] if found.by_participant is None else found.by_participant["time"]
    return [float(time) for time in held if np.isfinite(time)]


def word_times(path: Path, **options: Any) -> Holds:
    printed = options.pop("printed", None)
    heard = read_words(path, WordFiles(file=path.name, **options), printed)
    said = " | ".join(heard.said)
    left_out = heard.n_pauses + _number(r"(\d+) (?:of \d+ rows have no word|marks are no words)", said)
    return Holds([word.onset for word in heard.words], [word.text for word in heard.words], said, left_out)


def printed_text(path: Path) -> Holds:
    """Words that a transcript cut apart are joined where the text prints them as one, by design and unsaid."""
    found = word_times(path.parent / "spoken.tsv", printed=path)
    return replace(found, left_out=2 * len(WORDS) - len(found.words))


def confounds(path: Path) -> Holds:
    values, said = read_confounds(path, ("x",), 0, np.ones(24, dtype=bool))
    told = " | ".join(said)
    filled = _number(r"no value in the first (\d+)", told)
    return Holds(values[:, -1].tolist()[filled:], [], told, filled)


def numeric_table(path: Path) -> Holds:
    found = read_numeric_table(path)
    column = found.header.index("x") if found.header and "x" in found.header else -1
    values = found.values[:, column]
    missing = int((~np.isfinite(values)).sum())  # they stay in their places, as NaN
    return Holds(
        values[np.isfinite(values)].tolist(), [], " | ".join(found.said) + f" {missing}" * bool(missing), missing
    )


def _text_of_words() -> ReadingTimes:
    import pandas as pd

    n = len(WORDS)
    words = pd.DataFrame({"document": ["a"] * n + ["b"] * n, "word": WORDS * 2, "position": [*range(n)] * 2})
    words["sentence"] = [int(at >= n // 2) for at in range(n)] * 2
    return ReadingTimes("mine", words.assign(time=1.0, n=1), release="")


TEXT = _text_of_words()


def surprisals(path: Path) -> Holds:
    values = load_surprisals(path, TEXT)
    missing = int(np.isnan(values).sum())  # the first word of a document, which a measurement counts
    said = f"{missing} first words without a value" if missing else ""
    return Holds(values[np.isfinite(values)].tolist(), [], said, missing)


def prompts(path: Path) -> Holds:
    found = read_prompts(path)
    texts = []
    for prompt in found.prompts:
        name = None if re.fullmatch(r"prompt_\d{4}", prompt.name) else prompt.name
        asked = [prompt.text[begin:end] for begin, end in prompt.instruction_spans]
        texts += [text for text in (name, prompt.text, *asked, prompt.response, prompt.task) if text is not None]
    return Holds([], texts)


def responses(path: Path) -> Holds:
    found = read_responses(path, read_prompts(path.parent / "asked.jsonl"))
    return Holds([], [text for pair in sorted(found.items()) for text in pair])


def recipe(path: Path) -> Holds:
    return Holds([], _leaves(read_recipe(path).model_dump(exclude_unset=True, exclude={"folder"})))


def study(path: Path) -> Holds:
    return Holds([], _leaves(load_study(path).model_dump(exclude_unset=True, mode="json")))


def _leaves(value: Any, under: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in _leaves(part, f"{under}{key}.")]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _leaves(part, under)]
    return [f"{under}{value}"]


def json_entries(text: str) -> int | None:
    """Count the values of JSON (or of JSON lines), those of a key that is given twice, too."""
    try:
        return _pairs(json.loads(text, object_pairs_hook=list))
    except ValueError:
        try:
            rows = [json.loads(line, object_pairs_hook=list) for line in text.split("\n") if line.strip()]
        except ValueError:
            return None
        return sum(map(_pairs, rows))


def _pairs(value: Any) -> int:
    if isinstance(value, tuple):
        return _pairs(value[1])
    return sum(map(_pairs, value)) if isinstance(value, list) else 1


def surprisal_rows(text: str) -> int | None:
    """Count the keys `surprisal` of a list of rows."""
    held = json_entries(text)
    return None if held is None else len(re.findall(r'"surprisal":', text))


def yaml_entries(text: str) -> int | None:
    """Count the values of YAML, those of a key that is given twice, too."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None

    def count(node: yaml.Node | None) -> int:
        if isinstance(node, yaml.MappingNode):
            return sum(count(value) for _, value in node.value)
        return sum(map(count, node.value)) if isinstance(node, yaml.SequenceNode) else 1

    return count(node)


def long_intervals(text: str) -> int | None:
    return len(re.findall(r"=\s*\"[^\"\n]*\"\s*$", text, re.MULTILINE))


def lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.split("\n"))
