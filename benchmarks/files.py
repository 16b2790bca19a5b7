"""Damaged copies of good text files: each is refused in a sentence, or read whole, or says what is missing.

Tables, corpora, TextGrids, word times, confounds, surprisals, prompts, recipes and studies are damaged as programs,
spreadsheets and disks do it. Counted are copies refused, copies read as the good file, copies read as they now are
(what was taken out cannot be known; what has no value is said), and faults: any other error, a refusal that is no
sentence, entries lost or numbers altered without a word, a check and a reader that disagree.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from pathlib import Path

import numpy as np

from benchmarks._table_damages import MISSING, Table, Truth, damaged_table
from benchmarks._text_damages import as_written, byte_damaged, line_damaged
from benchmarks._text_kinds import Kind, kinds
from benchmarks._text_readings import Disagreement, Holds
from tuneshift.errors import TuneshiftError

STYLES = 4  # of numbers: whole, or with 1 to 3 decimals
KINDS = tuple(kinds(0))
VERDICTS = ("refused", "read as the good one", "read as many", "read what is left", "says the difference", "fault")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.files", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run")
    parser.add_argument(
        "--copies", type=int, default=900, help="damaged copies of each kind of file (of the slow ones 3/8)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--faults", type=int, default=5, help="how many faults of each kind are shown")
    options = parser.parse_args(argv or [])
    n_copies = 20 if options.quick else options.copies
    total: Counter[str] = Counter()
    start = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        results = pool.map(damaged_copies, KINDS, (_share(kind, n_copies) for kind in KINDS), repeat(options.seed))
        for kind, (found, faults) in zip(KINDS, results, strict=True):
            total += found
            print(f"  {kind:<26} {', '.join(f'{found[verdict]} {verdict}' for verdict in VERDICTS)}", flush=True)
            for fault in faults[: options.faults]:
                print(f"    {fault}")
    seconds = time.perf_counter() - start
    print(
        f"{sum(total.values()):,} damaged copies in {seconds:.0f} s: {', '.join(f'{total[v]:,} {v}' for v in VERDICTS)}"
    )


def _share(kind: str, n_copies: int) -> int:
    """Reading times and recordings take ten times as long as other files."""
    return n_copies * 3 // 8 if kind.startswith(("own ", "corpus ")) else n_copies


def damaged_copies(name: str, n_copies: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return what became of damaged copies of a kind of file, and each fault in a sentence."""
    found: Counter[str] = Counter()
    faults = []
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        goods: dict[int, Holds] = {}
        for number in range(n_copies):
            rng = np.random.default_rng([seed, KINDS.index(name), number])
            style = int(rng.integers(STYLES))
            kind = _kinds(style)[name]
            if style not in goods:
                goods[style] = _good(folder, kind)
            outcome, what = damaged_copy(folder, kind, goods[style], rng)
            found[outcome.split(":")[0]] += 1
            if outcome.startswith("fault"):
                faults.append(f"seed {seed}, copy {number} ({what}): {outcome}")
    return found, faults


def damaged_copy(folder: Path, kind: Kind, good: Holds, rng: np.random.Generator) -> tuple[str, str]:
    """Write and read one damaged copy; return what became of it, and what the damage was."""
    raw, behind, what, truth = _copy(kind, rng)
    path = folder / f"{kind.file}{behind}"
    path.write_bytes(raw)
    try:
        return _outcome(path, kind, good, truth), what
    finally:
        path.unlink()


def written_copy(folder: Path, name: str, rng: np.random.Generator) -> Path:
    """Write a damaged copy of a kind of file into a folder, and return where it is."""
    kind = _kinds(int(rng.integers(STYLES)))[name]
    raw, behind, _, _ = _copy(kind, rng)
    path = folder / f"{kind.file}{behind}"
    path.write_bytes(raw)
    return path


@cache
def _kinds(style: int) -> dict[str, Kind]:
    return kinds(style)


def _good(folder: Path, kind: Kind) -> Holds:
    for name, content in kind.beside:
        (folder / name).write_text(content, encoding="utf-8")
    path = folder / kind.file
    text = kind.content.text() if isinstance(kind.content, Table) else kind.content
    path.write_text(text, encoding="utf-8", newline="")
    return kind.read(path)


