"""Leave one token out: what gradient x input estimates, measured."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from scipy.stats import rankdata
from transformers import PreTrainedModel

from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.reverse import empty_result, model_inputs, output_at, prompt_embeddings, with_prompt
from tuneshift.inside.attribution.target import Target, probability
from tuneshift.progress import Progress, silent

Without = Literal["silenced", "deleted"]


def leave_one_out(
    model: PreTrainedModel,
    layout: Layout,
    *,
    without: Without = "silenced",
    target: Target | None = None,
    chunk: int = 16,
    progress: Progress = silent,
) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much each response token's probability drops without each prompt token (P, R), and them all (R,).

    `without` "silenced" sets the token's embedding to zero, which is the step that gradient x input extrapolates to;
    "deleted" takes it out, so that what follows moves up by one. `chunk` prompts go through the model at once. `target`
    replaces the probability by another number of each response token.
    """
    target = target or probability(layout)
    drops, reached = empty_result(model, layout)
    if not drops.size:
        return drops, reached
    full = prompt_embeddings(model, layout)
    reached[:] = target_numbers(model, layout, full, target)
    stop = int(layout.response[-1])
    with torch.no_grad():
        embeddings = with_prompt(model, layout, full, stop)
        for start in range(0, len(layout.prompt), chunk):
            batch = _batch_without(embeddings, layout.prompt[start : start + chunk], without)
            numbers = _numbers(model, layout, batch, target)
            drops[start : start + chunk] = reached - numbers
            progress("leaving tokens out", min(start + chunk, len(layout.prompt)), len(layout.prompt))
    return drops, reached


def target_numbers(
    model: PreTrainedModel, layout: Layout, prompt: torch.Tensor, target: Target | None = None
) -> np.ndarray:
    """Return the targets (R,) with prompt embeddings (P, d) in the place of the prompt's own."""
    if not len(layout.response):
        return empty_result(model, layout)[1]
    with torch.no_grad():
        embeddings = with_prompt(model, layout, prompt, int(layout.response[-1]))
        return _numbers(model, layout, embeddings, target or probability(layout))[0]


def rank_agreement(estimate: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return Spearman's r (R,) over prompt tokens between two matrices (P, R); NaN where one has no differences."""
    ranks = [rankdata(matrix, axis=0) - (len(matrix) + 1) / 2 for matrix in (estimate, measured)]
    product = (ranks[0] * ranks[1]).sum(axis=0)
    size = np.sqrt((ranks[0] ** 2).sum(axis=0) * (ranks[1] ** 2).sum(axis=0))
    return np.divide(product, size, out=np.full(len(size), np.nan), where=size > 0)


def _batch_without(embeddings: torch.Tensor, positions: np.ndarray, without: Without) -> torch.Tensor:
    """Return one copy of the embeddings (1, T, d) for each position, without it."""
    if without == "silenced":
        batch = embeddings.repeat(len(positions), 1, 1)
        rows = torch.arange(len(positions), device=batch.device)
        batch[rows, torch.as_tensor(positions, device=batch.device)] = 0
        return batch
    kept = [np.delete(np.arange(embeddings.shape[1]), position) for position in positions]
    return embeddings[0, torch.as_tensor(np.array(kept), device=embeddings.device)]


def _numbers(model: PreTrainedModel, layout: Layout, embeddings: torch.Tensor, target: Target) -> np.ndarray:
    """Return targets (n, R) of n readings (n, T, d), which may be shorter than the layout by deleted prompt tokens."""
    stop = int(layout.response[-1])
    shift = 0 if layout.decoder_ids is not None else stop - embeddings.shape[1]
    positions = torch.as_tensor(layout.response - 1 - shift, device=embeddings.device)
    with output_at(model, positions):
        logits = model(**model_inputs(layout, embeddings, stop)).logits
    part = slice(0, len(layout.response))
    return np.stack([target(row, part).cpu().numpy() for row in logits])
