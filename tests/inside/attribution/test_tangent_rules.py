"""Every operation's tangents are those of torch's own forward mode, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as nnf
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import jvp

import tuneshift.inside.attribution.tangent_rules  # noqa: F401  (registers the rules)
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule, TangentTensor, with_tangents

_WEIGHT = torch.linspace(-1, 1, 20, dtype=torch.float64).reshape(4, 5)
_GAIN, _BIAS = torch.linspace(0.5, 2, 4, dtype=torch.float64), torch.linspace(-1, 1, 4, dtype=torch.float64)
_MASK = torch.tensor([True, False, True, True])
_ROWS = torch.tensor([2, 0, 2])

OPERATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {  # of a tensor (2, 3, 4)
    "linear layer": lambda x: nnf.linear(x, _WEIGHT.T, torch.ones(5, dtype=x.dtype)),
    "linear layer without bias": lambda x: nnf.linear(x, _WEIGHT.T),
    "matrix from the left": lambda x: _WEIGHT.T @ x.transpose(1, 2),
    "product with itself": lambda x: x @ x.transpose(1, 2),
    "three factors": lambda x: (x @ x.mT) @ x,
    "bias, product": lambda x: torch.baddbmm(x[..., :3], x, x.mT, beta=0.5, alpha=2),
    "einsum": lambda x: torch.einsum("bij,bkj->bik", x, x),
    "sum and difference": lambda x: 2 + x + x * 3 - x / 4 - (5 - x),
    "broadcast sum": lambda x: x + x.mean(-1, keepdim=True) + x[0, 0],
    "broadcast product": lambda x: x * x.sum(-1, keepdim=True) * x[:1],
    "quotient": lambda x: x / (2 + x.abs()) + 1 / (3 + x * x),
    "gated": lambda x: nnf.silu(x) * (x + 1),
    "gelu": lambda x: nnf.gelu(x) + nnf.gelu(x, approximate="tanh"),
    "single numbers": lambda x: x.tanh() + x.sigmoid() + x.relu() + x.exp() + (2 + x.abs()).log() - x.neg(),
    "roots and powers": lambda x: (2 + x.abs()).sqrt() * (2 + x.abs()).rsqrt() + x.pow(3) + (3 + x * x).reciprocal(),
    "waves": lambda x: x.sin() * x.cos(),
    "clamped": lambda x: x.clamp(-0.5, 0.5) + x.clamp(min=0.1),
    "softmax": lambda x: (x * 2).softmax(-1) + x.softmax(1),
    "layer norm": lambda x: nnf.layer_norm(x, (4,), _GAIN, _BIAS) + nnf.layer_norm(x, (4,)),
    "root mean square norm": lambda x: _GAIN * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)),
    "sums": lambda x: x.sum(1, keepdim=True) + x.mean() + x.sum() + (x * _GAIN).sum(-1)[..., None],
    "sums over several dimensions": lambda x: x.sum((0, 2)).reshape(1, 3, 1) * x.mean((1, 2), keepdim=True),
    "half turn": lambda x: torch.cat([-x[..., 2:], x[..., :2]], -1),
    "split and stacked": lambda x: torch.stack([*x.split(2, -1), x.chunk(2, -1)[0]], 1),
    "split in unequal parts": lambda x: torch.cat([part * 2 for part in x.split([1, 3], -1)], -1),
    "unbound": lambda x: x.unbind(1)[1] * x.unbind(0)[0][:2],
    "joined with a constant": lambda x: torch.cat([torch.ones(2, 1, 4, dtype=x.dtype), x], 1),
    "turned": lambda x: x.permute(2, 0, 1).transpose(-1, 0).contiguous().view(3, -1).t().unsqueeze(-2).squeeze(1),
    "repeated": lambda x: x[:, :, None].expand(2, 3, 5, 4).reshape(2, 15, 4) * 2,
    "chosen": lambda x: x.index_select(1, _ROWS) + x[:, _ROWS] * x[:, 1:2],
    "gathered": lambda x: x.gather(1, _ROWS[None, :, None].expand(2, 3, 4)),
    "masked": lambda x: x.masked_fill(_MASK, 7.0) + torch.where(_MASK, x, 2 * x) + torch.where(_MASK, 1.0, x),
    "running sum": lambda x: x.cumsum(1),
    "copied": lambda x: x.clone() * x,
    "written to": lambda x: (x * 2).add_(x).mul_(x).clamp_(max=1),
}
_SAME_SHAPE = (
    "gated",
    "softmax",
    "layer norm",
    "half turn",
    "root mean square norm",
    "three factors",
    "written to",
    "broadcast product",
)


def bundled(function: Callable[[Any], Any], value: torch.Tensor, tangents: torch.Tensor) -> TangentTensor:
    with torch.no_grad():
        return function(with_tangents(value, tangents))


@pytest.mark.parametrize("name", OPERATIONS)
def test_tangents_are_those_of_forward_mode(name: str) -> None:
    function = OPERATIONS[name]
    value, tangents = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(5, 2, 3, 4, dtype=torch.float64)
    found = bundled(function, value.clone(), tangents.clone())
    for number, tangent in enumerate(tangents):
        expected, along = jvp(function, (value.clone(),), (tangent.clone(),))
        torch.testing.assert_close(found.value, expected)
        torch.testing.assert_close(found.tangents[number], along)


@settings(max_examples=30, deadline=None)
@given(names=st.lists(st.sampled_from(_SAME_SHAPE), min_size=2, max_size=5), seed=st.integers(0, 1000))
def test_operations_in_any_order_keep_the_tangents_right(names: list[str], seed: int) -> None:
    def chain(x: torch.Tensor) -> torch.Tensor:
        for name in names:
            x = 0.5 * x + OPERATIONS[name](x) / (1 + OPERATIONS[name](x).abs())
        return x

    torch.manual_seed(seed)
    value, tangents = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(3, 2, 3, 4, dtype=torch.float64)
    found = bundled(chain, value, tangents)
    for number, tangent in enumerate(tangents):
        expected, along = jvp(chain, (value,), (tangent,))
        torch.testing.assert_close(found.value, expected)
        torch.testing.assert_close(found.tangents[number], along, rtol=1e-6, atol=1e-8)


def test_whole_numbers_and_truth_values_have_no_tangents() -> None:
    value, tangents = torch.randn(2, 3), torch.randn(4, 2, 3)
    x = with_tangents(value, tangents)
    with torch.no_grad():
        assert not isinstance(x > 0, TangentTensor)
        assert not isinstance(x.argmax(-1), TangentTensor)
        assert not isinstance(x.to(torch.int64), TangentTensor)
        assert not isinstance(torch.zeros_like(x), TangentTensor)


def test_operations_without_a_rule_say_so() -> None:
    x = with_tangents(torch.randn(2, 3), torch.randn(4, 2, 3))
    with torch.no_grad(), pytest.raises(NoTangentRule, match="erfinv"):
        torch.erfinv(x)


def test_writing_tangents_into_a_tensor_that_has_none_is_refused() -> None:
    x = with_tangents(torch.randn(3), torch.randn(2, 3))
    with torch.no_grad(), pytest.raises(NoTangentRule, match="none or shares"):
        torch.zeros(3).add_(x)
