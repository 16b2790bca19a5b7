"""Files of word surprisals, read beside the words they belong to.

Two layouts, in any encoding that `read_text` knows, compressed or not:

- a table, as CSV (`.csv`, with commas, semicolons or tabs), tab-separated (`.tsv`), a JSON list of rows or one JSON
  object a line (`.jsonl`): `document`, `surprisal`, and, so that the words can be compared, `word` and `position`
  (counted from 0 or from 1); rows in reading order within a document;
- a JSON object, document -> list of surprisals, or -> list of sentences that are lists of surprisals.

Documents are matched by name, so their order in the file says nothing: "10" never comes before "2".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput, nearest
from tuneshift.files.json_file import read_json, read_json_rows
from tuneshift.files.text_file import plain_suffix
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.text.delimited import read_delimited
from tuneshift.human.text.number_cells import MISSING, read_numbers

Unit = Literal["bits", "nats", "base10", "logprob", "log2prob", "log10prob"]
"""Surprisals to base 2, e and 10; and log probabilities, which are their negatives, to base e, 2 and 10."""

_BITS_PER: dict[str, float] = {"bits": 1.0, "nats": 1 / float(np.log(2)), "base10": float(np.log2(10))}
_BITS_PER |= {"logprob": -_BITS_PER["nats"], "log2prob": -1.0, "log10prob": -_BITS_PER["base10"]}
_ENOUGH = 20  # words, of which none is a probability by chance
_INFINITE = {"inf": np.inf, "infinity": np.inf, "-inf": -np.inf, "-infinity": -np.inf}
_ROUNDING = 0.01  # bits below zero that rounding explains; a probability above one is what nothing else explains


@dataclass(frozen=True)
class GivenSurprisals:
    """`values` (n_words,) in bits of a file, and what is `said` of how it was read."""

    values: np.ndarray
    said: tuple[str, ...]


@dataclass(frozen=True)
class _Document:
    """What a file holds of one document: `surprisal` (n,), words, sentence lengths and rows where it has them."""

    surprisal: np.ndarray
    words: tuple[str, ...] | None = None
    sentences: tuple[int, ...] | None = None
    rows: tuple[int, ...] | None = None


def load_surprisals(path: Path, times: ReadingTimes, unit: Unit = "bits") -> np.ndarray:
    """Return the surprisals (n_words,) in bits of the words of `times` from a file; see `read_surprisals`."""
    return read_surprisals(path, times, unit).values


def read_surprisals(path: Path, times: ReadingTimes, unit: Unit = "bits") -> GivenSurprisals:
    """Read the surprisals (n_words,) of the words of `times` from a file in one of the layouts above.

    Its encoding, what stands between its cells, decimal commas and values a little below zero are said. The first word
    of a document may have no value (empty, NaN, null), as nothing stands before it: it is NaN.

    Raises BadInput, with the first place, where file and text part: a document that one of them lacks, a word too few
    or too many, another word, rows out of order; and for values that are no surprisals (missing, infinite, negative).
    """
    found, said = _read(path)
    words = times.words
    names = [str(name) for name in dict.fromkeys(words["document"])]
    _require_same_documents(path, found, names, times.name)
    parts, places = [], []
    composed = 0
    for name in names:
        rows = words[words["document"].astype(str) == name]
        document = found[name]
        composed += _require_same_words(path, document, rows, name, times.name)
        parts.append(document.surprisal * _BITS_PER[unit])
        places += [f", row {row}" for row in document.rows] if document.rows else [""] * len(rows)
    values = np.concatenate(parts)
    said += _require_surprisals(path, values, places, words, unit)
    if composed:
        said.append(f"the letters of {composed} words are composed otherwise than in {times.name} (Unicode NFC, NFD)")
    return GivenSurprisals(values, tuple(f"{path.name}: {sentence}" for sentence in said))


def _read(path: Path) -> tuple[dict[str, _Document], list[str]]:
    """Return what a file holds by document, and what is said of how it was read."""
    if plain_suffix(path) in (".csv", ".tsv"):
        read = read_delimited(path)
        return _from_table(path, read.table, list(read.said))
    try:
        if plain_suffix(path) == ".jsonl":
            lines = read_json_rows(path, finite=False)
            numbers, content, encoding = [n for n, _ in lines.rows], [row for _, row in lines.rows], lines.said
        else:
            file = read_json(path, finite=False)
            content, encoding = file.value, file.said
            numbers = list(range(1, len(content) + 1)) if isinstance(content, list) else []
    except BadInput as error:
        raise BadInput(
            f"the surprisals {str(error).removesuffix('.')}; give JSON, or a table that ends in .csv or .tsv."
        ) from error
    said = [encoding] if encoding else []
    if isinstance(content, dict):
        return {str(name): _from_list(path, str(name), values) for name, values in content.items()}, said
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        cells = [{str(k): "" if v is None else str(v).strip() for k, v in row.items()} for row in content]
        return _from_table(path, pd.DataFrame(cells, dtype=str, index=numbers).fillna(""), said)
    raise BadInput(
        f"the surprisals {path} are neither a list of rows (document, position, word, surprisal) nor an object "
        "document -> list of surprisals."
    )


def _from_table(path: Path, table: pd.DataFrame, said: list[str]) -> tuple[dict[str, _Document], list[str]]:
    for column in ("document", "surprisal"):
        if column not in table:
            there = [str(name) for name in table.columns]
            raise BadInput(
                f"the surprisals {path} have no column {column!r}{nearest(column, there)}; "
                f"they have {', '.join(there)}."
            )
    values = _numbers(path, table, "surprisal", said)
    positions = _numbers(path, table, "position", said) if "position" in table else None
    found = {}
    for name, rows in table.groupby("document", sort=False):
        if positions is not None:
            _require_order(path, rows, positions[rows.index].to_numpy(), str(name))
        words = tuple(rows["word"].astype(str)) if "word" in rows else None
        found[str(name)] = _Document(values[rows.index].to_numpy(), words, rows=tuple(rows.index))
    return found, said


def _numbers(path: Path, table: pd.DataFrame, column: str, said: list[str]) -> pd.Series:
    """Return a column of numbers, NaN where a cell is empty; how its cells were read is added to `said`."""
    infinite = table[column].str.lower().map(_INFINITE)
    found = read_numbers(table[column].where(infinite.isna(), ""), column)
    if found.wrong:
        raise BadInput(
            f"the surprisals {path}: {found.wrong[0].sentence}; write numbers with a decimal point and nothing else."
        )
    said += found.said
    return infinite.fillna(pd.Series(found.values, index=table.index)).astype(float)


def _require_order(path: Path, rows: pd.DataFrame, position: np.ndarray, name: str) -> None:
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


def _require_same_words(path: Path, document: _Document, rows: pd.DataFrame, name: str, text: str) -> int:
    """Return how many words are the same letters composed otherwise; BadInput where one is another word."""
    expected = rows["word"].tolist()
    n = len(document.surprisal)
    composed = 0
    for at, (theirs, ours) in enumerate(zip(document.words or (), expected, strict=False)):
        if theirs.strip() == ours:
            continue
        if unicodedata.normalize("NFC", theirs.strip()) != unicodedata.normalize("NFC", ours):
            raise BadInput(
                f"the surprisals {path} and {text} part at document {name}, word {at + 1}: {theirs!r} and {ours!r}"
                f"{_differ_only(theirs, ours)}."
            )
        composed += 1
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
    return composed


def _differ_only(theirs: str, ours: str) -> str:
    """Say in what two forms of one word differ, "" where they are two words."""
    bare = [re.sub(r"[^\w]|_", "", word) for word in (theirs, ours)]
    if theirs.casefold() == ours.casefold():
        what = "in small and large letters"
    elif bare[0] and bare[0].casefold() == bare[1].casefold():
        what = "in quotation marks or punctuation"
    else:
        return ""
    return (
        f", which differ only {what}; a model reads them as different texts: give the surprisals of the words as they "
        "stand, or, if they are, without the column `word`"
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


def _require_surprisals(
    path: Path, values: np.ndarray, places: Sequence[str], words: pd.DataFrame, unit: Unit
) -> list[str]:
    """Refuse, with the place, what is no surprisal: `values` are in bits; a document's first word may have none.

    Returns what is said of values that rounding put below zero.
    """
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
        below = int((values < 0).sum())
        return [f"{below} surprisals lie less than {_ROUNDING} bits below zero and were kept so"] if below else []
    row, value = words.iloc[bad[0]], values[bad[0]] / _BITS_PER[unit]
    why = (
        "log probabilities have the other sign"
        if values[bad[0]] < 0
        else "every word needs a number, but a document's first"
    )
    raise BadInput(
        f"the surprisals {path}{places[bad[0]]}: document {row['document']}, word {row['position'] + 1} "
        f"({row['word']!r}) has {value:g} ({len(bad)} such words); {why}."
    )
