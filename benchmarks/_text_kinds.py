"""A good file of every kind of text that is read here, to be damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from benchmarks._corpus_layouts import LAYOUTS, READERS, WORDS, meco_2
from benchmarks._table_damages import Table
from benchmarks._text_readings import (
    Holds,
    confounds,
    corpus,
    json_entries,
    lines,
    long_intervals,
    numeric_table,
    own_file,
    printed_text,
    prompts,
    recipe,
    responses,
    study,
    surprisal_rows,
    surprisals,
    word_times,
    yaml_entries,
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """`content` of a good file called `file`; `entries` counts, by itself, what a damaged text (no table) holds."""

    file: str
    content: Table | str
    read: Callable[[Path], Holds]
    entries: Callable[[str], int | None] = lambda text: None
    beside: tuple[tuple[str, str], ...] = ()
    tells: bool = True  # whether what is read has a place for how the file was read


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
        table = Table(list(rows[0]), cells, separator, measured, (numbered,), unit="ms")
        found[f"corpus {name}"] = Kind("corpus.csv" if separator == "," else "corpus.txt", table, corpus)
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
        [f"s{n}", f"p{n // 2}", f"Sentence, naïve, {n}.", person, region, f"{rng.normal(0, 500):.{style}f}", "a.u."]
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
    bids = Table(["onset", "duration", "word"], events, "\t", "onset", ("duration",))
    return {
        "events": Kind("events.tsv", bids, word_times),
        "table": Kind("words.csv", Table(["word", "onset", "offset"], plain, ",", "onset", ("offset",)), word_times),
        "headless": Kind("words.txt", headless, lambda path: word_times(path, **named), lines),
        "TextGrid, long": Kind("words.TextGrid", _long(intervals), word_times, long_intervals),
        "TextGrid, short": Kind("words.TextGrid", _short(intervals), word_times),
        "printed": Kind("printed.txt", " ".join(WORDS[:10]) + "\n" + " ".join(WORDS) + "\n", printed_text,
                        beside=(("spoken.tsv", Table(["word", "onset", "offset"], plain, "\t", "onset").text()),)),
    }  # fmt: skip


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
        "surprisals, lists": Kind(
            "surprisals.json", json.dumps(lists, indent=0), surprisals, json_entries, tells=False),
        "surprisals, sentences": Kind(
            "surprisals.json", json.dumps({d: [v[:half], v[half:]] for d, v in lists.items()}), surprisals,
            json_entries, tells=False),
    }  # fmt: skip


def _texts() -> dict[str, Kind]:
    asked = [
        {"name": f"p{n}", "prompt": f"Now do {n}.", "instruction": f"do {n}.", "task": "naïve", "output": f"Did {n}"}
        for n in range(12)
    ]
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
