"""Gradients of response probabilities, backwards: one forward pass, then many vector-Jacobian products at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.layout import Layout
from tuneshift.inside.attribution.prefix import goes_on, going_on
from tuneshift.inside.attribution.target import Target, probability, wide

Point = tuple[torch.Tensor, torch.Tensor]
"""Prompt embeddings (P, d) to take the gradient at, and the vectors (P, d) to multiply it with."""


def reverse_attribution(
    model: PreTrainedModel,
    layout: Layout,
    chunk: int = 16,
    *,
    target: Target | None = None,
    point: Point | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient x input (P, R) of the response's probabilities, and these probabilities (R,), both float32.

    I[n, m] = d p_m / d e_n . e_n with p_m = softmax(logits)[y_m] (paper 2, equation 1). Weights take no gradients;
    each chunk of response tokens goes back in one batched pass over the positions its tokens can see. A float64 model
    gives float64. `target` replaces the probability by another number, which is then returned in its
    place; `point` says where to take the gradient and what to multiply it with, by default the prompt's embeddings.
    Raises BadInput for a model that takes no embeddings.
    """
    target = target or probability(layout)
    raw, reached = empty_result(model, layout)
    if not raw.size:
        return raw, reached
    require_embeddings(model)
    with eager_attention(model):
        at, along = point or (prompt_embeddings(model, layout),) * 2
        leaf = at.detach().clone().requires_grad_()
        parts = [slice(i, min(i + chunk, len(layout.response))) for i in range(0, len(layout.response), chunk)]
        read = read_on if goes_on(model, layout) else read_again
        for part, logits in read(model, layout, leaf, parts):
            numbers = target(logits, part)
            gradients = _gradients(numbers, leaf)
            products = torch.einsum("mnd,nd->nm", *(x.to(wide(x.dtype)) for x in (gradients, along)))
            raw[:, part] = products.cpu().numpy()
            reached[part] = numbers.detach().cpu().numpy()
    return raw, reached


def _gradients(numbers: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
    """Return d number / d leaf (R', P, d), all at once, or one by one where an operation has no batched way back.

    Kernels of state-space models are such operations. The graph is kept: a batched pass that fails has used it up.
    """
    which = torch.eye(len(numbers), device=numbers.device, dtype=numbers.dtype)
    try:
        return torch.autograd.grad(numbers, leaf, which, is_grads_batched=True, retain_graph=True)[0]
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:
        return torch.stack([torch.autograd.grad(number, leaf, retain_graph=True)[0] for number in numbers])


def read_on(
    model: PreTrainedModel, layout: Layout, prompt: torch.Tensor, parts: list[slice]
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Read prompt embeddings (P, d) and then one part of the response after the other; yield logits (R', V) of each.

    Everything is read once. What a part needs of earlier positions are keys and values, so its way back leaves out
    whatever the last block does with these positions otherwise.
    """
    cache = DynamicCache()
    begin = int(layout.response[0]) - 1
    embeddings = with_prompt(model, layout, prompt, int(layout.response[-1]))
    if begin:
        model.base_model(inputs_embeds=prompt[None, :begin], **going_on(model.base_model, cache))
    for part in parts:
        end = int(layout.response[part][-1])
        # behind the prompt nothing takes gradients, and the prompt's last token opens the first part
        piece = embeddings[:, begin:end] if part.start == 0 else embeddings.detach()[:, begin:end]
        yield part, model(inputs_embeds=piece, **going_on(model, cache)).logits[0]
        begin = end


def read_again(
    model: PreTrainedModel, layout: Layout, prompt: torch.Tensor, parts: list[slice]
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Read prompt embeddings (P, d) and the response up to its end once for each part; yield logits (R', V)."""
    for part in parts:
        stop = int(layout.response[part][-1])
        embeddings = with_prompt(model, layout, prompt, stop)
        with output_at(model, torch.as_tensor(layout.response[part] - 1, device=prompt.device)):
            yield part, model(**model_inputs(layout, embeddings, stop)).logits[0]


def require_embeddings(model: PreTrainedModel) -> None:
    """Raise BadInput for a model that reads token ids only: gradients go to embeddings."""
    if "inputs_embeds" not in inspect.signature(model.forward).parameters:
        raise BadInput(
            f"{type(model).__name__} does not take `inputs_embeds`, so no gradient reaches its prompt and nothing can "
            "be attributed to it."
        )


def prompt_embeddings(model: PreTrainedModel, layout: Layout) -> torch.Tensor:
    """Return the input embeddings of the prompt's tokens (P, d), without gradients."""
    ids = torch.as_tensor(layout.ids[layout.prompt], device=model.device)
    return model.get_input_embeddings()(ids[None])[0].detach()


def vocabulary_size(model: PreTrainedModel) -> int:
    """Return how many tokens have an input embedding."""
    return int(model.get_input_embeddings().num_embeddings)  # type: ignore[arg-type]


def with_prompt(model: PreTrainedModel, layout: Layout, at: torch.Tensor, stop: int) -> torch.Tensor:
    """Return what the model reads before response position `stop` (1, T', d), its prompt embeddings being `at`."""
    ids = layout.ids if layout.decoder_ids is not None else layout.ids[:stop]
    embeddings = model.get_input_embeddings()(torch.as_tensor(ids, device=model.device)[None]).detach().clone()
    embeddings[0, torch.as_tensor(layout.prompt, device=model.device)] = at
    return embeddings


def model_inputs(layout: Layout, embeddings: torch.Tensor, stop: int) -> dict[str, Any]:
    """Return the model's arguments for embeddings (n, T', d), a decoder reading its own tokens before `stop`."""
    inputs: dict[str, Any] = {"inputs_embeds": embeddings, "use_cache": False}
    if layout.decoder_ids is not None:
        decoder = torch.as_tensor(layout.decoder_ids[:stop], device=embeddings.device)
        inputs["decoder_input_ids"] = decoder.expand(len(embeddings), -1)
    return inputs


def empty_result(model: PreTrainedModel, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return zeros for an attribution (P, R) and for its targets (R,)."""
    type_ = np.float64 if model.dtype == torch.float64 else np.float32
    return np.zeros((len(layout.prompt), len(layout.response)), dtype=type_), np.zeros(len(layout.response), type_)


@contextmanager
def output_at(model: PreTrainedModel, positions: torch.Tensor) -> Iterator[None]:
    """Let the output matrix, the largest of all, see the given positions only: logits (n, R, V) come out."""

    def cut(module: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0].index_select(1, positions), *inputs[1:])

    handle = model.get_output_embeddings().register_forward_pre_hook(cut)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def eager_attention(model: PreTrainedModel) -> Iterator[None]:
    """Compute attention with plain matrix products while inside: fused kernels have no batched backward pass."""
    before = model.config._attn_implementation
    try:
        model.set_attn_implementation("eager")
        yield
    finally:
        model.set_attn_implementation(before)
