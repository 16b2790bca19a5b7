"""Study files: YAML read safely, twice-given keys refused, and every error with the line it is about."""

from __future__ import annotations

from pathlib import Path

from tuneshift.files.yaml_file import MOST_VALUES, Place, YamlText, settings_text

__all__ = ["MOST_VALUES", "Place", "StudyText", "read_study_text"]


class StudyText(YamlText):
    """A study as a YAML document: its values, and the line on which each of them stands."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name, "study")


def read_study_text(path: Path) -> StudyText:
    """Read a YAML file; BadInput where it cannot be read, is no UTF-8 text or no YAML."""
    return StudyText(settings_text(path, "study file"), str(path))
