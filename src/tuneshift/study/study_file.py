"""Study files: YAML read safely, twice-given keys refused, and every error with the line it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tuneshift.errors import BadInput

Place = tuple[str | int, ...]
"""Where a value stands in a document: ("models", 2, "base")."""

MOST_VALUES = 200_000
"""Ten thousand models have fewer; a few lines of aliases to aliases of aliases can stand for billions."""


class StudyText:
    """A YAML document: its values, and the line on which each of them stands."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._lines: dict[Place, int] = {}
        self._n_values = 0
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            if node is not None:
                self._walk(node, (), set())
            self.values: Any = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f" line {mark.line + 1}" if mark else ""
            raise BadInput(f"{name}{line}: this is no YAML ({error.problem or error.context}).") from error
        except yaml.YAMLError as error:
            raise BadInput(f"{name}: this is no YAML ({error}).") from error
        except RecursionError:
            raise BadInput(f"{name}: this YAML is nested too deeply to be a study.") from None

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
                f"{self.name} line {node.start_mark.line + 1}: this study has more than {MOST_VALUES:,} values once "
                "its aliases (`*name`) are filled in; write out what is needed."
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


def read_study_text(path: Path) -> StudyText:
    """Read a YAML file; BadInput where it cannot be read, is no UTF-8 text or no YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"study file {path} cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"study file {path} is not UTF-8 text (byte {error.start}).") from error
    return StudyText(text, str(path))
