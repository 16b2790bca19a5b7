"""Brain alignment: the ridge regressions against himalaya and scikit-learn, one pass over a story, and memory.

`python -m benchmarks brain [--quick]`
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV
from sklearn.linear_model import Ridge

from benchmarks.timing import print_ratios, side_by_side
from tuneshift.models import LanguageModel
from tuneshift.numerics.ridge import RidgeSolver, ridge_predictivity
from tuneshift.numerics.splits import grouped

PENALTIES = np.logspace(-3, 6, 13)
SIZES = ((384, 4096, 10_000), (5000, 256, 1000), (8000, 1024, 2000))
QUICK_SIZES = ((120, 256, 300), (400, 64, 100))
BACKENDS = ("numpy", "torch")


def simulated(n: int, d: int, v: int, decay: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, responses from pure noise to clear signal, and 24 passages; `decay` is that of the spectrum."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    if decay:
        u, s, vt = np.linalg.svd(X, full_matrices=False)
        X = (u * np.arange(1.0, len(s) + 1) ** -decay) @ vt * 100
    signal = X[:, :50] @ rng.standard_normal((50, v))
    Y = signal / signal.std(axis=0) * rng.uniform(0, 1, v) + rng.standard_normal((n, v))
    return X.astype(np.float32), Y.astype(np.float32), np.arange(n) * 24 // n


def standard(X: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = X[train].mean(0), X[train].std(0)
    return (X[train] - mean) / spread, (X[test] - mean) / spread


def himalaya(X: np.ndarray, Y: np.ndarray, groups: np.ndarray, backend: str) -> list[np.ndarray]:
    """himalaya's quicker solver for the shape, handed our own inner folds (it does not centre again within them)."""
    set_backend(backend)
    out = []
    for train, test in grouped(groups):
        seen, held_out = standard(X, train, test)
        mean = Y[train].mean(0)
        inner = grouped(groups[train])
        wide = X.shape[1] > len(train)
        model = KernelRidgeCV(PENALTIES, cv=inner) if wide else RidgeCV(PENALTIES, fit_intercept=False, cv=inner)
        given = (seen, Y[train] - mean, held_out)
        if backend == "torch":
            given = tuple(torch.as_tensor(each) for each in given)  # type: ignore[assignment]
        out.append(np.asarray(model.fit(given[0], given[1]).predict(given[2])) + mean)
    return out


def contenders(size: tuple[int, int, int], decay: float) -> dict[str, Callable[[], object]]:
    X, Y, groups = simulated(*size, decay)
    ours = {"ours": lambda: ridge_predictivity(X, Y, groups, alphas=PENALTIES)}
    name = "KernelRidgeCV" if size[1] > size[0] else "RidgeCV"
    theirs = {f"himalaya {name}, {b} backend": lambda b=b: himalaya(X, Y, groups, b) for b in BACKENDS}
    return {**ours, **theirs}


