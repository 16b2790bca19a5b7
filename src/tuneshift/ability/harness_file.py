"""The results file of lm-evaluation-harness as JSON: whatever its encoding, and nothing in it twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuneshift.errors import BadInput
from tuneshift.files.text_file import unpacked

_WANTED = "give the results_*.json of an lm-eval run"
_OF_ONE_QUESTION = ("doc_id", "doc")


def read_file(path: Path) -> dict[str, Any]:
    """Return what a results file holds, a dictionary with the dictionary `results` in it.

    UTF-8, UTF-16 or UTF-32, as JSON is, with or without a mark; gzip. Raises BadInput where the file is no such file, a
    name stands twice in it, or it holds the answers to single questions.
    """
    try:
        raw = unpacked(path)
    except BadInput as error:
        problem = str(error).removeprefix(f"{path} ").rstrip(".")
        raise BadInput(f"{path} cannot be read as JSON: it {problem}; {_WANTED}.") from error
    found = _parsed(raw, path)
    if _is_of_one_question(found):
        raise _answers(path)
    if not isinstance(found, dict) or not isinstance(found.get("results"), dict):
        held = type(found["results"]).__name__ if isinstance(found, dict) and "results" in found else ""
        problem = f"holds no table of tasks under 'results' but a {held}" if held else "has no key 'results'"
        raise BadInput(f"{path} {problem}; {_WANTED}.")
    return found


def _parsed(raw: bytes, path: Path) -> Any:
    try:
        return json.loads(raw, object_pairs_hook=_each_once)
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{path} cannot be read as JSON: in row {row}, byte {error.start} is no {error.encoding} ({error.reason}); "
            "save it as UTF-8, or take the file as lm-eval wrote it."
        ) from error
    except _TwiceError as error:
        raise BadInput(f"{path}: {error}; keep the one that is right.") from error
    except RecursionError as error:
        raise BadInput(f"{path} is nested too deeply for results; {_WANTED}.") from error
    except ValueError as error:
        if _is_of_one_question(_first_line(raw)):
            raise _answers(path) from error
        raise BadInput(f"{path} cannot be read as JSON ({error}); {_WANTED}.") from error


class _TwiceError(ValueError):
    """A name stands twice in one object: JSON readers keep the last of them without a word."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _TwiceError(f"{twice!r} stands {names.count(twice)} times in one place")
    return found


def _first_line(raw: bytes) -> Any:
    try:
        return json.loads(raw.strip().splitlines()[0])
    except (ValueError, RecursionError, IndexError):
        return None


def _is_of_one_question(found: Any) -> bool:
    first = found[0] if isinstance(found, list) and found else found
    return isinstance(first, dict) and "results" not in first and any(name in first for name in _OF_ONE_QUESTION)


def _answers(path: Path) -> BadInput:
    return BadInput(
        f"{path} holds answers to single questions (samples_*.jsonl of --log_samples), not scores; give the "
        "results_*.json that lm-eval wrote beside it."
    )
