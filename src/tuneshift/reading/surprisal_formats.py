"""Files of word surprisals, read beside the words they belong to.

Two layouts, in any encoding that `read_text` knows, compressed or not:

- a table, as CSV (`.csv`, with commas, semicolons or tabs), tab-separated (`.tsv`) or a JSON list of rows: `document`,
  `surprisal`, and, so that the words can be compared, `word` and `position` (counted from 0 or from 1); rows in reading
  order within a document;
- a JSON object, document -> list of surprisals, or -> list of sentences that are lists of surprisals.

Documents are matched by name, so their order in the file says nothing: "10" never comes before "2".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput, nearest
from tuneshift.files.text_file import plain_suffix, read_text
from tuneshift.human.delimited import read_delimited
from tuneshift.human.number_cells import MISSING, read_numbers
from tuneshift.human.reading_times import ReadingTimes

Unit = Literal["bits", "nats", "base10", "logprob", "log2prob", "log10prob"]
"""Surprisals to base 2, e and 10; and log probabilities, which are their negatives, to base e, 2 and 10."""

_BITS_PER: dict[str, float] = {"bits": 1.0, "nats": 1 / float(np.log(2)), "base10": float(np.log2(10))}
_BITS_PER |= {"logprob": -_BITS_PER["nats"], "log2prob": -1.0, "log10prob": -_BITS_PER["base10"]}
_ENOUGH = 20  # words, of which none is a probability by chance
_INFINITE = {"inf": np.inf, "infinity": np.inf, "-inf": -np.inf, "-infinity": -np.inf}
_ROUNDING = 0.01  # bits below zero that rounding explains; a probability above one is what nothing else explains


@dataclass(frozen=True)
class _Document:
    """What a file holds of one document: `surprisal` (n,), words and sentence lengths where it has them."""

    surprisal: np.ndarray
    words: tuple[str, ...] | None = None
    sentences: tuple[int, ...] | None = None


def load_surprisals(path: Path, times: ReadingTimes, unit: Unit = "bits") -> np.ndarray:
    """Return the surprisals (n_words,) in bits of the words of `times` from a file in one of the layouts above.

    The first word of a document may have no value (empty, NaN, null), as nothing stands before it: it is NaN.

    Raises BadInput, with the first place, where file and text part: a document that one of them lacks, a word too few
    or too many, another word, rows out of order; and for values that are no surprisals (missing, infinite, negative).
    """
    found = _read(path)
    words = times.words
    names = [str(name) for name in dict.fromkeys(words["document"])]
    _require_same_documents(path, found, names, times.name)
    parts = []
    for name in names:
        rows = words[words["document"].astype(str) == name]
        document = found[name]
        _require_same_words(path, document, rows, name, times.name)
        parts.append(document.surprisal * _BITS_PER[unit])
    values = np.concatenate(parts)
    _require_surprisals(path, values, words, unit)
    return values


def _read(path: Path) -> dict[str, _Document]:
    if plain_suffix(path) in (".csv", ".tsv"):
        return _from_table(path, read_delimited(path).table)
    text = read_text(path).text
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"the surprisals {path} are no JSON ({error}); give JSON, or a table that ends in .csv or .tsv."
        ) from error
    if isinstance(content, dict):
        return {str(name): _from_list(path, str(name), values) for name, values in content.items()}
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        cells = [{str(k): "" if v is None else str(v).strip() for k, v in row.items()} for row in content]
        return _from_table(path, pd.DataFrame(cells, dtype=str).fillna("").rename(index=lambda place: place + 1))
    raise BadInput(
        f"the surprisals {path} are neither a list of rows (document, position, word, surprisal) nor an object "
        "document -> list of surprisals."
    )


def _from_table(path: Path, table: pd.DataFrame) -> dict[str, _Document]:
    for column in ("document", "surprisal"):
        if column not in table:
            there = [str(name) for name in table.columns]
            raise BadInput(
                f"the surprisals {path} have no column {column!r}{nearest(column, there)}; "
                f"they have {', '.join(there)}."
            )
    values = _numbers(path, table, "surprisal")
    found = {}
    for name, rows in table.groupby("document", sort=False):
        _require_order(path, rows, str(name))
        words = tuple(rows["word"].astype(str)) if "word" in rows else None
        found[str(name)] = _Document(values[rows.index].to_numpy(), words)
    return found


def _numbers(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of numbers, NaN where a cell is empty; one that has to be guessed at is refused."""
    infinite = table[column].str.lower().map(_INFINITE)
    found = read_numbers(table[column].where(infinite.isna(), ""), column)
    problem = next((p.sentence for p in found.wrong), None) or next(iter(found.said), None)
    if problem is not None:
        raise BadInput(f"the surprisals {path}: {problem}; write numbers with a decimal point and nothing else.")
    return infinite.fillna(pd.Series(found.values, index=table.index)).astype(float)


