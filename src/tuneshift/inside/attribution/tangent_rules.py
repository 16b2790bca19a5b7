"""How tangents pass through the operations of language models: one rule an operation.

A rule gets the operation's arguments, some of them `TangentTensor`, and returns a `TangentTensor` (or plain tensors
where nothing depends on the prompt's scales). Shapes of tangents are (n, *shape of the value).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tuneshift.inside.attribution.tangent_tensor import RULES, NoTangentRule, TangentTensor, tangents_of, value_of

aten: Any = torch.ops.aten
Rule = Callable[..., Any]


def rule(*operations: Any) -> Callable[[Rule], Rule]:
    """Register a function as the rule of operations."""

    def register(function: Rule) -> Rule:
        for operation in operations:
            RULES[operation] = function
        return function

    return register


def _lifted(tangents: torch.Tensor, ndim: int) -> torch.Tensor:
    """Give tangents (n, *shape) ones behind n, so that they broadcast against values of `ndim` dimensions."""
    missing = ndim + 1 - tangents.ndim
    return tangents if missing <= 0 else tangents.reshape(len(tangents), *[1] * missing, *tangents.shape[1:])


def _full(tangents: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Broadcast tangents to the shape of the result, without copying."""
    return _lifted(tangents, len(shape)).expand(len(tangents), *shape)


def _positive(dim: int, ndim: int) -> int:
    """Return a dimension's number in the tangents: counted from the front, behind the tangent's own."""
    return dim % ndim + 1


# --- operations that only move numbers ----------------------------------------------------------------------------


@rule(aten.view.default, aten._unsafe_view.default, aten.reshape.default)
def _view(x: TangentTensor, shape: Sequence[int]) -> TangentTensor:
    value = x.value.reshape(shape)
    return TangentTensor(value, x.tangents.reshape(len(x.tangents), *value.shape))


@rule(aten.transpose.int)
def _transpose(x: TangentTensor, a: int, b: int) -> TangentTensor:
    ndim = x.value.ndim
    return TangentTensor(
        x.value.transpose(a, b), x.tangents.transpose(_positive(a, ndim), _positive(b, ndim))
    )


@rule(aten.t.default)
def _t(x: TangentTensor) -> TangentTensor:
    return TangentTensor(x.value.t(), x.tangents.transpose(-1, -2) if x.value.ndim == 2 else x.tangents)


@rule(aten.permute.default)
def _permute(x: TangentTensor, dims: Sequence[int]) -> TangentTensor:
    moved = [_positive(dim, x.value.ndim) for dim in dims]
    return TangentTensor(x.value.permute(*dims), x.tangents.permute(0, *moved))


@rule(aten.expand.default)
def _expand(x: TangentTensor, shape: Sequence[int], *, implicit: bool = False) -> TangentTensor:
    value = x.value.expand(*shape)
    return TangentTensor(value, _full(x.tangents, value.shape))


@rule(aten.unsqueeze.default)
def _unsqueeze(x: TangentTensor, dim: int) -> TangentTensor:
    return TangentTensor(x.value.unsqueeze(dim), x.tangents.unsqueeze(_positive(dim, x.value.ndim + 1)))


def _along_dim(operation: Any) -> Rule:
    """Make the rule of an operation (x, dim, ...) that takes numbers of x, or adds them up, along a dimension."""

    def apply(x: Any, dim: int = 0, *rest: Any, **kwargs: Any) -> Any:
        if not isinstance(x, TangentTensor) or any(isinstance(item, TangentTensor) for item in rest):
            raise NoTangentRule(f"{operation} with tangents in another argument than the first has no rule")
        value = operation(x.value, dim, *rest, **kwargs)
        return TangentTensor(value, operation(x.tangents, _positive(dim, x.value.ndim), *rest, **kwargs))

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
    parts = x.tangents.split(sizes, _positive(dim, x.value.ndim))
    return [TangentTensor(value, part) for value, part in zip(values, parts, strict=True)]


@rule(aten.unbind.int)
def _unbind(x: TangentTensor, dim: int = 0) -> list[TangentTensor]:
    parts = x.tangents.unbind(_positive(dim, x.value.ndim))
    return [TangentTensor(value, part) for value, part in zip(x.value.unbind(dim), parts, strict=True)]


def _joined(operation: Any) -> Rule:
    def apply(parts: Sequence[torch.Tensor], dim: int = 0) -> TangentTensor:
        parts = [part for part in parts if part.ndim > 1 or part.numel()]
        value = operation([value_of(part) for part in parts], dim)
        number = next(len(part.tangents) for part in parts if isinstance(part, TangentTensor))
        tangents = [_tangents_or_zeros(part, number).to(value.dtype) for part in parts]
        return TangentTensor(value, operation(tangents, _positive(dim, value.ndim)))

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
    return TangentTensor(value, x.tangents[(slice(None), *picked)])


