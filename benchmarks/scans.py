"""Damaged copies of good scans and recordings: each is refused in a sentence, or read whole, or says what is missing.

Bytes are flipped, files cut, pieces written twice, headers overwritten and numbers made NaN, in every kind of file that
an import or `data check` reads. Counted are copies refused, copies read as they were, copies read with fewer values
that say so, and faults: any other error, fewer values without a word, a check and a reader that disagree.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tuneshift.errors import TuneshiftError
from tuneshift.human import Recording, check_file, import_series, load_data

N, TR = 40, 1.5
_WORDS = "onset\tduration\tword\n" + "".join(f"{2 * n}.0\t0.5\tword{n}\n" for n in range(25))
IMPORTED = (
    ".nii",
    ".nii.gz",
    ".func.gii",
    ".dtseries.nii",
    ".npy",
    ".npz",
    ".h5",
    ".csv",
    ".txt.gz",
    "words",
    "confounds",
)
OWN = (".nc", ".series.nc", ".table.csv", ".table.parquet")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.scans", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run")
    parser.add_argument("--copies", type=int, default=200, help="damaged copies of each kind of file")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv or [])
    n_copies = 5 if options.quick else options.copies
    total: Counter[str] = Counter()
    for kind in (*IMPORTED, *OWN):
        found, faults = damaged_copies(kind, n_copies, options.seed)
        total += found
        print(f"  {kind:<16} {dict(found)}", flush=True)
        for fault in faults[:3]:
            print(f"    {fault}")
    print(f"{sum(total.values())} damaged copies: {dict(total)}")


def damaged_copies(kind: str, n_copies: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return what became of damaged copies of a kind of file, and each fault in a sentence."""
    found: Counter[str] = Counter()
    faults = []
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        path, read = _good(folder, kind)
        raw, good = path.read_bytes(), read()
        for number in range(n_copies):
            rng = np.random.default_rng([seed, number])
            copy, what = damaged(raw, rng)
            path.write_bytes(copy)
            outcome = _outcome(read, good)
            found[outcome.split(":")[0]] += 1
            if outcome.startswith("fault"):
                faults.append(f"{kind}, seed {seed}, copy {number} ({what}): {outcome}")
    return found, faults


