"""How tangents pass through sums, products, functions of single numbers, norms and softmax: one rule an operation.

Rules of products and functions add terms, factor x tangents, and leave it to `TangentTensor` to multiply them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tuneshift.inside.attribution.tangent_moves import behind_tangents
from tuneshift.inside.attribution.tangent_tensor import (
    RULES,
    NoTangentRule,
    Rule,
    TangentTensor,
    Term,
    lifted,
    rule,
    value_of,
    with_tangents,
)

aten: Any = torch.ops.aten


def _times(x: Any, factor: Any) -> list[Term]:
    """Return the terms of x, each multiplied by a factor that all tangents share."""
    if not isinstance(x, TangentTensor):
        return []
    if sum(base[0].numel() == x.value.numel() for _, base in x.terms) > 1:
        x.add_up()
    ndim = max(x.value.ndim, factor.ndim if isinstance(factor, torch.Tensor) else 0)
    return [(factor if old is None else old * factor, lifted(base, ndim)) for old, base in x.terms]


def _summed(value: torch.Tensor, terms: list[Term]) -> TangentTensor:
    """Make a tensor of a value and terms; terms that hold the same tangents become one."""
    merged: dict[int, Term] = {}
    for factor, base in terms:
        known = merged.get(id(base))
        if known is not None:
            one = torch.ones((), dtype=value.dtype, device=value.device)
            factor = (one if known[0] is None else known[0]) + (one if factor is None else factor)
        merged[id(base)] = (factor, base)
    return TangentTensor(value, list(merged.values()))


@rule(aten.add.Tensor)
def _add(a: Any, b: Any, *, alpha: Any = 1) -> TangentTensor:
    value = torch.add(value_of(a), value_of(b), alpha=alpha)
    left = list(a.terms) if isinstance(a, TangentTensor) else []
    right = [] if not isinstance(b, TangentTensor) else b.terms if alpha == 1 else _scaled(b, alpha)
    return _summed(value, [(factor, lifted(base, value.ndim)) for factor, base in (*left, *right)])


@rule(aten.add.Scalar)
def _add_scalar(a: TangentTensor, b: Any, alpha: Any = 1) -> TangentTensor:
    return _add(a, b, alpha=alpha)


def _scaled(x: TangentTensor, scale: float) -> list[Term]:
    return _times(x, x.value.new_tensor(scale))


@rule(aten.sub.Tensor)
def _sub(a: Any, b: Any, *, alpha: Any = 1) -> TangentTensor:
    return _add(a, b, alpha=-alpha)


@rule(aten.rsub.Scalar, aten.rsub.Tensor)
def _rsub(a: Any, b: Any, alpha: Any = 1) -> TangentTensor:
    if isinstance(b, torch.Tensor):
        return _sub(b, a, alpha=alpha)
    return TangentTensor(b - alpha * a.value, _scaled(a, -alpha))


@rule(aten.mul.Tensor, aten.mul.Scalar)
def _mul(a: Any, b: Any) -> TangentTensor:
    x, y = value_of(a), value_of(b)
    if not isinstance(y, torch.Tensor):
        y = x.new_tensor(y)
    return _summed(x * y, [*_times(a, y), *_times(b, x)])


@rule(aten.div.Tensor, aten.div.Scalar)
def _div(a: Any, b: Any) -> TangentTensor:
    x, y = value_of(a), value_of(b)
    value = x / y
    if not isinstance(y, torch.Tensor):
        y = x.new_tensor(y)
    return _summed(value, [*_times(a, 1 / y), *_times(b, -value / y)])


@rule(aten.mm.default, aten.bmm.default)
def _matrix_product(a: Any, b: Any) -> TangentTensor:
    x, y = value_of(a), value_of(b)
    if not isinstance(b, TangentTensor):
        return with_tangents(x @ y, a.tangents @ y)
    tangents = x @ b.tangents
    if not isinstance(a, TangentTensor):
        return with_tangents(x @ y, tangents)
    flat = tangents.view(-1, *tangents.shape[-2:])
    others = y.expand(a.n_tangents, *y.shape).reshape(-1, *y.shape[-2:])
    flat.baddbmm_(a.tangents.reshape(-1, *x.shape[-2:]), others)
    return with_tangents(x @ y, tangents)


@rule(aten.addmm.default, aten.baddbmm.default)
def _addmm(bias: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> TangentTensor:
    product: Any = _matrix_product(a, b) if isinstance(a, TangentTensor) or isinstance(b, TangentTensor) else a @ b
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product
    return _add(product, bias if beta == 1 else bias * beta)


# --- functions of one number -------------------------------------------------------------------------------------


def _elementwise(operation: Any, slope: Callable[..., torch.Tensor]) -> None:
    """Register an operation on single numbers by its slope(x, y, *arguments), y being its result."""

    def apply(x: TangentTensor, *rest: Any, **kwargs: Any) -> TangentTensor:
        value = operation(x.value, *rest, **kwargs)
        return TangentTensor(value, _times(x, slope(x.value, value, *rest, **kwargs)))

    RULES[operation] = apply


def _one(x: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(x)


def _clamp_slope(x: torch.Tensor, y: torch.Tensor, low: Any = None, high: Any = None) -> torch.Tensor:
    return (x == y).to(x.dtype)


_elementwise(aten.silu.default, lambda x, y: aten.silu_backward(_one(x), x))
_elementwise(
    aten.gelu.default, lambda x, y, approximate="none": aten.gelu_backward(_one(x), x, approximate=approximate)
)
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
_elementwise(aten.clamp.Tensor, _clamp_slope)
_elementwise(aten.clamp_min.default, _clamp_slope)


# --- functions of rows -------------------------------------------------------------------------------------------


def _reduction(operation: Any) -> Rule:
    def apply(
        x: TangentTensor, dims: Sequence[int] | None = None, keepdim: bool = False, *, dtype: Any = None
    ) -> TangentTensor:
        ndim = x.value.ndim
        dims = [dim % ndim for dim in dims] if dims else list(range(ndim))
        value = operation(x.value, dims, keepdim, dtype=dtype)
        if dims == [ndim - 1] and len(x.terms) == 1 and x.terms[0][0] is not None:
            tangents = _dot(*x.terms[0], x.value.shape)
            if operation is aten.mean.dim:
                tangents = tangents / x.value.shape[-1]
            return with_tangents(value, tangents.unsqueeze(-1) if keepdim else tangents)
        return with_tangents(
            value, operation(x.tangents, [behind_tangents(dim, ndim) for dim in dims], keepdim, dtype=dtype)
        )

    return apply


def _dot(factor: Any, base: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Return the sum over the last dimension of factor x tangents (n, ...), without writing down the products."""
    factor = factor.expand(shape)
    base = lifted(base, len(shape)).expand(len(base), *shape)
    return torch.einsum("n...d,...d->n...", base, factor)


