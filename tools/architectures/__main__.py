"""Write the table of docs/architectures.md anew: `python -m tools.architectures`."""

from __future__ import annotations

from tools.architectures.page import PAGE, page_with, table

if __name__ == "__main__":
    PAGE.write_text(page_with(table()), encoding="utf-8")
