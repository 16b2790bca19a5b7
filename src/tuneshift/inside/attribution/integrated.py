"""Integrated gradients: gradients collected on the way from a prompt that says nothing to the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.cost import Mode, gradient_times_input
from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.occlusion import target_numbers
from tuneshift.inside.attribution.reverse import prompt_embeddings, vocabulary_size
from tuneshift.inside.attribution.target import Target
from tuneshift.progress import Progress, silent

Baseline = Literal["mean", "zero"] | int


@dataclass(frozen=True)
class IntegratedGradients:
    """Contributions `raw` (P, R) that add up, over prompt tokens, to `reached` - `baseline`, both (R,).

    `reached` are the targets (probabilities) with the real prompt, `baseline` those with the empty one.
    """

    raw: np.ndarray
    reached: np.ndarray
    baseline: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """By how much (R,) the contributions miss their sum: 0 with infinitely many steps (completeness)."""
        return self.raw.sum(axis=0) - (self.reached - self.baseline)


def integrated_gradients(
    model: PreTrainedModel,
    layout: Layout,
    *,
    steps: int = 32,
    baseline: Baseline = "mean",
    target: Target | None = None,
    mode: Mode | Literal["auto"] = "auto",
    chunk: int | None = None,
    progress: Progress = silent,
) -> IntegratedGradients:
    """Integrate the gradient of each response token's probability along a straight line to the prompt's embeddings.

    IG[n, m] = (e_n - b_n) . integral of d p_m / d e_n over the line from b to e (Sundararajan et al. 2017, equation 1),
    by Gauss-Legendre quadrature with `steps` nodes; only the prompt moves, the response stays as it is. `baseline` b is
    the mean of all input embeddings, "zero", or the id of a token that stands for "nothing". Near zero a norm blows
    every direction up, so a zero baseline needs many more steps; look at `gap`. Raises BadInput for steps below 1 or an
    id outside the vocabulary.
    """
    if steps < 1:
        raise BadInput(f"steps = {steps}: integrated gradients need at least one step.")
    end = prompt_embeddings(model, layout)
    begin = _baseline(model, baseline).expand_as(end)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    total = np.zeros((len(layout.prompt), len(layout.response)))
    for number, (node, weight) in enumerate(zip(nodes, weights, strict=True)):
        point = (torch.lerp(begin, end, float(node + 1) / 2), end - begin)
        raw, _ = gradient_times_input(model, layout, mode=mode, chunk=chunk, target=target, point=point)
        total += weight / 2 * raw
        progress("integrated gradients", number + 1, steps)
    ends = [target_numbers(model, layout, prompt, target) for prompt in (end, begin)]
    return IntegratedGradients(total, *ends)


def _baseline(model: PreTrainedModel, baseline: Baseline) -> torch.Tensor:
    """Return the embedding (d,) of a token of a prompt that says nothing."""
    embed = model.get_input_embeddings()
    size = vocabulary_size(model)
    if isinstance(baseline, int):
        if not 0 <= baseline < size:
            raise BadInput(f"baseline token {baseline} is no id of a vocabulary of {size} tokens.")
        return embed(torch.tensor([baseline], device=model.device))[0].detach()
    if baseline == "zero":
        return torch.zeros_like(embed(torch.tensor([0], device=model.device))[0])
    parts = [embed(ids).detach() for ids in torch.arange(size, device=model.device).split(8192)]
    mean = torch.stack([part.double().sum(0) for part in parts]).sum(0) / size
    return mean.to(parts[0].dtype)
