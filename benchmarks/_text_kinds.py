"""A good file of every kind of text that is read here, how it is read, and what was read of it in numbers."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from benchmarks._corpus_layouts import LAYOUTS, READERS, WORDS, meco_2
from benchmarks._table_damages import Table

from tuneshift.errors import TuneshiftError
from tuneshift.human import ReadingTimes, Recording, check_file, import_reading_times, load_data, read_recipe
from tuneshift.human.prompt_file import read_prompts, read_responses
from tuneshift.human.series.confounds import read_confounds
from tuneshift.human.series.numeric_table import read_numeric_table
from tuneshift.human.series.recipe import WordFiles
from tuneshift.human.series.word_times import read_words
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


@dataclass(frozen=True)
class Kind:
    """`content` of a good file called `file`; `entries` counts, by itself, what a damaged text (no table) holds."""

    file: str
    content: Table | str
    read: Callable[[Path], Holds]
    entries: Callable[[str], int | None] = lambda text: None
    beside: tuple[tuple[str, str], ...] = ()
    tells: bool = True  # whether what is read has a place for how the file was read


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


COLUMNS = {
    "provo_gaze": ("IA_FIRST_RUN_DWELL_TIME", "IA_ID"), "ucl_self_paced": ("RT", "word_pos"),
    "ucl_eye_tracking_gaze": ("RTfirstpass", "word_pos"), "natural_stories_readers": ("RT", "zone"),
    "geco_gaze": ("WORD_GAZE_DURATION", "WORD_ID_WITHIN_TRIAL"), "meco_gaze": ("firstrun.dur", "ianum"),
    "meco_gaze, release 2": ("firstrun.dur", "wordnum"),
}  # fmt: skip
"""Of each corpus the column of times that an import takes, and the one that numbers words."""


def kinds(style: int) -> dict[str, Kind]:
    """Return every kind of file by name; `style` (0 to 3) says how many decimals its numbers have."""
    found: dict[str, Kind] = {}
    for name, (layout, separator) in {**LAYOUTS, "meco_gaze, release 2": (meco_2, ",")}.items():
        rows = [
            layout(reader, place, word, time) for at, reader in enumerate(READERS)
            for place, (word, time) in enumerate(zip(WORDS, _some_times(at, style), strict=True), start=1)
        ]  # fmt: skip
        measured, numbered = COLUMNS[name]
        cells = [[_shown(value, style) for value in row.values()] for row in rows]
        found[f"corpus {name}"] = Kind(f"corpus{'.csv' if separator == ',' else '.txt'}",
                                       Table(list(rows[0]), cells, separator, measured, (numbered,), unit="ms"), corpus)  # fmt: skip
    found |= {f"own {name}": Kind(f"mine{suffix}", table, own_file) for name, suffix, table in _own(style)}
    found |= {f"words {name}": kind for name, kind in _words(style).items()}
    found |= _numbers(style)
    found |= _texts()
    return found


def _some_times(seed: int, style: int) -> list[float]:
    """Times as people have them: a few above a second."""
    rng = np.random.default_rng([seed, style])
    times = rng.lognormal(5.8, 0.6, len(WORDS)) + (rng.random(len(WORDS)) < 0.2) * 900
    return [round(float(time), style) for time in times]


def _shown(value: object, style: int) -> str:
    return f"{value:.{style}f}" if isinstance(value, float) else str(value).strip()


def _own(style: int) -> list[tuple[str, str, Table]]:
    def table(
        separator: str, readers: Sequence[str], name: str = "time", factor: float = 1.0, unit: str = "ms"
    ) -> Table:
        rows = []
        for at, reader in enumerate(readers):
            for document in "ab":
                for place, (word, time) in enumerate(zip(WORDS, _some_times(at, style), strict=True), start=1):
                    amount = f"{time * factor:.{style + (3 if factor != 1 else 0)}f}"
                    rows.append(
                        [document, str(place), word, *([reader] if reader else []), amount, f"{len(word)}", unit]
                    )
        header = ["document", "index", "word", *(["participant"] if readers[0] else []), name, "length", "unit"]
        scale = 1000.0 if unit == "s" else 1.0
        return Table(header, rows, separator, name, ("index", "length"), scale, unit if unit in ("ms", "s") else "")

    return [
        ("times, commas", ".csv", table(",", READERS)),
        ("times, tabs", ".tsv", table("\t", READERS)),
        ("times, semicolons", ".csv", table(";", READERS)),
        ("mean times", ".csv", table(",", [""])),
        ("times in seconds", ".csv", table(",", READERS[:2], factor=0.001, unit="s")),
        ("amplitudes", ".tsv", table("\t", READERS[:2], "amplitude", -0.01, "µV")),
        ("recording", ".csv", _recording_table(style)),
    ]


def _recording_table(style: int) -> Table:
    rng = np.random.default_rng(style)
    rows = [
        [f"s{n}", f"p{n // 2}", f"Sentence, naïve, number {n}.", person, region, f"{rng.normal(0, 500):.{style}f}", "a.u."]
        for n in range(12) for person in "ab" for region in ("IFG", "PTL")
    ]  # fmt: skip
    return Table(["stimulus", "passage", "text", "participant", "region", "response", "unit"], rows, ",", "response")


def _spans(style: int) -> list[tuple[str, float, float]]:
    decimals = max(style, 1)
    return [
        (word, round(0.5 * n, decimals), round(0.5 * n + 0.4, decimals)) for n, word in enumerate(WORDS * 2, start=1)
    ]


def _words(style: int) -> dict[str, Kind]:
    spans, digits = _spans(style), max(style, 1)
    events = [[f"{a:.{digits}f}", f"{b - a:.{digits}f}", word] for word, a, b in spans]
    plain = [[word, f"{a:.{digits}f}", f"{b:.{digits}f}"] for word, a, b in spans]
    headless = "".join(f"{word}\t{a:.{digits}f}\t{b:.{digits}f}\n" for word, a, b in spans)
    intervals = [(0.0, spans[0][1], "")]
    for n, (word, a, b) in enumerate(spans):
        after = spans[n + 1][1] if n + 1 < len(spans) else b
        intervals += [(a, b, word)] + ([(b, after, "sp")] if after > b else [])
    named = {"columns": ("word", "onset", "offset")}
    return {
        "events": Kind("events.tsv", Table(["onset", "duration", "word"], events, "\t", "onset", ("duration",)), word_times),
        "table": Kind("words.csv", Table(["word", "onset", "offset"], plain, ",", "onset", ("offset",)), word_times),
        "headless": Kind("words.txt", headless, lambda path: word_times(path, **named), _lines),
        "TextGrid, long": Kind("words.TextGrid", _long(intervals), word_times, long_intervals),
        "TextGrid, short": Kind("words.TextGrid", _short(intervals), word_times),
        "printed": Kind("printed.txt", " ".join(WORDS[:10]) + "\n" + " ".join(WORDS) + "\n", printed_text,
                        beside=(("spoken.tsv", Table(["word", "onset", "offset"], plain, "\t", "onset").text()),)),
    }  # fmt: skip


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.split("\n"))


def _long(intervals: Sequence[tuple[float, float, str]]) -> str:
    end = intervals[-1][1]
    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", f"xmax = {end} ",
            "tiers? <exists> ", "size = 1 ", "item []: ", "    item [1]:", '        class = "IntervalTier" ',
            '        name = "words" ', "        xmin = 0 ", f"        xmax = {end} ",
            f"        intervals: size = {len(intervals)} "]  # fmt: skip
    for n, (a, b, text) in enumerate(intervals, start=1):
        head += [f"        intervals [{n}]:", f"            xmin = {a} ", f"            xmax = {b} ",
                 f'            text = "{text}" ']  # fmt: skip
    return "\n".join(head) + "\n"


def _short(intervals: Sequence[tuple[float, float, str]]) -> str:
    end = intervals[-1][1]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", f"{end}", "<exists>", "1",
             '"IntervalTier"', '"words"', "0", f"{end}", f"{len(intervals)}"]  # fmt: skip
    return "\n".join([*lines, *(f'{a}\n{b}\n"{text}"' for a, b, text in intervals)]) + "\n"


def _numbers(style: int) -> dict[str, Kind]:
    rng = np.random.default_rng(style)
    cells = [[f"{x:.{style + 1}f}" for x in row] for row in rng.normal(0, 700, (24, 3)).tolist()]
    surprisal = [[d, str(n), word, f"{3 + n * 0.731:.{style + 1}f}"] for d in "ab" for n, word in enumerate(WORDS)]
    table = Table(["document", "position", "word", "surprisal"], surprisal, ",", "surprisal", ("position",))
    lists = {d: [round(3 + n * 0.731, style + 1) for n in range(len(WORDS))] for d in "ab"}
    half = len(WORDS) // 2
    rows = [dict(zip(table.header, row, strict=True)) for row in surprisal]
    return {
        "confounds": Kind("confounds.tsv", Table(["y", "z", "x"], cells, "\t", "x"), confounds),
        "numbers, commas": Kind("scans.csv", Table(["y", "z", "x"], cells, ",", "x", named=False), numeric_table),
        "numbers, tabs": Kind("scans.txt", Table(["y", "z", "x"], cells, "\t", "x", named=False), numeric_table),
        "surprisals, commas": Kind("surprisals.csv", table, surprisals, tells=False),
        "surprisals, rows": Kind(
            "surprisals.json", json.dumps([{**r, "surprisal": float(r["surprisal"])} for r in rows], indent=0),
            surprisals, surprisal_rows, tells=False),
        "surprisals, lists": Kind("surprisals.json", json.dumps(lists, indent=0), surprisals, json_entries, tells=False),
        "surprisals, sentences": Kind(
            "surprisals.json", json.dumps({d: [v[:half], v[half:]] for d, v in lists.items()}), surprisals, json_entries, tells=False),
    }  # fmt: skip


def _texts() -> dict[str, Kind]:
    asked = [{"name": f"p{n}", "prompt": f"Now do {n}.", "instruction": f"do {n}.", "task": "naïve", "output": f"Did {n}"}
             for n in range(12)]  # fmt: skip
    answers = [{"name": f"p{n}", "response": f"Answer {n}, “now,”"} for n in range(12)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in asked)
    told = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in answers)
    written = {
        "name": "mine", "series": "{participant}_{passage}.nii.gz", "repetition_time": 1.5, "first_scan": 2.5,
        "discard": 3, "words": {"file": "{passage}.TextGrid", "tier": "words", "shift": 0.25}, "high_pass": 128.5,
        "confounds": {"file": "{participant}.tsv", "columns": ["trans_x", "rot_*"]}, "unit": "é",
    }  # fmt: skip
    planned = {
        "name": "mine", "models": ["fable-2m", {"model": "fable-8m", "name": "mine, naïve", "base": "fable-2m"}],
        "measurements": [{"kind": "brain", "data": "simulated_brain", "split": "contiguous"}, "heads"], "seeds": [0, 1],
    }  # fmt: skip
    dumped = {"sort_keys": False, "allow_unicode": True}
    return {
        "prompts, lines": Kind("prompts.jsonl", lines, prompts, json_entries, tells=False),
        "prompts, list": Kind(
            "prompts.json", json.dumps(asked, indent=1, ensure_ascii=False), prompts, json_entries, tells=False
        ),
        "responses": Kind("answers.jsonl", told, responses, json_entries, (("asked.jsonl", lines),), False),
        "recipe": Kind("recipe.yaml", yaml.safe_dump(written, **dumped), recipe, yaml_entries, tells=False),  # type: ignore[arg-type]
        "study": Kind("study.yaml", yaml.safe_dump(planned, **dumped), study, yaml_entries, tells=False),  # type: ignore[arg-type]
    }
