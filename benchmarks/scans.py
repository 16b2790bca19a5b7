"""Damaged copies of good scans and recordings: each is refused in a sentence, or read whole, or says what is missing.

Bytes are flipped, files cut, pieces written twice, headers overwritten and numbers made NaN, in every kind of file that
an import or `data check` reads. Counted are copies refused; copies read as they were; copies read with fewer values or
words that say exactly how many; texts without a last line end that are said to be cut off perhaps; texts that look
whole (rows lost between two line ends, which no reader can see); and faults: any other error, a process that hangs or
dies, a count that does not come out, a cut that is not said, a check and a reader that disagree. Every kind is read in
a process of its own.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tuneshift.errors import TuneshiftError
from tuneshift.human import Recording, check_file, import_series, load_data

Read = Callable[[], tuple[Recording, tuple[str, ...]]]
"""Reads the file of a kind: what it holds, and all that is said of it."""

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
OWN = (".nc", ".series.nc", ".classic.nc", ".table.csv", ".table.parquet")
ROWS = {"words": "\t", "confounds": "\t", ".csv": ",", ".table.csv": ","}
"""Kinds of plain text, and what stands between their cells."""
_TARGETS = r"(of \d+ targets|voxels) of participant \S+ were left out|of \d+ targets hold no response"
_LONGEST = 120.0  # seconds that a process may be silent


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.scans", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run")
    parser.add_argument("--copies", type=int, default=200, help="damaged copies of each kind of file")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv or [])
    n_copies = 5 if options.quick else options.copies
    total: Counter[str] = Counter()
    began = time.perf_counter()
    for kind in (*IMPORTED, *OWN):
        found, faults = _counted(_in_other_processes(kind, n_copies, options.seed))
        total += found
        print(f"  {kind:<16} {dict(found)}", flush=True)
        for fault in faults[:3]:
            print(f"    {fault}")
    print(f"{sum(total.values())} damaged copies in {time.perf_counter() - began:.0f} s: {dict(total)}")


def damaged_copies(kind: str, n_copies: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return what became of damaged copies of a kind of file, and each fault in a sentence; all in this process."""
    return _counted(_outcomes(kind, 0, n_copies, seed))


def _counted(outcomes: Iterator[tuple[str, str]]) -> tuple[Counter[str], list[str]]:
    found: Counter[str] = Counter()
    faults = []
    for where, outcome in outcomes:
        found[outcome.split(":")[0]] += 1
        if outcome.startswith("fault"):
            faults.append(f"{where}: {outcome}")
    return found, faults


def _outcomes(kind: str, first: int, n_copies: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield which copy it is, and what became of it."""
    printed: list[str] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda told: printed.append(f"{told.exc_type} at {told.object}")
    try:
        with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            folder = Path(place)
            path, read = _good(folder, kind)
            raw, good = path.read_bytes(), read()[0]
            for number in range(first, n_copies):
                rng = np.random.default_rng([seed, number])
                copy, what = damaged(raw, rng)
                path.write_bytes(copy)
                outcome = _outcome(kind, read, good, copy)
                if printed:
                    outcome = f"fault: a traceback is printed ({printed.pop()})"
                yield f"{kind}, seed {seed}, copy {number} ({what})", outcome
    finally:
        sys.unraisablehook = before


def _in_other_processes(kind: str, n_copies: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield what `_outcomes` does, from a process that is followed by another where it hangs or dies."""
    spawn = multiprocessing.get_context("spawn")
    done = 0
    while done < n_copies:
        mine, theirs = spawn.Pipe(duplex=False)
        process = spawn.Process(target=_tell, args=(kind, done, n_copies, seed, theirs), daemon=True)
        process.start()
        theirs.close()
        while done < n_copies:
            try:
                if not mine.poll(_LONGEST):
                    raise TimeoutError
                yield mine.recv()
            except (EOFError, TimeoutError) as error:
                how = "hangs" if isinstance(error, TimeoutError) else "kills the process"
                yield f"{kind}, seed {seed}, copy {done}", f"fault: it {how}"
                done += 1
                break
            done += 1
        process.kill()
        process.join()


def _tell(kind: str, first: int, n_copies: int, seed: int, to: Connection) -> None:
    for outcome in _outcomes(kind, first, n_copies, seed):
        to.send(outcome)


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


def _outcome(kind: str, read: Read, good: Recording, copy: bytes) -> str:
    try:
        mine, told = read()
    except TuneshiftError as error:
        return "refused" if "\n" not in str(error) and str(error) else "fault: its refusal is no sentence"
    except Exception as error:
        return f"fault: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    if kind in ROWS and not copy.endswith((b"\n", b"\r")):
        open_end = "no line end" in " ".join(told)
        return "says that it may be cut off" if open_end else "fault: its last row is cut, and nothing said"
    lost = np.subtract(_count(good), _count(mine))
    if not lost.any():
        return "read as many"
    said = _said(good, mine, told)
    if lost.tolist() == said:
        return "says how many are missing"
    if kind in ROWS and _looks_whole(copy, ROWS[kind]):
        return "looks whole"
    return f"fault: {lost.tolist()} values and words are missing, {said} are said to be"


def _count(recording: Recording) -> tuple[int, int]:
    n_words = len(recording.words.words) if recording.words else 0
    return int(np.isfinite(recording.data.values).sum()), n_words


def _said(good: Recording, mine: Recording, told: tuple[str, ...]) -> list[int]:
    """Return how many values and words are missing by what is said."""
    n_scans = len(good.data)
    whose = [str(name) for name in mine.data["participant"].values]
    n_values = n_words = 0
    for sentence in (*told, mine.notes.get("pauses", "")):
        if found := re.match(r"(\d+) of \d+ scans of participant (\S+) hold no numbers", sentence):
            n_values += int(found[1]) * whose.count(found[2])
        elif found := re.match(r"participant (\S+) was left out", sentence):
            n_values += n_scans * good.data["participant"].values.tolist().count(found[1])
        elif found := re.search(f"(\\d+) ({_TARGETS})", sentence):
            n_values += n_scans * int(found[1])
        elif found := re.search(r"(\d+) responses (are NaN|of participant)", sentence):
            n_values += int(found[1])
        elif found := re.search(r"(\d+) (of \d+ rows have no word|marks are no words|marks of silence)", sentence):
            n_words += int(found[1])
    return [n_values, n_words]


def _looks_whole(copy: bytes, between: str) -> bool:
    """Whether a text ends with a line end and every row has as many cells: it may as well have been written so."""
    rows = copy.decode(errors="replace").split("\n")
    return rows[-1] == "" and len({row.count(between) for row in rows[:-1] if row}) == 1


def _good(folder: Path, kind: str) -> tuple[Path, Read]:
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

    def read() -> tuple[Recording, tuple[str, ...]]:
        recording = import_series(folder / "recipe.yaml")
        return recording, recording.dropped

    return path, read


def _scans(path: Path, values: np.ndarray) -> None:
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


def _own(folder: Path, kind: str) -> tuple[Path, Read]:
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
        path = recording.to_netcdf(name) if name.suffix == ".nc" else write_recording_table(recording, name)
        if kind == ".classic.nc":
            held = xr.load_dataset(path, engine="h5netcdf")
            held.to_netcdf(path, engine="scipy")

    def read() -> tuple[Recording, tuple[str, ...]]:
        problems = check_file(path)
        fatal = [problem for problem in problems if not problem.startswith("warning: ")]
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
        return holds, (*problems, *holds.dropped)

    return path, read
