"""A tensor that carries many tangents: the value is computed once, all directional derivatives in one batch.

`torch.func.jvp` under `vmap` gives the same numbers, but it computes the value once a tangent and turns large matrix
products into many small ones. Here every operation that a model runs is met below autograd, so that any architecture
works as long as its operations have a rule in `tangent_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_iter, tree_map

Rule = Callable[..., Any]
Term = tuple[torch.Tensor | None, torch.Tensor]
"""A factor that all tangents share (any shape that broadcasts; None for 1), and tangents (n, ...)."""

RULES: dict[Any, Rule] = {}


class NoTangentRule(Exception):
    """A model runs an operation whose derivative is not known here; backward passes still work."""


class TangentTensor(torch.Tensor):
    """A value with n tangents, which are kept as a sum of terms: factor x tangents.

    A model's norms and gates multiply tangents by one known vector after another. Factors are multiplied with each
    other first, so that the large tensors, n times the size of the value, are read and written as seldom as possible.
    """

    value: torch.Tensor
    terms: list[Term]
    shares: bool

    @staticmethod
    def __new__(cls, value: torch.Tensor, terms: Sequence[Term], shares: bool = False) -> TangentTensor:
        """Wrap a value with the terms of its tangents; `shares` says that another tensor holds the same numbers."""
        self = torch.Tensor._make_wrapper_subclass(
            cls, value.shape, strides=value.stride(), dtype=value.dtype, device=value.device, requires_grad=False
        )
        self.value, self.terms, self.shares = value, list(terms), shares
        return self

    def __init__(self, value: torch.Tensor, terms: Sequence[Term], shares: bool = False) -> None:
        pass

    @property
    def n_tangents(self) -> int:
        """How many tangents the value has."""
        return len(self.terms[0][1])

    @property
    def tangents(self) -> torch.Tensor:
        """The tangents (n, *shape of the value): the terms added up, once."""
        return self.add_up()

    def add_up(self) -> torch.Tensor:
        """Replace the terms by their sum, and return it."""
        if len(self.terms) > 1 or self.terms[0][0] is not None or self.terms[0][1].shape[1:] != self.value.shape:
            self.terms = [(None, self._added())]
        return self.terms[0][1]

    def _added(self) -> torch.Tensor:
        shape = (self.n_tangents, *self.value.shape)
        terms = sorted(self.terms, key=lambda term: -term[1].numel())  # the first is full wherever one is
        factor, total = terms[0]
        total = lifted(total, self.value.ndim)
        if factor is not None:
            total = total * factor
        is_own = factor is not None
        for factor, base in terms[1:]:
            base = lifted(base, self.value.ndim)
            if is_own and total.shape == shape:
                total = total.add_(base) if factor is None else total.addcmul_(base, factor)
            else:
                total, is_own = total + base if factor is None else torch.addcmul(total, base, factor), True
        return total.expand(shape).to(self.value.dtype)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"TangentTensor({tuple(self.value.shape)}, {self.n_tangents} tangents)"

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Apply an operation's rule; operations without derivative (comparisons, shapes) see the value alone."""
        kwargs = kwargs or {}
        rule = RULES.get(func)
        if rule is not None:
            return rule(*args, **kwargs)
        name = func.overloadpacket.__name__
        if name.endswith("_") and not name.endswith("__"):
            return _in_place(func, args, kwargs)
        out = func(*tree_map(value_of, args), **tree_map(value_of, kwargs))
        if any(isinstance(leaf, torch.Tensor) and not _is_counted(leaf) for leaf in tree_iter(out)):
            raise NoTangentRule(f"{func} has no tangent rule")
        return out


def _is_counted(x: torch.Tensor) -> bool:
    """Whether a tensor holds whole numbers or truth values, which have no derivative."""
    return not (x.is_floating_point() or x.is_complex())


def rule(*operations: Any) -> Callable[[Rule], Rule]:
    """Register a function as the rule of operations."""

    def register(function: Rule) -> Rule:
        for operation in operations:
            RULES[operation] = function
        return function

    return register


def value_of(x: Any) -> Any:
    """Return a tensor's value without its tangents, and anything else as it is."""
    return x.value if isinstance(x, TangentTensor) else x


def with_tangents(value: torch.Tensor, tangents: torch.Tensor) -> TangentTensor:
    """Return a new value with tangents (n, *shape)."""
    return TangentTensor(value, [(None, tangents)])


def view_of(x: TangentTensor, value: torch.Tensor, tangents: torch.Tensor) -> TangentTensor:
    """Return a view of x: neither may be written to from now on, since the other would not follow."""
    x.shares = True
    return TangentTensor(value, [(None, tangents)], shares=True)


def lifted(tangents: torch.Tensor, ndim: int) -> torch.Tensor:
    """Give tangents (n, *shape) ones behind n, so that they broadcast against values of `ndim` dimensions."""
    missing = ndim + 1 - tangents.ndim
    return tangents if missing <= 0 else tangents.reshape(len(tangents), *[1] * missing, *tangents.shape[1:])


def _in_place(func: Any, args: Any, kwargs: Any) -> Any:
    """Run an operation that writes into its first argument by its twin that does not, and take over the result."""
    packet = getattr(torch.ops.aten, func.overloadpacket.__name__[:-1], None)
    twin = getattr(packet, func._overloadname, None)
    target = args[0]
    if twin is None or not isinstance(target, TangentTensor) or target.shares:
        raise NoTangentRule(f"{func} writes tangents into a tensor that has none or shares them")
    result = twin(*args, **kwargs)
    target.value.copy_(result.value)
    target.terms = result.terms
    return target
