"""Tangents and operations that only move numbers: views, joins, choices, copies; and those that see shapes alone.

A rule gets the operation's arguments, some of them `TangentTensor`. Shapes of tangents are (n, *shape of the value).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tuneshift.inside.attribution.tangent_tensor import (
    RULES,
    NoTangentRule,
    Rule,
    TangentTensor,
    lifted,
    rule,
    value_of,
    view_of,
    with_tangents,
)

aten: Any = torch.ops.aten


def behind_tangents(dim: int, ndim: int) -> int:
    """Return a dimension's number in the tangents: counted from the front, behind the tangent's own."""
    return dim % ndim + 1


@rule(aten.view.default, aten.reshape.default)
def _view(x: TangentTensor, shape: Sequence[int]) -> TangentTensor:
    value = x.value.reshape(shape)
    return view_of(x, value, x.tangents.reshape(x.n_tangents, *value.shape))


@rule(aten._unsafe_view.default)
def _unsafe_view(x: TangentTensor, shape: Sequence[int]) -> TangentTensor:
    value = x.value.reshape(shape)
    return with_tangents(value, x.tangents.reshape(x.n_tangents, *value.shape))  # nobody else holds x


@rule(aten.transpose.int)
def _transpose(x: TangentTensor, a: int, b: int) -> TangentTensor:
    ndim = x.value.ndim
    return view_of(x, x.value.transpose(a, b), x.tangents.transpose(behind_tangents(a, ndim), behind_tangents(b, ndim)))


@rule(aten.t.default)
def _t(x: TangentTensor) -> TangentTensor:
    return view_of(x, x.value.t(), x.tangents.transpose(-1, -2) if x.value.ndim == 2 else x.tangents)


@rule(aten.permute.default)
def _permute(x: TangentTensor, dims: Sequence[int]) -> TangentTensor:
    moved = [behind_tangents(dim, x.value.ndim) for dim in dims]
    return view_of(x, x.value.permute(*dims), x.tangents.permute(0, *moved))


@rule(aten.expand.default)
def _expand(x: TangentTensor, shape: Sequence[int], *, implicit: bool = False) -> TangentTensor:
    value = x.value.expand(*shape)
    return view_of(x, value, lifted(x.tangents, value.ndim).expand(x.n_tangents, *value.shape))


@rule(aten.unsqueeze.default)
def _unsqueeze(x: TangentTensor, dim: int) -> TangentTensor:
    return view_of(x, x.value.unsqueeze(dim), x.tangents.unsqueeze(behind_tangents(dim, x.value.ndim + 1)))


def _along_dim(operation: Any) -> Rule:
    """Make the rule of an operation (x, dim, ...) that takes numbers of x, or adds them up, along a dimension."""

    def apply(x: Any, dim: int = 0, *rest: Any, **kwargs: Any) -> Any:
        if not isinstance(x, TangentTensor) or any(isinstance(item, TangentTensor) for item in rest):
            raise NoTangentRule(f"{operation} with tangents in another argument than the first has no rule")
        value = operation(x.value, dim, *rest, **kwargs)
        return view_of(x, value, operation(x.tangents, behind_tangents(dim, x.value.ndim), *rest, **kwargs))

    return apply


for _operation in (
    aten.slice.Tensor,
    aten.select.int,
    aten.narrow.default,
    aten.index_select.default,
    aten.cumsum.default,
    aten.squeeze.dim,
):
    RULES[_operation] = _along_dim(_operation)


@rule(aten.split.Tensor, aten.split_with_sizes.default, aten.chunk.default)
def _split(x: TangentTensor, sizes: Any, dim: int = 0) -> list[TangentTensor]:
    values = x.value.split(sizes, dim)
    parts = x.tangents.split(sizes, behind_tangents(dim, x.value.ndim))
    return [view_of(x, value, part) for value, part in zip(values, parts, strict=True)]


@rule(aten.unbind.int)
def _unbind(x: TangentTensor, dim: int = 0) -> list[TangentTensor]:
    parts = x.tangents.unbind(behind_tangents(dim, x.value.ndim))
    return [view_of(x, value, part) for value, part in zip(x.value.unbind(dim), parts, strict=True)]


def _joined(operation: Any) -> Rule:
    def apply(parts: Sequence[torch.Tensor], dim: int = 0) -> TangentTensor:
        parts = [part for part in parts if part.ndim > 1 or part.numel()]
        value = operation([value_of(part) for part in parts], dim)
        number = next(part.n_tangents for part in parts if isinstance(part, TangentTensor))
        tangents = [_tangents_or_zeros(part, number).to(value.dtype) for part in parts]
        return with_tangents(value, operation(tangents, behind_tangents(dim, value.ndim)))

    return apply


RULES[aten.cat.default] = _joined(torch.cat)
RULES[aten.stack.default] = _joined(torch.stack)


def _tangents_or_zeros(x: torch.Tensor, number: int) -> torch.Tensor:
    return x.tangents if isinstance(x, TangentTensor) else x.new_zeros(()).expand(number, *x.shape)


@rule(aten.index.Tensor)
def _index(x: TangentTensor, indices: Sequence[torch.Tensor | None]) -> TangentTensor:
    picked = tuple(slice(None) if index is None else index for index in indices)
    value = x.value[picked]
    if indices[0] is None and sum(index is not None for index in indices) > 1:
        raise NoTangentRule("indexing of several dimensions behind the first has no rule")
    return view_of(x, value, x.tangents[(slice(None), *picked)])


@rule(aten.gather.default)
def _gather(x: TangentTensor, dim: int, index: torch.Tensor) -> TangentTensor:
    chosen = index.expand(x.n_tangents, *index.shape)
    return with_tangents(x.value.gather(dim, index), x.tangents.gather(behind_tangents(dim, x.value.ndim), chosen))


@rule(aten.clone.default, aten.contiguous.default)
def _clone(x: TangentTensor, *, memory_format: Any = None) -> TangentTensor:
    # terms are never written to, so nobody needs a copy of them
    return TangentTensor(x.value.clone(memory_format=torch.contiguous_format), x.terms)


@rule(aten.detach.default, aten.alias.default, aten.lift_fresh.default)
def _same(x: TangentTensor) -> TangentTensor:
    x.shares = True
    return TangentTensor(x.value, x.terms, shares=True)


@rule(aten._to_copy.default)
def _to_copy(x: TangentTensor, **kwargs: Any) -> Any:
    value = aten._to_copy.default(x.value, **kwargs)
    return with_tangents(value, x.tangents.to(value.dtype)) if value.is_floating_point() else value


def _shape_only(operation: Any) -> Rule:
    def apply(x: TangentTensor, *rest: Any, **kwargs: Any) -> torch.Tensor:
        return operation(x.value, *rest, **kwargs)

    return apply


for _operation in (
    aten.new_zeros.default,
    aten.new_ones.default,
    aten.new_full.default,
    aten.new_empty.default,
    aten.zeros_like.default,
    aten.ones_like.default,
    aten.empty_like.default,
    aten.full_like.default,
):
    RULES[_operation] = _shape_only(_operation)
