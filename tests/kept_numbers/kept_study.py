"""The small study whose numbers are kept, and how they are written down and renewed (run this module)."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.study import StudyResults, run
from tuneshift.study.measurements import measurement_class

HERE = Path(__file__).parent
NUMBERS, VERSIONS = HERE / "numbers.csv", HERE / "code_versions.json"
KEYS = [
    "model", "base_model", "measurement", "specification", "dataset", "split", "mapping", "layer", "target",
    "participant", "metric", "unit",
]  # fmt: skip
VALUES = ["value", "ci_low", "ci_high", "n", "ceiling"]
RELATIVE, ABSOLUTE = 5e-5, 1e-6
"""How far a number may be from the kept one, and yet be the same.

Not to the bit: the order in which BLAS and torch add up follows the processor and the number of threads. One processor
gave the same numbers to 1e-11 with one thread and with two; told to do without AVX it gave up to 9e-6 of the value in
reading, and 1.4e-7 (3e-5 of values near 0) in brain scores, which go through float32 states.
"""
RENEW = "python -m tests.kept_numbers.kept_study"
_WORDS = """the a to and of was she he it said one day boy girl dog cat big little happy sad play run look see good"""

Kept = tuple[pd.DataFrame, dict[str, int]]
"""The table as it is kept, and the code version of every kind of measurement in it."""


def measure(folder: Path) -> Kept:
    """Run the study: a base and a tuned embedded model, the kinds that need no person's data, a few seconds."""
    words = folder / "words.txt"
    words.write_text(_WORDS.replace(" ", "\n"), encoding="utf-8")
    models = ["fable-2m", {"model": "fable-2m-instruct", "base": "fable-2m"}]
    measurements = [
        {"kind": "brain", "data": "simulated_brain", "split": "grouped", "folds": 3},
        {"kind": "reading", "data": "simulated_reading", "mixed_model": False, "folds": 3, "n_boot": 100},
        {"kind": "attribution", "prompts": "fable_instructions", "n_prompts": 2, "followed": False},
        {"kind": "heads", "words": str(words)},
        {"kind": "concepts", "words": str(words)},
    ]
    results = run({"name": "kept", "models": models, "measurements": measurements}, folder / "out")
    if results.failures:
        raise RuntimeError(f"the study failed: {results.failures[0]}")
    return as_kept(results), _code_versions(results)


def as_kept(results: StudyResults) -> pd.DataFrame:
    """Return the long table as it is kept: rows over all participants, keys as texts, numbers as numbers."""
    table = results.table
    table = table[(table["participant"].isna() | table["participant"].isin(["mean", "median"])).to_numpy(dtype=bool)]
    keys = table[KEYS].astype("string").fillna("").astype(object)
    return pd.concat([keys, table[VALUES].astype("Float64").astype(float)], axis=1).reset_index(drop=True)


def read_kept() -> Kept:
    """Read the kept numbers and the code versions that gave them."""
    empty = {value: [""] for value in VALUES}
    table = pd.read_csv(NUMBERS, dtype=dict.fromkeys(KEYS, str), keep_default_na=False, na_values=empty)
    return table, json.loads(VERSIONS.read_text(encoding="utf-8"))


def write_kept(table: pd.DataFrame, versions: dict[str, int]) -> None:
    """Write numbers with 12 digits, and code versions."""
    table.to_csv(NUMBERS, index=False, float_format="%.12g", lineterminator="\n")
    VERSIONS.write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")


def complaints(kept: Kept, found: Kept) -> list[str]:
    """Return a sentence for every kind of measurement whose numbers are not those that are kept."""
    (before, old), (after, new) = kept, found
    said = []
    for kind in sorted({*old, *new}):
        mine, now = (table[table["measurement"] == kind].reset_index(drop=True) for table in (before, after))
        if kind not in old or kind not in new:
            said.append(f"{kind}: it is {'not kept yet' if kind not in old else 'measured no more'}; renew: {RENEW}")
        elif old[kind] != new[kind]:
            was = f"the kept numbers are those of {old[kind]}"
            said.append(f"{kind}: code_version is {new[kind]}, {was}; renew them: {RENEW}")
        elif len(mine) != len(now) or (mine[KEYS].to_numpy() != now[KEYS].to_numpy()).any():
            said.append(f"{kind}: {_other_rows(mine, now)}; where that is meant, renew: {RENEW}")
        elif changed := _changed(mine, now):
            said.append(
                f"{kind}: {len(changed)} numbers changed and code_version is still {new[kind]} (first: {changed[0]}); "
                f"a change of numbers raises code_version, so that stored cells are measured again; then renew: {RENEW}"
            )
    return said


def _code_versions(results: StudyResults) -> dict[str, int]:
    return {kind: measurement_class(kind).code_version for kind in sorted({cell.measurement for cell in results.cells})}


def _other_rows(before: pd.DataFrame, after: pd.DataFrame) -> str:
    old, new = (list(map(tuple, table[KEYS].to_numpy())) for table in (before, after))
    gone, added = [key for key in old if key not in set(new)], [key for key in new if key not in set(old)]
    if not gone and not added:
        return "its rows stand in another order or number"
    first = " ".join(filter(None, (gone or added)[0]))
    return f"{len(gone)} rows are gone and {len(added)} are new (first: {first})"


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return what changed: which row, which column, from what to what."""
    old, new = before[VALUES].to_numpy(dtype=float), after[VALUES].to_numpy(dtype=float)
    same = np.isclose(new, old, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    names = [" ".join(filter(None, key)) for key in before[KEYS].to_numpy()]
    return [
        f"{names[row]}: {VALUES[column]} was {old[row, column]:.9g}, is {new[row, column]:.9g}"
        for row, column in np.argwhere(~same)
    ]


def renew() -> list[str]:
    """Measure again and write it down, unless numbers changed under a code version that is still the same."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    refused = []
    if NUMBERS.exists():
        refused = [said for said in complaints(read_kept(), found) if "code_version is still" in said]
    if not refused:
        write_kept(*found)
    return refused


if __name__ == "__main__":
    sys.exit("\n".join(renew()) or 0)
