"""Names of the regions of an atlas, from a table of their numbers and names."""

from __future__ import annotations

import re
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.files.text_file import read_text

_ROW = re.compile(r"""["']?(\d+)(?:\.0*)?["']?\s*[\s,;]\s*"?([^,;\t"]+)""")


def read_region_names(path: Path) -> dict[int, str]:
    """Return number -> name, from rows as `12,Frontal_Inf_Tri_L`; a header and rows behind `#` say nothing.

    Raises BadInput with a row that is none, and with a number that has two names.
    """
    names: dict[int, str] = {}
    for row, line in enumerate(read_text(path).text.split("\n"), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _ROW.match(text)
        if found is None:
            if names or (row > 1 and not _is_header(text)):
                raise BadInput(f"{path}, row {row}: {text!r:.60} is no number with a name, as `12,Frontal_Inf_Tri_L`.")
            continue
        number, name = int(found.group(1)), found.group(2).strip()
        if names.setdefault(number, name) != name:
            raise BadInput(f"{path}, row {row}: region {number} is {name!r}, but {names[number]!r} above.")
    if not names:
        raise BadInput(f"{path} holds no line with a number and a name, as `12,Frontal_Inf_Tri_L`.")
    return names


def _is_header(text: str) -> bool:
    return not re.search(r"\d", text)