def damaged(raw: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Return a copy that is damaged in one of the ways of disks, networks and editors, and which."""
    copy = bytearray(raw)
    way = rng.choice(["flip", "header", "cut", "twice", "zeros", "nan", "hole"])
    at = int(rng.integers(len(copy)))
    if way == "flip":
        for place in rng.integers(0, len(copy), int(rng.integers(1, 6))):
            copy[place] ^= 1 << int(rng.integers(8))
    elif way == "header":
        begin = int(rng.integers(min(len(copy), 512)))
        copy[begin : begin + 4] = rng.bytes(4)
    elif way == "cut":
        del copy[at:]
    elif way == "twice":
        copy[at:at] = copy[at : at + int(rng.integers(1, 200))]
    elif way == "zeros":
        length = min(int(rng.integers(1, 64)), len(copy) - at)
        copy[at : at + length] = bytes(length)
    elif way == "nan":
        at -= at % 4
        copy[at : at + 4] = np.float32(np.nan).tobytes()[: len(copy) - at]
    else:
        del copy[at : at + int(rng.integers(1, 64))]
    return bytes(copy), str(way)


def _outcome(read: Callable[[], Recording], good: Recording) -> str:
    try:
        mine = read()
    except TuneshiftError as error:
        return "refused" if "\n" not in str(error) and str(error) else "fault: its refusal is no sentence"
    except Exception as error:
        return f"fault: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    n_good, n_mine = _count(good), _count(mine)
    if n_mine == n_good:
        return "read as many"
    said = mine.dropped != good.dropped or mine.data.shape != good.data.shape
    return "says the difference" if said else f"fault: {n_mine} values, not {n_good}, and nothing said"


def _count(recording: Recording) -> tuple[int, int]:
    n_words = len(recording.words.words) if recording.words else 0
    return int(np.isfinite(recording.data.values).sum()), n_words


def _good(folder: Path, kind: str) -> tuple[Path, Callable[[], Recording]]:
    """Write a good file of a kind, with all that its reading needs; return it, and how it is read."""
    if kind in OWN:
        return _own(folder, kind)
    rng = np.random.default_rng(7)
    (folder / "words.tsv").write_text(_WORDS)
    suffix = ".npy" if kind in ("words", "confounds") else kind
    for name in "ab":
        _scans(folder / f"{name}{suffix}", rng.normal(100, 5, (N, 12)).astype(np.float32))
    recipe = f'name: mine\nseries: "{{participant}}{suffix}"\nwords: words.tsv\nrepetition_time: {TR}\n'
    path = folder / f"a{suffix}"
    if kind == "words":
        path = folder / "words.tsv"
    if kind == "confounds":
        for name in "ab":
            rows = ["n/a\t0.5", *(f"{x:.4f}\t{y:.4f}" for x, y in rng.normal(size=(N - 1, 2)).tolist())]
            (folder / f"{name}_confounds.tsv").write_text("\n".join(["trans_x\trot_x", *rows]) + "\n")
        recipe += 'confounds: "{participant}_confounds.tsv"\n'
        path = folder / "a_confounds.tsv"
    (folder / "recipe.yaml").write_text(recipe)
    return path, lambda: import_series(folder / "recipe.yaml")


def _scans(path: Path, values: np.ndarray) -> None:
    import gzip

    import h5py
    import nibabel
    from nibabel import cifti2

    if path.name.endswith((".dtseries.nii",)):
        columns = cifti2.BrainModelAxis.from_surface(np.arange(12), 12, name="CORTEX_LEFT")
        nibabel.save(cifti2.Cifti2Image(values, header=(cifti2.SeriesAxis(0, TR, N), columns)), path)
    elif path.name.endswith((".nii", ".nii.gz")):
        image = nibabel.Nifti1Image(values.T.reshape(2, 3, 2, N), np.diag([3.0, 3, 3, 1]))
        image.header.set_zooms((3, 3, 3, TR))
        image.header.set_xyzt_units("mm", "sec")
        nibabel.save(image, path)
    elif path.suffix == ".gii":
        rows = [nibabel.gifti.GiftiDataArray(row, intent="NIFTI_INTENT_TIME_SERIES") for row in values]
        nibabel.save(nibabel.gifti.GiftiImage(darrays=rows), path)
    elif path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez(path, values)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as held:
            held["scans"] = values
    else:
        between = "," if path.suffix == ".csv" else " "
        lines = [between.join(f"r{n}" for n in range(12)), *(between.join(f"{x:.3f}" for x in row) for row in values)]
        raw = ("\n".join(lines) + "\n").encode()
        path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def _own(folder: Path, kind: str) -> tuple[Path, Callable[[], Recording]]:
    from tuneshift.human import write_recording_table

    if kind == ".series.nc":
        _good(folder, ".npy")
        path = import_series(folder / "recipe.yaml").to_netcdf(folder / "mine.nc")
    else:
        import xarray as xr

        coordinates = {
            "passage": ("stimulus", np.repeat([f"p{n}" for n in range(6)], 4)),
            "text": ("stimulus", [f"Sentence number {n}." for n in range(24)]),
            "participant": ("target", list("aabb")), "region": ("target", ["IFG", "PTL"] * 2),
            "target_name": ("target", ["a 1", "a 2", "b 1", "b 2"]),
        }  # fmt: skip
        values = np.random.default_rng(3).normal(size=(24, 4))
        recording = Recording("mine", xr.DataArray(values, dims=("stimulus", "target"), coords=coordinates), unit="z")
        name = folder / f"mine.{kind.rpartition('.')[2]}"
        path = recording.to_netcdf(name) if kind == ".nc" else write_recording_table(recording, name)

    def read() -> Recording:
        fatal = [problem for problem in check_file(path) if not problem.startswith("warning: ")]
        try:
            holds = load_data(path)
        except TuneshiftError:
            if not fatal:
                raise AssertionError("the reader refuses what the check finds sound") from None
            raise
        if fatal:
            raise AssertionError(f"the check finds what the reader does not: {fatal[0]}")
        if not isinstance(holds, Recording):
            raise TuneshiftError(f"{path} is read as reading times, which no damage of a recording should be.")
        return holds

    return path, read