def _require_order(path: Path, rows: pd.DataFrame, name: str) -> None:
    if "position" not in rows:
        return
    position = _numbers(path, rows, "position").to_numpy(float)
    start = position[0] if position[0] in (0, 1) else 0
    wrong = np.flatnonzero(position != np.arange(len(position)) + start)
    if len(wrong):
        at = int(wrong[0])
        raise BadInput(
            f"the surprisals {path}: document {name} is not in reading order: position {int(start) + at} should come "
            f"next, and {rows['position'].iloc[at]} does; sort its rows, leave none out."
        )


def _from_list(path: Path, name: str, values: Any) -> _Document:
    if not isinstance(values, list) or not values:
        raise BadInput(f"the surprisals {path}: document {name} is no list of surprisals.")
    sentences = None
    if all(isinstance(sentence, list) for sentence in values):
        sentences = tuple(len(sentence) for sentence in values)
        values = [value for sentence in values for value in sentence]
    values = [np.nan if isinstance(v, str) and v.strip().lower() in MISSING else v for v in values]
    wrong = [i for i, value in enumerate(values) if isinstance(value, bool) or not isinstance(value, int | float)]
    if wrong and any(values[i] is not None for i in wrong):
        at = next(i for i in wrong if values[i] is not None)
        raise BadInput(f"the surprisals {path}: document {name}, word {at + 1}: {values[at]!r} is no number.")
    try:
        return _Document(np.array(values, dtype=float), None, sentences)
    except OverflowError as error:
        raise BadInput(f"the surprisals {path}: document {name} holds a number that is too large.") from error


def _require_same_documents(path: Path, found: dict[str, _Document], names: Sequence[str], text: str) -> None:
    for name in names:
        if name not in found:
            raise BadInput(f"the surprisals {path} lack document {name!r} of {text}; they have {', '.join(found)}.")
    for name in found:
        if name not in names:
            raise BadInput(f"the surprisals {path} hold document {name!r}, which {text} has not; is it another text?")


def _require_same_words(path: Path, document: _Document, rows: pd.DataFrame, name: str, text: str) -> None:
    expected = rows["word"].tolist()
    n = len(document.surprisal)
    for at, (theirs, ours) in enumerate(zip(document.words or (), expected, strict=False)):
        if theirs.strip() != ours:
            raise BadInput(
                f"the surprisals {path} and {text} part at document {name}, word {at + 1}: {theirs!r} and {ours!r}."
            )
    if n != len(expected):
        at = min(n, len(expected))
        extra = expected[at] if n < len(expected) else (document.words or [None] * n)[at]
        first = f"word {at + 1}" + (f" ({extra!r})" if extra is not None else "") + " has no partner"
        raise BadInput(
            f"the surprisals {path} hold {n} words of document {name}, {text} has {len(expected)}: "
            f"{_first_sentence(document, rows) or first}."
        )
    ours = rows.groupby("sentence", sort=False).size().tolist()
    if document.sentences is not None and sorted(document.sentences) == sorted(ours):
        # Where sentences are merely cut elsewhere their lengths are others; the same lengths are the same sentences.
        where = _first_sentence(document, rows)
        if where:
            raise BadInput(
                f"the surprisals {path} hold the sentences of document {name} in another order than {text}: {where}; "
                "put them into the order of the text."
            )


def _first_sentence(document: _Document, rows: pd.DataFrame) -> str:
    """Say in which sentence the lengths first differ, where both sides know their sentences."""
    if document.sentences is None:
        return ""
    ours = rows.groupby("sentence", sort=False).size().tolist()
    for at, (theirs, mine) in enumerate(zip(document.sentences, ours, strict=False)):
        if theirs != mine:
            begins = rows["word"].iloc[sum(ours[:at])]
            return f"they part in sentence {at + 1} (it begins with {begins!r}): {theirs} words against {mine}"
    return ""


def _require_surprisals(path: Path, values: np.ndarray, words: pd.DataFrame, unit: Unit) -> None:
    """Refuse, with the place, what is no surprisal: `values` are in bits; a document's first word may have none."""
    known = values[np.isfinite(values)]
    if len(known) > 1 and known.max() <= 0 and known.min() < -_ROUNDING:
        raise BadInput(
            f"the surprisals {path}: no value has the sign of {unit!r}; log probabilities have the other sign: as unit "
            "they are `logprob`, `log2prob` and `log10prob` (base e, 2, 10), their negatives `nats`, `bits`, `base10`."
        )
    if len(known) >= _ENOUGH and known.min() >= 0 and known.max() / abs(_BITS_PER[unit]) <= 1:
        raise BadInput(
            f"the surprisals {path}: all values lie between 0 and 1, as probabilities do; give negative logarithms."
        )
    first = words["position"].to_numpy() == 0
    bad = np.flatnonzero((~np.isfinite(values) & ~(np.isnan(values) & first)) | (values < -_ROUNDING))
    if not len(bad):
        return
    row, value = words.iloc[bad[0]], values[bad[0]] / _BITS_PER[unit]
    why = (
        "log probabilities have the other sign"
        if values[bad[0]] < 0
        else "every word needs a number, but a document's first"
    )
    raise BadInput(
        f"the surprisals {path}: document {row['document']}, word {row['position'] + 1} ({row['word']!r}) has "
        f"{value:g} ({len(bad)} such words); {why}."
    )
