"""Run every benchmark: `python -m benchmarks [--quick] [NAME ...]`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

HERE = Path(__file__).parent
ASKED_FOR = ("calibration", "files", "scans")  # what a number says, and not how long it takes
DAMAGED = ("files", "scans")  # these take a number of copies and a seed


def main() -> None:
    names = sorted(m.name for m in pkgutil.iter_modules([str(HERE)]) if not m.name.startswith("_"))
    names = [name for name in names if name != "timing"]
    by_default = [name for name in names if name not in ASKED_FOR]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"which benchmarks: {', '.join(names)} (default: all but {', '.join(ASKED_FOR)})"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run, not how fast it is")
    parser.add_argument("--copies", type=int, help="of `files` and `scans`: damaged copies of each kind of file")
    parser.add_argument("--seed", type=int, help="of `files` and `scans`: another seed gives other damages")
    options = parser.parse_args()
    given = ["--quick"] if options.quick else []
    for option in ("copies", "seed"):
        value = getattr(options, option)
        given += [] if value is None else [f"--{option}", str(value)]
    for name in options.names or by_default:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"benchmarks.{name}").main(given if name in DAMAGED else given[:1] * options.quick)


if __name__ == "__main__":
    main()
