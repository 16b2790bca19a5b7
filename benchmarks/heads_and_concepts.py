"""Attention heads and feed-forward components: the cost of one layer of 7B shape, beside other ways and the roofline.

Weights are random (the cost does not depend on them). Contenders:
- components: ours (eigenvectors of the covariance) beside the published SVD of all neurons, which finds the same.
- heads: ours (all heads at once) beside a loop over dimensions with a sort and a pair of loops' worth of numpy each.
The roofline is what the matrix products alone would take at the speed of a large product on this machine.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from benchmarks.timing import print_ratios, side_by_side
from tuneshift.inside.concepts.components import component_words, principal_components
from tuneshift.inside.heads.knowledge import layer_knowledge
from tuneshift.models.anatomy import Anatomy, TensorNames

TOP_WORDS, N_COMPONENTS = 100, 300


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.heads_and_concepts", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run, not how fast it is")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(argv or [])
    d, n_heads, n_neurons, n_words = (256, 4, 704, 2000) if options.quick else (4096, 32, 11008, 10_000)
    torch.manual_seed(0)
    rate = _rate(1024 if options.quick else 4096)
    print(f"one layer: {d} wide, {n_heads} heads, {n_neurons} neurons; {n_words} words; {rate / 1e9:.0f} GFLOP/s")
    _components(d, n_neurons, n_words, rate, options.runs)
    _heads(d, n_heads, n_words, rate, options.runs)


def _components(d: int, n_neurons: int, n_words: int, rate: float, runs: int) -> None:
    neurons = torch.randn(n_neurons, d) * torch.linspace(2, 0.1, d)
    outputs = torch.randn(n_words, d)
    found: dict[str, torch.Tensor] = {}

    def ours() -> None:
        found["ours"] = principal_components(neurons, N_COMPONENTS).directions

    def published() -> None:
        found["published"] = torch.linalg.svd(neurons - neurons.mean(dim=0), full_matrices=False)[2][:N_COMPONENTS]

    def words() -> None:
        component_words(found["ours"], outputs, 50)

    name = "components, eigenvectors of the covariance"
    medians = side_by_side({name: ours, "components, published SVD": published}, runs)
    print_ratios(medians, name)
    alike = (found["ours"] * found["published"]).sum(dim=1).abs()
    print(f"  the same directions: |cosine| at least {alike.min():.5f}")
    medians |= side_by_side({"words": words}, runs)
    k = min(N_COMPONENTS, d)
    flops = {name: n_neurons * d**2 + 4 / 3 * d**3 + 2 * k * d**2, "words": 2 * k * d * n_words}
    _roofline({step: medians[step] for step in flops}, flops, rate)


def _heads(d: int, n_heads: int, n_words: int, rate: float, runs: int) -> None:
    d_head = d // n_heads
    query, key = (torch.randn(n_heads, d, d_head) / d**0.5 for _ in range(2))
    embeddings = torch.randn(n_words, d)
    plausible = torch.rand(n_words, n_words) < 0.025  # the share that 1.96 deviations leave
    loop_heads = min(2, n_heads)

    def ours(n: int) -> None:
        anatomy = Anatomy("benchmark", 1, d, n, n, d_head, TensorNames("", "", "", "", "", None))
        layer_knowledge(query[:n], key[:n], embeddings, plausible, anatomy, top_words=TOP_WORDS)

    def loop() -> None:
        for head in range(loop_heads):
            _one_head_in_numpy(query[head].numpy(), key[head].numpy(), embeddings.numpy(), plausible.numpy())

    name = f"{loop_heads} heads, all dimensions at once"
    print_ratios(side_by_side({name: lambda: ours(loop_heads), f"{loop_heads} heads in a loop": loop}, runs), name)
    whole = side_by_side({"all heads of a layer": lambda: ours(n_heads)}, runs)
    _roofline(whole, {"all heads of a layer": 2 * 2 * d * d * n_words}, rate)


def _one_head_in_numpy(query: np.ndarray, key: np.ndarray, words: np.ndarray, plausible: np.ndarray) -> dict[int, int]:
    counts: dict[int, int] = {}
    for i in range(query.shape[1]):
        q, k = words @ query[:, i], words @ key[:, i]
        top_q, top_k = np.argsort(-np.abs(q))[:TOP_WORDS], np.argsort(-np.abs(k))[:TOP_WORDS]
        kept = plausible[np.ix_(top_q, top_k)] & (np.outer(q[top_q], k[top_k]) > 0)
        for a, b in zip(*np.nonzero(kept), strict=True):
            pair = int(top_q[a]) * len(words) + int(top_k[b])
            counts[pair] = counts.get(pair, 0) + 1
    return {pair: count for pair, count in counts.items() if count > 1}


def _rate(n: int) -> float:
    """Return the operations a second of a large matrix product here, the median of three."""
    a, b = torch.randn(n, n), torch.randn(n, n)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / statistics.median(seconds[1:])


def _roofline(medians: dict[str, float], flops: dict[str, float], rate: float) -> None:
    for name, seconds in medians.items():
        floor = flops[name] / rate
        print(f"  {name:<44} {seconds:9.3f} s   products alone {floor:.3f} s: {seconds / floor:.2f} x the roofline")


if __name__ == "__main__":
    main()