@rule(aten.gather.default)
def _gather(x: TangentTensor, dim: int, index: torch.Tensor) -> TangentTensor:
    chosen = index.expand(len(x.tangents), *index.shape)
    return TangentTensor(x.value.gather(dim, index), x.tangents.gather(_positive(dim, x.value.ndim), chosen))


@rule(aten.clone.default, aten.contiguous.default)
def _clone(x: TangentTensor, *, memory_format: Any = None) -> TangentTensor:
    # nothing is written in place afterwards that a copy would protect, but for layout: views need it
    return TangentTensor(x.value.contiguous(), x.tangents)


@rule(aten.detach.default, aten.alias.default, aten.lift_fresh.default)
def _same(x: TangentTensor) -> TangentTensor:
    return x


@rule(aten._to_copy.default)
def _to_copy(x: TangentTensor, **kwargs: Any) -> Any:
    value = aten._to_copy.default(x.value, **kwargs)
    if not value.is_floating_point():
        return value
    return TangentTensor(value, x.tangents.to(value.dtype))


# --- sums, products ----------------------------------------------------------------------------------------------


@rule(aten.add.Tensor)
def _add(a: Any, b: Any, *, alpha: Any = 1) -> TangentTensor:
    value = torch.add(value_of(a), value_of(b), alpha=alpha)
    left, right = tangents_of(a), tangents_of(b)
    if left is not None and right is not None:
        return TangentTensor(value, torch.add(_lifted(left, value.ndim), _lifted(right, value.ndim), alpha=alpha))
    if left is not None:
        return TangentTensor(value, _full(left, value.shape).to(value.dtype))
    assert right is not None
    return TangentTensor(value, _full(right if alpha == 1 else alpha * right, value.shape).to(value.dtype))


@rule(aten.sub.Tensor)
def _sub(a: Any, b: Any, *, alpha: Any = 1) -> TangentTensor:
    return _add(a, b, alpha=-alpha)


@rule(aten.rsub.Scalar, aten.rsub.Tensor)
def _rsub(a: Any, b: Any, alpha: Any = 1) -> TangentTensor:
    return _add(b, a, alpha=-alpha)


@rule(aten.mul.Tensor, aten.mul.Scalar)
def _mul(a: Any, b: Any) -> TangentTensor:
    x, y = value_of(a), value_of(b)
    value = x * y
    left, right = tangents_of(a), tangents_of(b)
    if right is None:
        assert left is not None
        return TangentTensor(value, _lifted(left, value.ndim) * y)
    if left is None:
        return TangentTensor(value, _lifted(right, value.ndim) * x)
    tangents = _lifted(left, value.ndim) * y
    if tangents.shape[1:] != value.shape:
        return TangentTensor(value, tangents + _lifted(right, value.ndim) * x)
    return TangentTensor(value, tangents.addcmul_(_lifted(right, value.ndim), x))


@rule(aten.div.Tensor, aten.div.Scalar)
def _div(a: Any, b: Any) -> TangentTensor:
    x, y = value_of(a), value_of(b)
    value = x / y
    left, right = tangents_of(a), tangents_of(b)
    tangents = None if left is None else _lifted(left, value.ndim) / y
    if right is not None:
        through = _lifted(right, value.ndim) * (-value / y)
        tangents = through if tangents is None else tangents + through
    assert tangents is not None
    return TangentTensor(value, tangents)


@rule(aten.mm.default)
def _mm(a: Any, b: Any) -> TangentTensor:
    x, y = value_of(a), value_of(b)
    left, right = tangents_of(a), tangents_of(b)
    return TangentTensor(x @ y, _both(left, y, x, right))


@rule(aten.bmm.default)
def _bmm(a: Any, b: Any) -> TangentTensor:
    return _mm(a, b)


def _both(left: torch.Tensor | None, y: torch.Tensor, x: torch.Tensor, right: torch.Tensor | None) -> torch.Tensor:
    """The product rule of matrices: left @ y + x @ right, where either may be missing."""
    if left is None:
        assert right is not None
        return x @ right
    first = left @ y
    return first if right is None else first.add_(x @ right)


