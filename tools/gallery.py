"""Make the pictures of the documentation from reports: `python -m tools.gallery DEMO PAIR NULL`.

The arguments are the folders that `tuneshift demo`, `tuneshift compare fable-8m fable-8m-instruct` and `tuneshift run
studies/null_result.yaml` wrote, each without any real data at hand; the report of many models is made up here. Needs
Chromium, chromedriver and Pillow.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tools.chromium import chromium
from tools.screenshots import make_up, take

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
COLOURS = 48
"""As many tell every line and mark apart, and make a file a quarter as heavy."""
SCREEN = 1300, 900
LEFT = 235
"""Pixels of the table of contents, beside an unfolded part."""

Box = tuple[int, int, int, int]
PARTS: dict[str, tuple[str, str, Box]] = {
    "first_screen": ("demo", "first_screen", (0, 0, *SCREEN)),
    "family": ("demo", "unfolded_glance", (LEFT, 106, 1121, 535)),
    "one_pair": ("pair", "first_screen", (0, 0, *SCREEN)),
    "null_result": ("null", "first_screen", (0, 0, *SCREEN)),
    "many_models": ("many", "first_screen", (0, 0, *SCREEN)),
    "many_models_brains": ("many", "unfolded_question-brains", (LEFT, 330, 1300, 1280)),
    "many_models_size": ("many", "unfolded_question-across", (LEFT, 1225, 1300, 1602)),
}
"""Picture -> the report, which of its screenshots, and left, top, right and bottom of the part that is kept."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    for name in ("demo", "pair", "null"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    with chromium() as driver, tempfile.TemporaryDirectory() as name:
        out = Path(name)
        folders = {
            "demo": options.demo,
            "pair": options.pair,
            "null": options.null,
            "many": make_up(out / "many").parent,
        }
        for report, folder in folders.items():
            take(driver, folder / "report.html", out / "shots" / report)
        keep(out / "shots")


def keep(shots: Path) -> None:
    """Cut the pictures out of screenshots, in few colours."""
    from PIL import Image

    for name, (report, shot, box) in PARTS.items():
        whole = Image.open(shots / report / f"{shot}.png").convert("RGB")
        part = whole.crop((*box[:2], min(box[2], whole.width), min(box[3], whole.height)))
        part.quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)
        print(f"{name}: {(PICTURES / f'{name}.png').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