RULES[aten.mean.dim] = _reduction(aten.mean.dim)
RULES[aten.sum.dim_IntList] = _reduction(aten.sum.dim_IntList)
RULES[aten.mean.default] = _reduction(aten.mean.dim)
RULES[aten.sum.default] = _reduction(aten.sum.dim_IntList)


@rule(aten._softmax.default, aten._safe_softmax.default)
def _softmax(x: TangentTensor, dim: int, half_to_float: bool = False) -> TangentTensor:
    value = x.value.softmax(dim, dtype=torch.float32 if half_to_float else None)
    weighted = TangentTensor(value, _times(x, value)).tangents
    total = weighted.sum(behind_tangents(dim, value.ndim), keepdim=True)
    return with_tangents(value, weighted.addcmul_(value, total, value=-1))


@rule(aten.native_layer_norm.default)
def _layer_norm(x: TangentTensor, shape: Sequence[int], gain: Any, bias: Any, epsilon: float) -> Any:
    if len(shape) != 1:
        raise NoTangentRule("layer norms over several dimensions have no rule")
    value, mean, inverse = aten.native_layer_norm(x.value, shape, gain, bias, epsilon)
    normed = (x.value - mean) * inverse
    slope = inverse if gain is None else inverse * gain
    average = x.tangents.mean(-1, keepdim=True)
    along = _dot(normed / shape[0], x.tangents, normed.shape).unsqueeze(-1)
    return TangentTensor(value, [(slope, x.tangents), (-slope, average), (-slope * normed, along)]), mean, inverse


@rule(aten.where.self)
def _where(condition: torch.Tensor, a: Any, b: Any) -> TangentTensor:
    value = torch.where(condition, value_of(a), value_of(b))
    keep = condition.to(value.dtype)
    return _summed(value, [*_times(a, keep), *_times(b, 1 - keep)])


@rule(aten.masked_fill.Scalar, aten.masked_fill.Tensor)
def _masked_fill(x: TangentTensor, mask: torch.Tensor, fill: Any) -> TangentTensor:
    return TangentTensor(x.value.masked_fill(mask, fill), _times(x, (~mask).to(x.value.dtype)))
