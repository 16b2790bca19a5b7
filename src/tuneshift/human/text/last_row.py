"""Whether a table may have been cut off within its last row."""

from __future__ import annotations


def cut_off(text: str, last_cell: str) -> str:
    """Return what is to be said of a text of rows whose last has no line end, "" where it has one, or is the only one.

    Programs end every row; editors and some spreadsheets leave the last one open, so that it is no fault by itself.
    """
    body = text.rstrip(" \t")
    if not body or body.endswith("\n") or "\n" not in body:
        return ""
    return (
        f"the last row has no line end: if the file was cut off there, its last cell {last_cell!r:.40} is not whole, "
        "and rows are missing"
    )
