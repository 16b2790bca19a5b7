"""Made recordings: people in a scanner who hear words or read sentences, of which everything is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tuneshift.human import Recording
from tuneshift.human.recordings.recording import WordTrack
from tuneshift.numerics.haemodynamics import convolved

WORDS = ("The", "old", "boat", "lay", "on", "the", "shore", "and", "nobody", "knew", "whose", "it", "was")


def heard(
    n_scans: int = 360,
    runs: Sequence[int] = (360,),
    repetition_time: float = 2.0,
    n_participants: int = 4,
    n_regions: int = 3,
    pause: float = 60.0,
    high_pass: float | None = 128.0,
    drift: float = 3.0,
    seed: int = 0,
) -> Recording:
    """Responses of slow, autocorrelated noise and drift that have nothing to do with the words."""
    rng = np.random.default_rng(seed)
    time, passage, onset, of_word = [], [], [], []
    start = 0.0
    for number, length in enumerate(runs):
        own = start + repetition_time * np.arange(length)
        time.append(own)
        passage += [f"run {number}"] * length
        said = np.arange(start + 0.4, own[-1] - 4, 0.45)
        onset.append(said)
        of_word += [f"run {number}"] * len(said)
        start = own[-1] + repetition_time + pause
    times, onsets = np.concatenate(time), np.concatenate(onset)
    assert len(times) == n_scans
    n_targets = n_participants * n_regions
    common = _slow(rng, n_scans, n_regions, drift)
    values = 0.5 * np.tile(common, n_participants) + _slow(rng, n_scans, n_targets, drift)
    coords = {
        "time": ("stimulus", times),
        "passage": ("stimulus", passage),
        "participant": ("target", np.repeat([f"p{i}" for i in range(n_participants)], n_regions)),
        "region": ("target", [f"r{i}" for i in range(n_regions)] * n_participants),
        "target_name": ("target", [f"t{i}" for i in range(n_targets)]),
    }
    words = tuple(rng.choice(WORDS, len(onsets)))
    return Recording(
        "heard",
        xr.DataArray(values, dims=("stimulus", "target"), coords=coords),
        words=WordTrack(words, onsets, onsets + 0.3, tuple(of_word)),
        repetition_time=repetition_time,
        high_pass=high_pass,
    )


def _slow(rng: np.random.Generator, n: int, k: int, drift: float) -> np.ndarray:
    """Neighbours alike (r about .6), on a drift slower than any filter passes."""
    noise = rng.standard_normal((n + 20, k))
    kernel = np.exp(-np.arange(8) / 2.0)
    smooth = np.stack([np.convolve(column, kernel, "valid")[:n] for column in noise.T], axis=1)
    walk = np.cumsum(rng.standard_normal((n, k)), axis=0)
    return np.asarray(smooth / smooth.std(axis=0) + drift * walk / walk.std(axis=0))


def driven(recording: Recording, said: np.ndarray, strength: float, seed: int = 0) -> Recording:
    """The same recording, with what word features (n_words, d) drive added to every target."""
    assert recording.words is not None
    rng = np.random.default_rng(seed)
    answers = convolved(said - said.mean(axis=0), recording.words.offset, recording.data["time"].values)
    weights = rng.standard_normal((said.shape[1], recording.data.shape[1]))
    signal = answers @ weights
    values = recording.data.values + strength * signal / signal.std(axis=0)
    return Recording(
        recording.name, recording.data.copy(data=values), words=recording.words,
        repetition_time=recording.repetition_time, high_pass=recording.high_pass,
    )  # fmt: skip


def sentences(n_passages: int = 20, length: int = 4) -> Recording:
    """Two people who read sentences in passages of six topics; noise."""
    rng = np.random.default_rng(0)
    n = n_passages * length
    passage = np.repeat([f"passage {i}" for i in range(n_passages)], length)
    coords = {
        "text": ("stimulus", [f"Sentence {i} of the {i % 7} boats." for i in range(n)]),
        "passage": ("stimulus", passage),
        "topic": ("stimulus", [f"topic {int(name.split()[1]) % 6}" for name in passage]),
        "participant": ("target", ["p0", "p0", "p1", "p1"]),
        "region": ("target", ["a", "b", "a", "b"]),
        "target_name": ("target", list("wxyz")),
    }
    return Recording("read", xr.DataArray(rng.standard_normal((n, 4)), dims=("stimulus", "target"), coords=coords))
