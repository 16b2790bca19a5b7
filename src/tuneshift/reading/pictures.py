"""What a picture of reading alignment shows: a point a word, means over bins, r by lag."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr


def word_array(values: np.ndarray, words: pd.DataFrame, unit: str) -> xr.DataArray:
    """Return values (word,) with each word's text, document and position as coordinates."""
    coords = {
        "text": ("word", words["word"].to_numpy(str)),
        "document": ("word", words["document"].to_numpy(str)),
        "position": ("word", words["position"].to_numpy(np.int64)),
    }
    return xr.DataArray(values.astype(np.float32), dims=("word",), coords=coords, attrs={"unit": unit})


def gain_array(gain: np.ndarray, words: pd.DataFrame) -> xr.DataArray:
    """Return what each word adds to a mean (word,), with its document, over which comparisons are paired."""
    coords = {"document": ("word", words["document"].to_numpy(str))}
    return xr.DataArray(gain.astype(np.float32), dims=("word",), coords=coords, attrs={"unit": "nats x 1000"})


def correlation_array(x: np.ndarray, y: np.ndarray, words: pd.DataFrame) -> xr.DataArray:
    """Return each word's share of Pearson r of x and y (word,), with its document; their mean is r.

    A share is r plus the word's influence on it, so that the mean of shares over any draw of stories is, to first
    order, the r of that draw: differences between two models can be paired over stories like those of any mean.
    Source: Devlin, Gnanadesikan & Kettenring (1975), Biometrika 62, 531-545 (influence function of r).
    """
    zx, zy = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    r = float((zx * zy).mean())
    coords = {"document": ("word", words["document"].to_numpy(str))}
    shares = r + zx * zy - r * (zx**2 + zy**2) / 2
    return xr.DataArray(shares.astype(np.float32), dims=("word",), coords=coords, attrs={"unit": "r"})


def curve_array(surprisal: np.ndarray, added: np.ndarray, unit: str) -> xr.DataArray:
    """Return the time that the spline adds (point,) at each surprisal."""
    return xr.DataArray(added, dims=("point",), coords={"surprisal": ("point", surprisal)}, attrs={"unit": unit})


def binned_times(surprisal: np.ndarray, time: np.ndarray, unit: str, n_bins: int = 20) -> xr.DataArray:
    """Return the mean time (bin,) of words of equal count a bin, by surprisal; `standard_error` and `n` beside it."""
    edges = np.unique(np.quantile(surprisal, np.linspace(0, 1, n_bins + 1)))
    bins = np.clip(np.searchsorted(edges, surprisal, side="right") - 1, 0, max(0, len(edges) - 2))
    groups = pd.DataFrame({"s": surprisal, "t": time}).groupby(bins)
    coords = {
        "surprisal": ("bin", groups["s"].mean().to_numpy()),
        "standard_error": ("bin", groups["t"].sem().fillna(0.0).to_numpy()),
        "n": ("bin", groups.size().to_numpy(np.int64)),
    }
    return xr.DataArray(groups["t"].mean().to_numpy(), dims=("bin",), coords=coords, attrs={"unit": unit})


def lag_array(profile: np.ndarray, lags: tuple[int, ...]) -> xr.DataArray:
    """Return r (lag,) of times with the surprisal of the word `lag` earlier."""
    return xr.DataArray(profile, dims=("lag",), coords={"lag": ("lag", np.array(lags))}, attrs={"unit": "r"})
