"""Principal components of what the neurons of one feed-forward layer write (methods, section 6; paper 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch

from tuneshift.numerics.threads import one_thread

_SMALL = 512


@dataclass(frozen=True)
class Components:
    """The principal components of one layer, largest variance first.

    `directions` (n_components, d) are unit vectors of the residual stream, each with its largest entry positive;
    `variance` (n_components,) is the variance over neurons along each, `share` (n_components,) its part of the whole.
    """

    directions: torch.Tensor
    variance: np.ndarray
    share: np.ndarray


def principal_components(weights: torch.Tensor, n_components: int) -> Components:
    """Return the components of weights (n_neurons, d), one row a neuron, centred over neurons.

    Eigenvectors of the d x d covariance, of which only those asked for are computed: neurons are several times more
    than d, and an SVD of all of them gives the same directions at many times the cost. Never more than d components.
    """
    n_neurons, d = weights.shape
    n_components = min(n_components, d)
    with one_thread(d <= _SMALL):
        centred = weights - weights.mean(dim=0)
        if weights.device.type == "cpu" and d > _SMALL:
            variance, vectors = _largest_on_cpu(centred, n_components)
        else:
            values, columns = torch.linalg.eigh(centred.T @ centred)
            variance, vectors = values.flip(0)[:n_components], columns.flip(1)[:, :n_components].T
        largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
        total = float(centred.square().sum(dtype=torch.float64)) / n_neurons
    explained = variance.clamp_min(0).double().cpu().numpy() / n_neurons
    share = explained / total if total > 0 else np.zeros_like(explained)
    return Components(vectors * torch.where(largest < 0, -1.0, 1.0), explained, share)


def _largest_on_cpu(centred: torch.Tensor, n_components: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the largest eigenvalues (n_components,) of X'X, and their eigenvectors as rows, for X (n, d).

    The rank-k update computes one triangle only, which is all that LAPACK reads.
    """
    rows = np.ascontiguousarray(centred.numpy())
    d = rows.shape[1]
    scatter = scipy.linalg.blas.ssyrk(1.0, rows.T, lower=True)
    values, vectors = scipy.linalg.eigh(
        scatter,
        lower=True,
        subset_by_index=[d - n_components, d - 1],
        driver="evr",
        overwrite_a=True,
        check_finite=False,
    )
    found = np.ascontiguousarray(vectors[:, ::-1].T)
    return torch.from_numpy(values[::-1].copy()), torch.from_numpy(found)


@dataclass(frozen=True)
class ComponentWords:
    """The words a component writes for and against.

    `places` (n_components, n_words) are places in the word list, largest |projection| first; `projections` have the
    same shape: cosines of the component with the words' output embeddings, with their sign.
    """

    places: np.ndarray
    projections: np.ndarray


def component_words(directions: torch.Tensor, outputs: torch.Tensor, n_words: int) -> ComponentWords:
    """Return the words of largest |projection| on each direction (n_components, d).

    `outputs` (n_words_in_all, d) are the words' output embeddings; they are brought to unit length here.
    """
    with one_thread(directions.shape[1] <= _SMALL):
        projections = directions @ torch.nn.functional.normalize(outputs, dim=1).T
        places = projections.abs().topk(min(n_words, projections.shape[1]), dim=1).indices
    return ComponentWords(places.cpu().numpy().astype(np.int32), projections.gather(1, places).cpu().numpy())