def refits(X: np.ndarray, Y: np.ndarray, groups: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's Ridge, intercept included, refitted without every part: choices (v,) and predictions of a fold."""
    train, test = grouped(groups)[number]
    seen, held_out = standard(X.astype(np.float64), train, test)
    y = Y[train].astype(np.float64)
    errors = np.zeros((len(PENALTIES), Y.shape[1]))
    for kept, part in grouped(groups[train]):
        for index, penalty in enumerate(PENALTIES):
            errors[index] += np.square(y[part] - Ridge(penalty).fit(seen[kept], y[kept]).predict(seen[part])).sum(0)
    chosen = errors.argmin(axis=0)
    out = np.empty((len(test), Y.shape[1]))
    for index in np.unique(chosen):
        columns = chosen == index
        out[:, columns] = Ridge(PENALTIES[index]).fit(seen, y).predict(held_out)[:, columns]
    return chosen, out


def agreement(size: tuple[int, int, int], decay: float) -> None:
    X, Y, groups = simulated(*size, decay)
    train, test = grouped(groups)[0]
    found = RidgeSolver.of_fold(X, (train, test), grouped(groups[train]), PENALTIES).solve(Y[train])
    chosen, predicted = refits(X, Y, groups, 0)
    apart = np.abs((found.predicted + found.mean).numpy() - predicted).max(axis=0) / Y.std()
    same = np.mean(found.chosen.numpy() == chosen)
    print(
        f"  against scikit-learn's refits on the same inner folds (one fold): the same penalty for {same:.2%}, "
        f"predictions within 1e-4 for {np.mean(apart < 1e-4):.2%}"
    )


def ridge(quick: bool, rounds: int) -> None:
    for size in QUICK_SIZES if quick else SIZES:
        decays = (("flat spectrum", 0.0), ("spectrum 1/k, as hidden states have", 1.0)) if size[1] > size[0] else (
            ("flat spectrum", 0.0),
        )  # fmt: skip
        for name, decay in decays:
            n, d, v = size
            print(f"ridge, {n} stimuli x {d} units x {v} voxels, 5 folds, 5 inner folds, 13 penalties, {name}")
            medians = side_by_side(contenders(size, decay), rounds)
            print_ratios(medians, "ours")
            agreement(size, decay)
            peaks = {each: peak_of(each, size, decay) for each in medians}
            print(
                "  peak memory beyond the data: " + ", ".join(f"{k} {m:,.0f} MiB" for k, m in peaks.items()), flush=True
            )
            if torch.cuda.is_available():
                X, Y, groups = simulated(*size, decay)
                on_gpu = {
                    "GPU": lambda X=X, Y=Y, g=groups: ridge_predictivity(X, Y, g, alphas=PENALTIES, device="cuda")
                }
                print_ratios(side_by_side(on_gpu, rounds) | {"CPU": medians["ours"]}, "GPU")


def peak_of(name: str, size: tuple[int, int, int], decay: float) -> float:
    """MiB that one call takes at most beyond what the process held before it; in a process of its own."""
    arguments = ["--peak", name, *map(str, size), str(decay)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.brain", *arguments], capture_output=True, text=True)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else float("nan")


def print_peak(name: str, size: tuple[int, int, int], decay: float) -> None:
    call = contenders(size, decay)[name]
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on (Linux)
    before = _kib("VmRSS")
    call()
    print((_kib("VmHWM") - before) / 2**10)


def _kib(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))


def long_story(quick: bool) -> None:
    """The size of LeBel et al. (2023): one layer of a large model for hours of scans, on a tenth of the voxels."""
    n, d, v = (1000, 128, 200) if quick else (10_000, 4096, 8000)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.brain", "--long-story", str(n), str(d), str(v)],
        capture_output=True,
        text=True,
    )
    print(done.stdout.rstrip() or done.stderr[-2000:], flush=True)


