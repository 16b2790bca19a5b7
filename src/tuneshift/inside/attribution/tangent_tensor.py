"""A tensor that carries many tangents: the value is computed once, all directional derivatives in one batch.

`torch.func.jvp` under `vmap` gives the same numbers, but it computes the value once a tangent and turns large matrix
products into many small ones. Here every operation that a model runs is met below autograd, so that any architecture
works as long as its operations have a rule in `tangent_rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_iter, tree_map

Rule = Callable[..., Any]
RULES: dict[Any, Rule] = {}


class NoTangentRule(Exception):
    """A model runs an operation whose derivative is not known here; backward passes still work."""


class TangentTensor(torch.Tensor):
    """A value with n tangents: `value` of some shape, `tangents` of shape (n, *shape)."""

    value: torch.Tensor
    tangents: torch.Tensor

    @staticmethod
    def __new__(cls, value: torch.Tensor, tangents: torch.Tensor) -> TangentTensor:
        """Wrap a value with its tangents, which have the tangent's number as their first dimension."""
        self = torch.Tensor._make_wrapper_subclass(
            cls, value.shape, strides=value.stride(), dtype=value.dtype, device=value.device, requires_grad=False
        )
        self.value, self.tangents = value, tangents
        return self

    def __init__(self, value: torch.Tensor, tangents: torch.Tensor) -> None:
        pass

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"TangentTensor({tuple(self.value.shape)}, {len(self.tangents)} tangents)"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Apply an operation's rule; operations without derivative (comparisons, shapes) see the value alone."""
        kwargs = kwargs or {}
        rule = RULES.get(func)
        if rule is not None:
            return rule(*args, **kwargs)
        name = func.overloadpacket.__name__
        if name.endswith("_") and not name.endswith("__"):
            return _in_place(func, args, kwargs)
        out = func(*tree_map(value_of, args), **tree_map(value_of, kwargs))
        if any(isinstance(leaf, torch.Tensor) and leaf.is_floating_point() for leaf in tree_iter(out)):
            raise NoTangentRule(f"{func} has no tangent rule")
        return out


def value_of(x: Any) -> Any:
    """Return a tensor's value without its tangents, and anything else as it is."""
    return x.value if isinstance(x, TangentTensor) else x


def tangents_of(x: Any) -> torch.Tensor | None:
    """Return the tangents of a tensor, None where it has none."""
    return x.tangents if isinstance(x, TangentTensor) else None


def _in_place(func: Any, args: Any, kwargs: Any) -> Any:
    """Run an operation that writes into its first argument by its twin that does not, then copy the result there."""
    packet = getattr(torch.ops.aten, func.overloadpacket.__name__[:-1], None)
    twin = getattr(packet, func._overloadname, None)
    target = args[0]
    if twin is None or not isinstance(target, TangentTensor):
        raise NoTangentRule(f"{func} writes tangents into a tensor that has none")
    result = twin(*args, **kwargs)
    target.value.copy_(value_of(result))
    tangents = tangents_of(result)
    target.tangents.zero_() if tangents is None else target.tangents.copy_(tangents)
    return target
