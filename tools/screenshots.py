"""Take pictures of reports, for a person to look at: `python -m tools.screenshots [--many] [--out artefacts] REPORT`.

First screen (1300 x 900), the whole page folded, each question unfolded, a telephone (390 x 844), and paper (A4, PDF);
`--many` and `--large` make up a study of 25 models besides, a light one and a full one. Without Chromium it says so and
goes on.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.chromium import chromium, missing, open_report, picture, printed, resize

WIDE, TELEPHONE = (1300, 900), (390, 844)
_FOLDS = "main > section:has(> details.fold)"


def take(driver: Any, report: Path, out: Path) -> None:
    """Save all pictures of one report into a folder, and print how tall and how many pages it is."""
    resize(driver, *WIDE)
    open_report(driver, report)
    picture(driver, out / "first_screen.png")
    height = driver.execute_script("return document.documentElement.scrollHeight")
    picture(driver, out / "folded.png", height=height)
    pdf = printed(driver)
    (out / "paper.pdf").write_bytes(pdf)
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    print(f"{out}: {height:,} px tall when folded, {pages} {'page' if pages == 1 else 'pages'} of A4", flush=True)
    for section in driver.execute_script(f"return [...document.querySelectorAll('{_FOLDS}')].map((s) => s.id)"):
        _unfolded(driver, section, out / f"unfolded_{section}.png")
    resize(driver, *TELEPHONE, mobile=True)
    open_report(driver, report)
    picture(driver, out / "telephone.png")
    picture(
        driver,
        out / "telephone_folded.png",
        height=driver.execute_script("return document.documentElement.scrollHeight"),
    )


def _unfolded(driver: Any, section: str, file: Path) -> None:
    """Open one fold, scroll it past the window so that everything is drawn, and save it."""
    fold = f"document.querySelector('#{section} > details.fold')"
    driver.execute_script(f"{fold}.open = true; {fold}.scrollIntoView()")
    for _ in range(60):
        time.sleep(0.05)
        end = "window.scrollBy(0, 700); return document.getElementById(arguments[0]).getBoundingClientRect().bottom < innerHeight"
        if driver.execute_script(end, section):
            break
    time.sleep(0.5)
    box = "const r = document.getElementById(arguments[0]).getBoundingClientRect(); return [r.top + scrollY, r.height]"
    driver.execute_script("document.getElementById('filters').style.position = 'static'")
    top, height = driver.execute_script(box, section)
    picture(driver, file, top=top, height=height)
    driver.execute_script(
        f"document.getElementById('filters').style.position = ''; {fold}.open = false; window.scrollTo(0, 0)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("reports", nargs="*", type=Path, help="report.html, or the folder that holds one")
    parser.add_argument("--many", action="store_true", help="make up a light study of 25 models besides (seconds)")
    parser.add_argument("--large", action="store_true", help="make up a full study of 25 models besides (minutes)")
    parser.add_argument("--out", type=Path, default=Path("artefacts"))
    options = parser.parse_args()
    if lacking := missing():
        print(f"screenshots: none taken, {lacking}.")
        return
    with chromium() as driver, tempfile.TemporaryDirectory() as name:
        made = [make_up(Path(name) / what) for what in ("many", "large") if getattr(options, what)]
        for given in [*options.reports, *made]:
            report = given / "report.html" if given.is_dir() else given
            folder = report.resolve().parent
            take(driver, report, options.out / "screenshots" / folder.name)


def make_up(folder: Path) -> Path:
    """Make a study of 25 models that do not exist, and its report: as many models either way, `many` with few numbers of each."""
    from benchmarks._large_study import Size, make_large_study

    from tuneshift.report import write_report
    from tuneshift.study import StudyResults

    size = Size(recordings=1, layers=7, people=6) if folder.name == "many" else Size()
    results = StudyResults.load(make_large_study(folder, size))
    return write_report(results, folder / "report.html")


if __name__ == "__main__":
    main()