def time_long_story(n: int, d: int, v: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d), dtype=np.float32)
    Y = rng.standard_normal((n, v), dtype=np.float32) + X[:, :50] @ rng.standard_normal((50, v), dtype=np.float32) / 10
    passages = np.arange(n) * 27 // n  # stories
    seconds = {}
    for voxels in (v // 8, v):  # what all voxels share, and what each costs
        start = time.perf_counter()
        ridge_predictivity(X, Y[:, :voxels], passages)
        seconds[voxels] = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    each = (seconds[v] - seconds[v // 8]) / (v - v // 8)
    shared = seconds[v] - v * each
    whole = (shared + 10 * v * each) / 60
    print(
        f"long story: {n} scans x {d} units x {v} voxels, 5 folds, 5 inner folds, 19 penalties: {seconds[v]:.0f} s, "
        f"of which {shared:.0f} s whatever the voxels; {10 * v} voxels: about {whole:.0f} min; peak memory {peak:.2f} "
        f"GB, data included, and {9 * Y.nbytes / 2**30:.2f} GB for the other responses"
    )


def one_pass(quick: bool) -> None:
    """A story of many parts: all states in one pass, against reading the whole context again for each part."""
    model = LanguageModel.load("fable-2m", device="cpu")
    n_parts = 40 if quick else 1300
    rng = np.random.default_rng(0)
    words = ["the", "boat", "old", "river", "she", "walked", "home", "and", "saw", "light", "a", "dog"]
    story = [" ".join(rng.choice(words, 3)) for _ in range(n_parts)]
    start = time.perf_counter()
    states = model.hidden_states([story])
    quickly = time.perf_counter() - start
    asked = np.arange(n_parts) if quick else np.linspace(0, n_parts - 1, 65).astype(int)
    room = model.context_length // 8  # parts whose context surely fits the window: compared exactly
    start = time.perf_counter()
    again = [model.hidden_states([story[: part + 1]])[-1] for part in asked]
    slowly = (time.perf_counter() - start) * n_parts / len(asked)
    apart = max(float(np.abs(states[p] - s).max()) for p, s in zip(asked, again, strict=True) if p < room)
    print(f"features of a story of {n_parts} parts (fable-2m)")
    print_ratios({"one pass": quickly, f"context again for each part ({len(asked)} timed)": slowly}, "one pass")
    print(f"  largest difference where the context fits the window: {apart:.1e}")


def cost_curve(quick: bool) -> None:
    base = {"stimuli": 96, "units": 256, "voxels": 500} if quick else {"stimuli": 384, "units": 1024, "voxels": 4000}
    print(f"cost of one layer, 5 folds, 19 penalties: seconds at {base} and with one of them doubled twice")
    print(f"  {'':10} {'x 1':>8} {'x 2':>8} {'x 4':>8}")
    for name in base:
        seconds = []
        for factor in (1, 2, 4):
            n, d, v = (size * (factor if key == name else 1) for key, size in base.items())
            X, Y, groups = simulated(n, d, v)
            medians = side_by_side({"ours": lambda X=X, Y=Y, groups=groups: ridge_predictivity(X, Y, groups)}, 3)
            seconds.append(medians["ours"])
        print(f"  {name:10} " + " ".join(f"{s:8.3f}" for s in seconds), flush=True)
    print("  layers are scored one after the other: twice as many take twice as long")


def memory(quick: bool) -> None:
    """All layers of a large model and a whole brain, in a process of its own whose peak memory is read."""
    size = (60, 3, 256, 2000) if quick else (200, 33, 4096, 100_000)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.brain", "--whole-brain", *map(str, size)], capture_output=True, text=True
    )
    print(done.stdout.rstrip() or done.stderr[-2000:])


def whole_brain(n: int, n_layers: int, d: int, v: int) -> None:
    import xarray as xr

    from tuneshift.brain.encoding import Encoding
    from tuneshift.brain.layer_features import LayerFeatures
    from tuneshift.brain.layer_scores import score_layers
    from tuneshift.brain.partition import partition
    from tuneshift.brain.targets import target_blocks
    from tuneshift.human import Recording

    rng = np.random.default_rng(0)
    with tempfile.TemporaryFile() as file:
        states = np.memmap(file, dtype=np.float32, mode="w+", shape=(n_layers, n, d))
        for layer in range(n_layers):
            states[layer] = rng.standard_normal((n, d), dtype=np.float32)
    values = np.empty((n, v), dtype=np.float64)
    for start in range(0, v, 5000):
        values[:, start : start + 5000] = rng.standard_normal((n, min(5000, v - start)))
    passages = [f"passage {i * 20 // n}" for i in range(n)]
    coords = {
        "passage": ("stimulus", passages),
        "participant": ("target", np.repeat(["one", "two"], [v // 2, v - v // 2])),
        "region": ("target", np.repeat("brain", v)),
        "target_name": ("target", [f"v{i}" for i in range(v)]),
    }
    recording = Recording("whole brain", xr.DataArray(values, dims=("stimulus", "target"), coords=coords))
    start_time = time.perf_counter()
    blocks, _ = target_blocks(recording.data, recording.name)
    encoding = Encoding(recording.data, blocks, partition(recording))
    found, _ = score_layers(LayerFeatures(states, recording), encoding)
    seconds = time.perf_counter() - start_time
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"whole brain: {n} stimuli x {n_layers} layers x {d} units x {v} voxels, nested layer choice: "
        f"{seconds:.0f} s, peak memory {peak:.2f} GB, mean r {np.nanmean(found.layers):+.4f}"
    )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks brain", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["ridge", "one_pass", "cost_curve", "memory", "long_story"])
    parser.add_argument("--long-story", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peak", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--whole-brain", nargs=4, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.whole_brain:
        whole_brain(*options.whole_brain)
        return
    if options.long_story:
        time_long_story(*options.long_story)
        return
    if options.peak:
        name, n, d, v, decay = options.peak
        print_peak(name, (int(n), int(d), int(v)), float(decay))
        return
    rounds = 1 if options.quick else options.rounds
    if options.only in (None, "ridge"):
        ridge(options.quick, rounds)
    if options.only in (None, "one_pass"):
        one_pass(options.quick)
    if options.only in (None, "cost_curve"):
        cost_curve(options.quick)
    if options.only in (None, "long_story"):
        long_story(options.quick)
    if options.only in (None, "memory"):
        memory(options.quick)


if __name__ == "__main__":
    main()
