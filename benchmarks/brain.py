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

import numpy as np
import torch
from himalaya.backend import set_backend
from himalaya.kernel_ridge import KernelRidgeCV
from sklearn.linear_model import RidgeCV

from benchmarks.timing import print_ratios, side_by_side
from tuneshift.models import LanguageModel
from tuneshift.numerics.ridge import fold_predictions, ridge_predictivity
from tuneshift.numerics.splits import grouped

PENALTIES = np.logspace(-3, 6, 13)


def simulated(n: int, d: int, v: int, decay: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, responses from pure noise to clear signal, and 24 passages; `decay` is that of the spectrum."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    if decay:
        u, _, vt = np.linalg.svd(X, full_matrices=False)
        X = (u * np.arange(1, len(u) + 1) ** -decay) @ vt * 100
    signal = X[:, :50] @ rng.standard_normal((50, v))
    Y = signal / signal.std(axis=0) * rng.uniform(0, 1, v) + rng.standard_normal((n, v))
    return X.astype(np.float32), Y.astype(np.float32), np.arange(n) * 24 // n


def standard(X: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = X[train].mean(0), X[train].std(0)
    return (X[train] - mean) / spread, (X[test] - mean) / spread


def himalaya(X: np.ndarray, Y: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    out = []
    for train, test in grouped(groups):
        seen, held_out = standard(X, train, test)
        mean = Y[train].mean(0)
        model = KernelRidgeCV(alphas=PENALTIES, cv=5).fit(seen, Y[train] - mean)
        out.append(model.predict(held_out) + mean)
    return out


def scikit_learn(X: np.ndarray, Y: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    out = []
    for train, test in grouped(groups):
        seen, held_out = standard(X.astype(np.float64), train, test)
        out.append(RidgeCV(PENALTIES, alpha_per_target=True).fit(seen, Y[train].astype(np.float64)).predict(held_out))
    return out


def ours(X: np.ndarray, Y: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    return [fold_predictions(X, Y, fold, alphas=PENALTIES).values for fold in grouped(groups)]


def ridge(quick: bool, rounds: int) -> None:
    set_backend("numpy")
    n, d, v = (120, 256, 300) if quick else (384, 4096, 10_000)
    for name, decay in (("flat spectrum", 0.0), ("spectrum 1/k, as hidden states have", 1.0)):
        X, Y, groups = simulated(n, d, v, decay)
        print(f"ridge_predictivity, {n} stimuli x {d} units x {v} voxels, 5 folds, 13 penalties, {name}")
        contenders = {
            "ours": lambda X=X, Y=Y, groups=groups: ridge_predictivity(X, Y, groups, alphas=PENALTIES),
            "himalaya KernelRidgeCV(cv=5)": lambda X=X, Y=Y, groups=groups: himalaya(X, Y, groups),
        }
        medians = side_by_side(contenders, rounds)
        start = time.perf_counter()
        theirs = scikit_learn(X, Y, groups)
        medians["scikit-learn RidgeCV(alpha_per_target), once"] = time.perf_counter() - start
        print_ratios(medians, "ours")
        mine = ours(X, Y, groups)
        apart = [np.abs(a - b).max(axis=0) / Y.std() for a, b in zip(mine, theirs, strict=True)]
        same = np.mean([column < 1e-4 for column in apart])
        print(f"  predictions within 1e-4 of scikit-learn's: {same:.2%} of targets (others: two penalties that tie)")
        if torch.cuda.is_available():
            on_gpu = {
                "GPU": lambda X=X, Y=Y, groups=groups: ridge_predictivity(X, Y, groups, alphas=PENALTIES, device="cuda")
            }
            print_ratios(side_by_side(on_gpu, rounds) | {"CPU": medians["ours"]}, "GPU")


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

    from tuneshift.brain.layer_features import LayerFeatures
    from tuneshift.brain.layer_scores import score_layers
    from tuneshift.brain.mappings import Encoding
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
    encoding = Encoding(recording.data, blocks, grouped(passages), "ridge", np.array(passages))
    found = score_layers(LayerFeatures(states, recording), encoding)
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
    parser.add_argument("--only", choices=["ridge", "one_pass", "cost_curve", "memory"])
    parser.add_argument("--whole-brain", nargs=4, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.whole_brain:
        whole_brain(*options.whole_brain)
        return
    rounds = 1 if options.quick else options.rounds
    if options.only in (None, "ridge"):
        ridge(options.quick, rounds)
    if options.only in (None, "one_pass"):
        one_pass(options.quick)
    if options.only in (None, "cost_curve"):
        cost_curve(options.quick)
    if options.only in (None, "memory"):
        memory(options.quick)


if __name__ == "__main__":
    main()
