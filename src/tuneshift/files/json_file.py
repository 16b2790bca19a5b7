"""JSON as people have it, with nothing lost: no key twice, no NaN where a text belongs, no half letters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import decoder, scanner
from pathlib import Path
from typing import Any, cast

from tuneshift.errors import BadInput
from tuneshift.files.text_file import read_text

_STRING_OR_CONSTANT = re.compile(r'"(?:\\.|[^"\\])*"|-?(?:NaN|Infinity)')
_MAY_BE_LOST = re.compile(r"\\u(d[89a-f]|fffd)", re.IGNORECASE)


@dataclass(frozen=True)
class JsonFile:
    """`value`, and how the file was `said` to be read: "" where it is plain UTF-8."""

    value: Any
    said: str = ""


@dataclass(frozen=True)
class JsonRows:
    """`rows`, each with its number: its line where a line holds one value, else its place in the list, from 1."""

    rows: list[tuple[int, Any]]
    said: str = ""


def read_json(path: str | Path, *, finite: bool = True) -> JsonFile:
    """Read a JSON file in any encoding that `read_text` knows, compressed or not; BadInput as `strict_json`."""
    file = read_text(path)
    return JsonFile(strict_json(file.text, str(path), finite=finite), file.said)


def read_json_rows(path: str | Path, *, finite: bool = True) -> JsonRows:
    """Read a JSON list, or one JSON value a line; blank lines count as lines and hold nothing.

    Raises BadInput as `strict_json`, with the line.
    """
    file = read_text(path)
    if file.text.lstrip().startswith("["):
        values = strict_json(file.text, str(path), finite=finite)
        return JsonRows(list(enumerate(values, start=1)), file.said)
    lines = [(number, line) for number, line in enumerate(file.text.split("\n"), start=1) if line.strip()]
    if lines and not _whole(lines[0][1]) and lines[0][1].lstrip().startswith("{"):
        return JsonRows([(lines[0][0], _one_object(file.text, str(path), lines[0][0], finite))], file.said)
    return JsonRows(
        [(number, strict_json(line, str(path), finite=finite, line=number)) for number, line in lines], file.said
    )


def strict_json(text: str, where: str, *, finite: bool = True, line: int | None = None) -> Any:
    """Return the value of a JSON text; `line` is the line of the file that it is, None where it is the whole file.

    Raises BadInput, with the line, for what is no JSON, a key that an object holds twice, NaN and infinities (unless
    not `finite`), half of a letter (a lone surrogate), and U+FFFD, the sign of a letter that was lost.
    """
    place = where if line is None else f"{where}, line {line}"
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_number if finite else None)
    except json.JSONDecodeError as error:
        raise BadInput(f"{where}, line {line or error.lineno}: no valid JSON ({error.msg}).") from error
    except RecursionError:
        raise BadInput(f"{place} is nested too deeply to be read.") from None
    except _Twice as error:
        begun = place if line is not None else _begun(text, where)
        raise BadInput(f"{begun}: key {error.key!r} is given twice; keep one of them.") from None
    except _NoNumber as error:
        at = line or _line_of_constant(text)
        raise BadInput(f"{where}, line {at}: {error} is no JSON, and no value; give null or leave it out.") from None
    except ValueError as error:  # a number of thousands of digits
        raise BadInput(f"{place}: no valid JSON ({error}).") from error
    if _MAY_BE_LOST.search(text):
        _require_whole_letters(value, place)
    return value


class _Twice(ValueError):
    """A key that stands twice in an object; json would keep its last value in silence."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key
        self.begin: int | None = None


class _NoNumber(ValueError):
    """NaN or an infinity, which Python's json takes and no other reader does."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for at, name in enumerate(names) if name in names[:at]))
    return found


def _no_number(name: str) -> Any:
    raise _NoNumber(name)


def _begun(text: str, where: str) -> str:
    """Say in which line the object begins that holds a key twice: read again, by the reader that knows places."""

    def parse_object(begin: tuple[str, int], *rest: Any) -> Any:
        try:
            return cast("Any", decoder).JSONObject(begin, *rest)
        except _Twice as error:
            if error.begin is None:
                error.begin = begin[1]
            raise

    reader: Any = json.JSONDecoder(object_pairs_hook=_pairs)
    reader.parse_object = parse_object
    reader.scan_once = cast("Any", scanner).py_make_scanner(reader)
    try:
        reader.decode(text)
    except _Twice as error:
        return f"{where}, the object that begins in line {text.count(chr(10), 0, error.begin) + 1}"
    except (ValueError, RecursionError):  # nested deeper than this reader goes
        pass
    return where


def _line_of_constant(text: str) -> int:
    found = (match for match in _STRING_OR_CONSTANT.finditer(text) if not match.group().startswith('"'))
    return text.count("\n", 0, next(found).start()) + 1


def _whole(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):
        return True  # its own sentence says what is wrong
    return True


def _one_object(text: str, where: str, first: int, finite: bool) -> Any:
    """Return the only object of a file, written over several lines; a file with several of these is refused."""
    begin = text.index("{")
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        end = -1
    if end > 0 and text[end:].lstrip().startswith("{"):
        raise BadInput(
            f"{where}, line {first}: an object goes on in the next line; write each row on one line of its own, or all "
            "of them as a list, [..., ...]."
        )
    if end > 0 and "\n" in text[begin:end]:
        return strict_json(text, where, finite=finite)
    return strict_json(text.split("\n")[first - 1], where, finite=finite, line=first)


def _require_whole_letters(value: Any, place: str) -> None:
    for text in _texts(value):
        lost = re.search("[\ud800-\udfff\ufffd]", text)
        if lost:
            what = "U+FFFD, the sign of a letter that was lost" if lost.group() == "\ufffd" else "half of a letter"
            shown = ascii(text[max(0, lost.start() - 15) : lost.start() + 15])
            raise BadInput(f"{place}: {shown} holds {what}; take the text from before that.")


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            left += reversed(item)
        elif isinstance(item, dict):
            left += [part for pair in reversed(item.items()) for part in reversed(pair)]
