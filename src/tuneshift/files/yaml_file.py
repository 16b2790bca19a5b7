"""YAML read safely: keys given twice are refused, aliases cannot grow without end, and errors have their line."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE
from pathlib import Path
from typing import Any

import yaml

from tuneshift.errors import BadInput
from tuneshift.files.text_file import decode_text, unpacked

_MARKS = (BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_BE)  # that of UTF-32, little-endian, begins like UTF-16's

Place = tuple[str | int, ...]
"""Where a value stands in a document: ("models", 2, "base")."""

MOST_VALUES = 200_000
"""Ten thousand models have fewer; a few lines of aliases to aliases of aliases can stand for billions."""


class YamlText:
    """A YAML document, called `what` in errors: its values, and the line on which each of them stands."""

    def __init__(self, text: str, name: str, what: str = "document") -> None:
        self.name = name
        self._what = what
        self._lines: dict[Place, int] = {}
        self._n_values = 0
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            if node is not None:
                self._walk(node, (), set())
            self.values: Any = None if node is None else loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f" line {mark.line + 1}" if mark else ""
            raise BadInput(f"{name}{line}: this is no YAML ({_problem(error)}).") from error
        except yaml.YAMLError as error:
            raise BadInput(f"{name}: this is no YAML ({' '.join(str(error).split())}).") from error
        except ValueError as error:  # a date such as 2026-02-31, a number of thousands of digits
            raise BadInput(f"{name}: this is no YAML ({error}); put texts between quotation marks.") from error
        except RecursionError:
            raise BadInput(f"{name}: this YAML is nested too deeply to be a {what}.") from None

    def where(self, place: Place) -> str:
        """Return "name line N" of a place, or of the nearest place around it that has a line."""
        while place and place not in self._lines:
            place = place[:-1]
        return f"{self.name} line {self._lines[place]}" if place in self._lines else self.name

    def _walk(self, node: yaml.Node, place: Place, above: set[int]) -> None:
        if id(node) in above:
            raise BadInput(f"{self.name} line {node.start_mark.line + 1}: this value contains itself.")
        self._n_values += 1
        if self._n_values > MOST_VALUES:
            raise BadInput(
                f"{self.name} line {node.start_mark.line + 1}: this {self._what} has more than {MOST_VALUES:,} values "
                "once its aliases (`*name`) are filled in; write out what is needed."
            )
        above = above | {id(node)}
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                name = str(key.value)
                if name in first:
                    raise BadInput(
                        f"{self.name} line {line}: key {name!r} is given twice (first on line {first[name]}); "
                        "keep one of them."
                    )
                first[name] = line
                self._lines[(*place, name)] = line
                self._walk(value, (*place, name), above)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self._walk(item, (*place, number), above)


def read_yaml(path: str | Path, what: str = "document") -> YamlText:
    """Read a YAML file, called `what` in errors; BadInput where it cannot be read, is no UTF-8 text or no YAML.

    It says nothing of an encoding, as there is nobody to say it to: another one that is sure (UTF-16 with its mark) is
    read, and one that would have to be guessed at is refused.
    """
    return YamlText(settings_text(path, f"{what} file"), str(path), what)


def settings_text(path: str | Path, what: str = "file") -> str:
    """Return the text of a file of settings: UTF-8, or what its byte-order mark says; BadInput for another one."""
    raw = unpacked(Path(path))
    file = decode_text(raw, str(path))
    if file.said and not raw.startswith(_MARKS):
        guess = file.said.partition(";")[0]
        raise BadInput(f"{what} {path} is not UTF-8 text (it would be {guess}); save it as UTF-8.")
    return file.text


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or error.context)
    if "'\\t'" in problem:
        return "a tab stands where YAML allows only blanks: indent with blanks"
    return problem
