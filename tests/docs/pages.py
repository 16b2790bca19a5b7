"""What stands on the pages: blocks of code, commands, and output that is shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language ("" for none), its title (`title="FILE"`, else ""), and its text."""

    language: str
    title: str
    text: str


def text_of(page: str | Path) -> str:
    """Return the text of a page, given by its path below docs/."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str | Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found = re.findall(r"^```([a-z]*)(?: title=\"([^\"]*)\")?\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE)
    return [Block(*parts) for parts in found]


def titled(page: str | Path) -> dict[str, str]:
    """Return the blocks that are whole files: title -> text."""
    return {block.title: block.text for block in blocks(page) if block.title}


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every `tuneshift` command in a block of shell lines, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        if "tuneshift" not in line:
            continue
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # VARIABLE=value in front of a command
            words = words[1:]
        if words and words[0].rpartition("/")[2] == "tuneshift":
            yield words[1:]


def differing_line(shown: str, found: str, tolerance: float = 0.011) -> str | None:
    """Return the first line of `shown` that `found` does not hold in that order, None where all are there.

    Lines are compared word by word, whatever the spaces; numbers may differ by `tolerance`, absolutely or as a share:
    machines differ in the last digits. A line of dots stands for lines that are left out, dots at the end of a line for
    the rest of it.
    """
    rest = iter(found.splitlines())
    for line in shown.splitlines():
        if line.strip() in ("", "..."):
            continue
        if not any(_alike(line, other, tolerance) for other in rest):
            return line
    return None


def _alike(shown: str, found: str, tolerance: float) -> bool:
    first, second = (_words(line) for line in (shown, found))
    if first[-1] == "...":
        first, second = first[:-1], second[: len(first) - 1]
    return len(first) == len(second) and all(_same(a, b, tolerance) for a, b in zip(first, second, strict=True))


def _words(line: str) -> list[str]:
    """The words of a line; brackets, commas and semicolons are words of their own, so that numbers are numbers."""
    for mark in "[],;":
        line = line.replace(mark, f" {mark} ")
    return line.replace("\u2212", "-").split()


def _same(shown: str, found: str, tolerance: float) -> bool:
    if shown == found:
        return True
    try:
        a, b = float(shown), float(found)
    except ValueError:
        return False
    return abs(a - b) <= tolerance * max(1.0, abs(a))