@rule(aten.addmm.default, aten.baddbmm.default)
def _addmm(bias: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> TangentTensor:
    product = _mm(a, b) if isinstance(a, TangentTensor) or isinstance(b, TangentTensor) else a @ b
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product
    return _add(product, bias if beta == 1 else bias * beta)


# --- functions of one number -------------------------------------------------------------------------------------


def _elementwise(operation: Any, slope: Callable[..., torch.Tensor]) -> None:
    """Register an operation on single numbers by its slope(x, y, *arguments), y being its result."""

    def apply(x: TangentTensor, *rest: Any, **kwargs: Any) -> TangentTensor:
        value = operation(x.value, *rest, **kwargs)
        return TangentTensor(value, x.tangents * slope(x.value, value, *rest, **kwargs))

    RULES[operation] = apply


def _one(x: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(x)


def _clamp_slope(x: torch.Tensor, y: torch.Tensor, low: Any = None, high: Any = None) -> torch.Tensor:
    return (x == y).to(x.dtype)


_elementwise(aten.silu.default, lambda x, y: aten.silu_backward(_one(x), x))
_elementwise(aten.gelu.default, lambda x, y, approximate="none": aten.gelu_backward(_one(x), x, approximate=approximate))
_elementwise(aten.relu.default, lambda x, y: (x > 0).to(x.dtype))
_elementwise(aten.tanh.default, lambda x, y: 1 - y * y)
_elementwise(aten.sigmoid.default, lambda x, y: y * (1 - y))
_elementwise(aten.exp.default, lambda x, y: y)
_elementwise(aten.log.default, lambda x, y: 1 / x)
_elementwise(aten.sqrt.default, lambda x, y: 0.5 / y)
_elementwise(aten.rsqrt.default, lambda x, y: -0.5 * y / x)
_elementwise(aten.reciprocal.default, lambda x, y: -y * y)
_elementwise(aten.neg.default, lambda x, y: -_one(x))
_elementwise(aten.sin.default, lambda x, y: x.cos())
_elementwise(aten.cos.default, lambda x, y: -x.sin())
_elementwise(aten.abs.default, lambda x, y: x.sign())
_elementwise(aten.pow.Tensor_Scalar, lambda x, y, exponent: exponent * x ** (exponent - 1))
_elementwise(aten.clamp.default, _clamp_slope)
_elementwise(aten.clamp_min.default, _clamp_slope)


# --- functions of rows -------------------------------------------------------------------------------------------


@rule(aten.mean.dim, aten.sum.dim_IntList)
def _sum(x: TangentTensor, dims: Sequence[int] | None = None, keepdim: bool = False, **kwargs: Any) -> TangentTensor:
    raise NotImplementedError


def _reduction(operation: Any) -> Rule:
    def apply(
        x: TangentTensor, dims: Sequence[int] | None = None, keepdim: bool = False, *, dtype: Any = None
    ) -> TangentTensor:
        ndim = x.value.ndim
        dims = list(range(ndim)) if not dims else dims
        value = operation(x.value, dims, keepdim, dtype=dtype)
        return TangentTensor(
            value, operation(x.tangents, [_positive(dim, ndim) for dim in dims], keepdim, dtype=dtype)
        )

    return apply


RULES[aten.mean.dim] = _reduction(aten.mean.dim)
RULES[aten.sum.dim_IntList] = _reduction(aten.sum.dim_IntList)


@rule(aten._softmax.default, aten._safe_softmax.default)
def _softmax(x: TangentTensor, dim: int, half_to_float: bool = False) -> TangentTensor:
    value = x.value.softmax(dim, dtype=torch.float32 if half_to_float else None)
    weighted = x.tangents.to(value.dtype) * value
    total = weighted.sum(_positive(dim, value.ndim), keepdim=True)
    return TangentTensor(value, weighted.addcmul_(value, total, value=-1))


@rule(aten.native_layer_norm.default)
def _layer_norm(x: TangentTensor, shape: Sequence[int], gain: Any, bias: Any, epsilon: float) -> Any:
    if len(shape) != 1:
        raise NoTangentRule("layer norms over several dimensions have no rule")
    value, mean, inverse = aten.native_layer_norm(x.value, shape, gain, bias, epsilon)
    normed = (x.value - mean) * inverse
    width = shape[0]
    centred = x.tangents - x.tangents.mean(-1, keepdim=True)
    along = (x.tangents * normed).sum(-1, keepdim=True) / width
    slope = inverse if gain is None else inverse * gain
    tangents = centred.addcmul_(normed, along, value=-1).mul_(slope)
    return TangentTensor(value, tangents), mean, inverse


@rule(aten.where.self)
def _where(condition: torch.Tensor, a: Any, b: Any) -> TangentTensor:
    value = torch.where(condition, value_of(a), value_of(b))
    left, right = (0 if t is None else _lifted(t, value.ndim) for t in (tangents_of(a), tangents_of(b)))
    return TangentTensor(value, torch.where(condition, left, right).to(value.dtype))


@rule(aten.masked_fill.Scalar, aten.masked_fill.Tensor)
def _masked_fill(x: TangentTensor, mask: torch.Tensor, fill: Any) -> TangentTensor:
    return TangentTensor(x.value.masked_fill(mask, fill), x.tangents.masked_fill(mask, 0))


# --- operations that only look at a tensor's shape -----------------------------------------------------------------


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
