"""Files by pattern: `sub-{participant}/{passage}_bold.nii.gz` finds each participant's file of each passage."""

from __future__ import annotations

import re
from pathlib import Path

from tuneshift.errors import BadInput
from tuneshift.human.text.problems import some

_PLACES = ("participant", "passage")
_PLACE = re.compile(r"\{(\w*)\}")


def find_files(folder: Path, pattern: str) -> dict[tuple[str, str], Path]:
    """Return (participant, passage) -> file, sorted; "" for a name that the pattern does not hold.

    Raises BadInput for an unknown place, where nothing is found, and where two files share participant and passage.
    """
    for place in _PLACE.findall(pattern):
        if place not in _PLACES:
            raise BadInput(f"pattern {pattern!r}: {{{place}}} is neither {{participant}} nor {{passage}}.")
    whole = Path(pattern) if Path(pattern).is_absolute() else folder / pattern
    root = Path(whole.anchor or ".")
    relative = str(whole.relative_to(root) if whole.anchor else whole)
    form = _regex(relative)
    found: dict[tuple[str, str], Path] = {}
    for path in _globbed(root, _PLACE.sub("*", relative), pattern):
        match = form.fullmatch(str(path.relative_to(root) if whole.anchor else path))
        if match is None or not path.is_file():
            continue
        names = match.groupdict(default="")
        key = (names.get("participant", ""), names.get("passage", ""))
        if key in found:
            raise BadInput(f"pattern {pattern!r} finds {found[key]} and {path} for the same participant and passage.")
        found[key] = path
    if not found:
        raise BadInput(f"pattern {pattern!r} finds no file in {folder}.")
    return found


def filled(folder: Path, pattern: str, participant: str, passage: str) -> Path:
    """Return the one file of a participant and passage; raises BadInput where there is none, or several."""
    for place in _PLACE.findall(pattern):
        if place not in _PLACES:
            raise BadInput(f"pattern {pattern!r}: {{{place}}} is neither {{participant}} nor {{passage}}.")
    exact = pattern.replace("{participant}", participant).replace("{passage}", passage)
    path = Path(exact) if Path(exact).is_absolute() else folder / exact
    if path.is_file():
        return path
    root = Path(path.anchor or ".")
    relative = str(path.relative_to(root) if path.anchor else path)
    there = _globbed(root, relative, pattern) if "*" in exact else []
    if len(there) == 1:
        return there[0]
    if there:
        raise BadInput(f"pattern {exact!r} finds {len(there)} files ({some(there, 2)}); make it find one.")
    raise BadInput(f"there is no file {path} (pattern {pattern!r}).")


def _globbed(root: Path, form: str, pattern: str) -> list[Path]:
    try:
        return sorted(root.glob(form))
    except (ValueError, IndexError, NotImplementedError, OSError) as error:
        raise BadInput(f"pattern {pattern!r:.200} is no pattern of file names ({error}).") from error


def _regex(pattern: str) -> re.Pattern[str]:
    parts, seen = [], set()
    for text in re.split(r"(\{\w+\}|\*\*/|\*|\?)", pattern):
        name = text[1:-1]
        if text in ("{participant}", "{passage}"):
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>[^/\\\\]+?)")
            seen.add(name)
        else:
            parts.append({"**/": r"(?:.*[/\\])?", "*": r"[^/\\]*", "?": r"[^/\\]"}.get(text) or re.escape(text))
    return re.compile("".join(parts))
