"""What a model computes inside: each block's input and output, and the queries and keys of its attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import transformers as hf

OLD_STYLE = ("bloom", "falcon", "gpt_neo", "mpt", "mt5", "t5")
"""Architectures that do not go through the attention interface of transformers."""


@dataclass
class Seen:
    """Of each block: its input and output (n, d) at the first token, queries and keys (n, heads, 1, d_head)."""

    inputs: list[torch.Tensor] = field(default_factory=list)
    outputs: list[torch.Tensor] = field(default_factory=list)
    heads: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    scales: list[float | None] = field(default_factory=list)


_seen = Seen()


def _spy(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **options: Any
) -> tuple[torch.Tensor, None]:
    _seen.heads.append((query, key))
    _seen.scales.append(options.get("scaling"))
    repeated = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
    return repeated.transpose(1, 2), None  # one token attends to itself only


hf.AttentionInterface.register("spy", _spy)


def spied_implementation(family: str) -> dict[str, str]:
    return {"attn_implementation": "eager" if family.split(",")[0] in OLD_STYLE else "spy"}


def blocks_of(model: Any) -> Any:
    if model.config.is_encoder_decoder:
        return model.get_encoder().block
    body = model.base_model
    body = getattr(body, "decoder", body)
    return next(getattr(body, name) for name in ("h", "blocks", "layers") if hasattr(body, name))


@contextmanager
def spied(model: Any) -> Iterator[Seen]:
    """Collect what the model computes while inside."""
    _seen.__init__()  # type: ignore[misc]
    blocks, hooks = blocks_of(model), []
    for block in blocks:
        hooks.append(
            block.register_forward_pre_hook(
                lambda _, args, kwargs: _seen.inputs.append((args[0] if args else kwargs["hidden_states"])[:, 0]),
                with_kwargs=True,
            )
        )
        hooks.append(
            block.register_forward_hook(
                lambda _, args, output: _seen.outputs.append((output[0] if type(output) is tuple else output)[:, 0])
            )
        )
        _spy_on_old_style_attention(model, block)
    with pytest.MonkeyPatch.context() as patch:
        if model.config.model_type in ("gpt_neo", "mpt"):
            _spy_on_products(patch)
        yield _seen
    for hook in hooks:
        hook.remove()


def _spy_on_products(patch: pytest.MonkeyPatch) -> None:
    """GPT-Neo and MPT multiply queries with keys turned over; the next product of a block is with values."""
    original, count = torch.matmul, [0]

    def matmul(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        if first.ndim == 4:
            if count[0] % 2 == 0:
                _seen.heads.append((first, second.transpose(2, 3)))
            count[0] += 1
        return original(first, second)

    patch.setattr(torch, "matmul", matmul)


def _spy_on_old_style_attention(model: Any, block: Any) -> None:
    kind = model.config.model_type
    if kind in ("bloom", "falcon"):
        attention = block.self_attention
        name = "_reshape" if kind == "bloom" else "_split_heads"
        original = getattr(attention, name)

        def split(fused: torch.Tensor) -> Any:
            query, key, value = original(fused)
            heads_first = kind == "bloom"
            _seen.heads.append((query, key) if heads_first else (query.transpose(1, 2), key.transpose(1, 2)))
            return query, key, value

        setattr(attention, name, split)
    if kind in ("t5", "mt5"):
        attention = block.layer[0].SelfAttention
        found: dict[str, torch.Tensor] = {}

        def keep(which: str, output: torch.Tensor) -> None:
            found[which] = output.view(output.shape[0], -1, attention.n_heads, attention.key_value_proj_dim)
            if which == "k":
                _seen.heads.append((found["q"].transpose(1, 2), found["k"].transpose(1, 2)))

        attention.q.register_forward_hook(lambda *args: keep("q", args[2]))
        attention.k.register_forward_hook(lambda *args: keep("k", args[2]))