def _copy(kind: Kind, rng: np.random.Generator) -> tuple[bytes, str, str, Truth]:
    """Return the bytes of a copy, the suffix behind its name, what was done, and what is to be read of it."""
    if isinstance(kind.content, Table):
        if rng.random() < 0.8:
            done = damaged_table(kind.content, rng)
            raw = done.table.text().encode(done.encoding, errors="replace")
            raw = done.raw(raw) if done.raw is not None else raw
            truth = done.truth if done.raw is None or done.truth.same or done.truth.refused else _counted(raw, kind)
            return gzip.compress(raw, 1) if done.gzip else raw, ".gz" * done.gzip, done.what, truth
        raw = kind.content.text().encode()
    else:
        way = rng.random()
        if way < 0.3:
            raw, what, behind = as_written(kind.content, rng)
            return raw, behind, what, Truth(same=True, told=kind.tells and what in ("utf-16", "utf-16-le", "utf-16-be"))
        raw = kind.content.encode()
        if way < 0.7:
            text, what = line_damaged(kind.content, rng)
            raw = text.encode()
            return raw, "", what, Truth(refused=True) if "\ufffd" in text else _counted(raw, kind)
    if rng.random() < 0.1:
        raw, what = byte_damaged(gzip.compress(raw, 1), rng)
        return raw, ".gz", f"gzip, {what}", Truth(same=True)
    raw, what = byte_damaged(raw, rng)
    return raw, "", what, _counted(raw, kind)


def _counted(raw: bytes, kind: Kind) -> Truth:
    """Return what a damaged copy holds, read by other and simpler means; nothing known where it is no such file."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not isinstance(kind.content, Table):
        return Truth(rows=kind.entries(text))
    table = kind.content
    quotes = csv.QUOTE_MINIMAL if table.separator != "\t" else csv.QUOTE_NONE
    rows = [
        row
        for row in csv.reader(text.split("\n"), delimiter=table.separator, quoting=quotes)
        if any(map(str.strip, row))
    ]
    header = [name.strip(' "') for name in rows[0]] if rows else []
    if table.measured not in header or any(len(row) != len(header) for row in rows):
        return Truth()
    place = header.index(table.measured)
    cells = [row[place].strip(' "') for row in rows[1:]]
    try:
        values = [table.scale * float(cell) for cell in cells if cell not in MISSING]
    except ValueError:
        return Truth(rows=len(cells))
    return Truth(values=values, rows=len(cells))


def _outcome(path: Path, kind: Kind, good: Holds, truth: Truth) -> str:
    try:
        mine = kind.read(path)
    except TuneshiftError as error:
        return "refused" if "\n" not in str(error) and str(error) else "fault: its refusal is no sentence"
    except Disagreement as error:
        return f"fault: {error}"
    except Exception as error:
        return f"fault: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    if truth.refused:
        return f"fault: read, though it holds what is no number or no letter ({mine.said[:120]!r})"
    if any("\ufffd" in word for word in mine.words):
        return "fault: U+FFFD in a word"
    if truth.told and kind.tells and mine.said == good.said:
        return f"fault: how it was read is not said ({mine.said[:120]!r})"
    if truth.same:
        return _same(mine, good)
    n_read, n_good = len(mine.values) or len(mine.words), len(good.values) or len(good.words)
    said = f"{n_read} read and {mine.left_out} said to be left out ({mine.said[:120]!r})"
    if truth.values is not None and not _within(mine.values, truth.values, mine.left_out):
        return f"fault: {said}, where the file holds {len(truth.values)}, or others"
    if truth.rows is not None and n_read + mine.left_out < truth.rows - _spare(kind, good):
        return f"fault: {said}, of {truth.rows}"
    if n_read == n_good:
        return "read as many"
    if truth.values is None and truth.rows is None and n_read + mine.left_out < n_good:
        return f"fault: {said}, of {n_good}"
    return "says the difference" if mine.left_out else "read what is left"


def _spare(kind: Kind, good: Holds) -> int:
    """How many entries of the good file are no entries of what is read (none, in all kinds that are counted)."""
    if isinstance(kind.content, Table):
        return len(kind.content.rows) - len(good.values) - good.left_out
    entries = kind.entries(kind.content)
    return 0 if entries is None else entries - (len(good.values) or len(good.words)) - good.left_out


def _same(mine: Holds, good: Holds) -> str:
    n_mine, n_good = (len(mine.values), len(mine.words)), (len(good.values), len(good.words))
    if n_mine != n_good:
        return f"fault: {n_mine} values and words, not {n_good}"
    if not _close(mine.values, good.values):
        return f"fault: numbers were altered ({mine.said[:120]!r})"
    if sorted(mine.words) != sorted(good.words):
        return f"fault: words were altered ({sorted(set(mine.words) ^ set(good.words))[:4]})"
    return "read as the good one"


def _within(mine: list[float], theirs: list[float], left_out: int) -> bool:
    """Whether what was read is what is there, but for as many numbers as are said to be left out."""
    if len(mine) == len(theirs):
        return _close(mine, theirs)
    there = np.sort(np.array(theirs))
    places = np.clip(np.searchsorted(there, np.array(mine) - 1e-6), 0, max(len(there) - 1, 0))
    known = bool(len(there)) and np.allclose(there[places], mine, rtol=1e-6, atol=1e-6)
    return known and len(mine) < len(theirs) <= len(mine) + left_out


def _close(mine: list[float], theirs: list[float]) -> bool:
    return len(mine) == len(theirs) and bool(np.allclose(sorted(mine), sorted(theirs), rtol=1e-6, atol=1e-9))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
