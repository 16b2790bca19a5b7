"""Files of word surprisals, read beside the words they belong to.

Two layouts, both UTF-8:

- a table, as CSV (`.csv`), tab-separated (`.tsv`) or a JSON list of rows: `document`, `surprisal`, and, so that the
  words can be compared, `word` and `position` (counted from 0 or from 1); rows in reading order within a document;
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
from tuneshift.human.reading_times import ReadingTimes

_BITS_PER = {"bits": 1.0, "nats": 1 / np.log(2)}
_ROUNDING = 0.01  # bits below zero that rounding explains; a probability above one is what nothing else explains


@dataclass(frozen=True)
class _Document:
    """What a file holds of one document: `surprisal` (n,), words and sentence lengths where it has them."""

    surprisal: np.ndarray
    words: tuple[str, ...] | None = None
    sentences: tuple[int, ...] | None = None


def load_surprisals(path: Path, times: ReadingTimes, unit: Literal["bits", "nats"] = "bits") -> np.ndarray:
    """Return the surprisals (n_words,) in bits of the words of `times` from a file in one of the layouts above.

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
    _require_surprisals(path, values, words)
    return values


def _read(path: Path) -> dict[str, _Document]:
    if path.suffix.lower() in (".csv", ".tsv"):
        return _from_table(path, _delimited(path))
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"the surprisals {path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"the surprisals {path} are no JSON ({error}); give JSON, or a table that ends in .csv or .tsv."
        ) from error
    if isinstance(content, dict):
        return {str(name): _from_list(path, str(name), values) for name, values in content.items()}
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        return _from_table(path, pd.DataFrame(content))
    raise BadInput(
        f"the surprisals {path} are neither a list of rows (document, position, word, surprisal) nor an object "
        "document -> list of surprisals."
    )


def _delimited(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path,
            sep="\t" if path.suffix.lower() == ".tsv" else ",",
            dtype={"document": str, "word": str},
            keep_default_na=False,  # "NA" and "null" are words
        )
    except OSError as error:
        raise BadInput(f"the surprisals {path} cannot be read ({error.strerror}).") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise BadInput(f"the surprisals {path} are no table ({error}).") from error


def _from_table(path: Path, table: pd.DataFrame) -> dict[str, _Document]:
    for column in ("document", "surprisal"):
        if column not in table:
            there = [str(name) for name in table.columns]
            raise BadInput(
                f"the surprisals {path} have no column {column!r}{nearest(column, there)}; "
                f"they have {', '.join(there)}."
            )
    table = table.assign(document=table["document"].astype(str))
    values = pd.to_numeric(table["surprisal"], errors="coerce").astype(float)
    found = {}
    for name, rows in table.groupby("document", sort=False):
        _require_order(path, rows, str(name))
        words = tuple(rows["word"].astype(str)) if "word" in rows else None
        found[str(name)] = _Document(values[rows.index].to_numpy(), words)
    return found


def _require_order(path: Path, rows: pd.DataFrame, name: str) -> None:
    if "position" not in rows:
        return
    position = pd.to_numeric(rows["position"], errors="coerce").to_numpy(float)
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


def _require_surprisals(path: Path, values: np.ndarray, words: pd.DataFrame) -> None:
    bad = np.flatnonzero(~np.isfinite(values) | (values < -_ROUNDING))
    if not len(bad):
        return
    row, value = words.iloc[bad[0]], values[bad[0]]
    why = "log probabilities have the other sign" if value < 0 else "every word needs a number"
    raise BadInput(
        f"the surprisals {path}: document {row['document']}, word {row['position'] + 1} ({row['word']!r}) has "
        f"{value:g} ({len(bad)} such words); {why}."
    )
