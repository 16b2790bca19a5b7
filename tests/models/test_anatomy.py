"""Queries and keys taken out of the state dict are those that the model itself computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import transformers as hf
from families import FAMILIES, tiny

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models import anatomy as anatomy_module
from tuneshift.models.anatomy import Anatomy, anatomy_of, register_anatomy

_seen: list[tuple[torch.Tensor, torch.Tensor]] = []


def _spy(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any
) -> tuple[torch.Tensor, None]:
    _seen.append((query, key))
    repeated = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
    return repeated.transpose(1, 2), None  # one token attends to itself only


hf.AttentionInterface.register("spy", _spy)


@contextmanager
def _spied(model: Any) -> Iterator[tuple[list[Any], list[Any]]]:
    """Collect each block's input (n, d) and the queries and keys (n, heads, d_head) of its attention."""
    _seen.clear()
    inputs: list[torch.Tensor] = []
    blocks = model.get_encoder().block if model.config.is_encoder_decoder else _blocks(model)
    hooks = [
        block.register_forward_pre_hook(
            lambda _, args, kwargs: inputs.append((args[0] if args else kwargs["hidden_states"])[:, 0]),
            with_kwargs=True,
        )
        for block in blocks
    ]
    for block in blocks:
        _spy_on_old_style_attention(model, block)
    yield inputs, _seen
    for hook in hooks:
        hook.remove()


def _blocks(model: Any) -> Any:
    body = model.base_model
    body = getattr(body, "decoder", body)
    return body.h if hasattr(body, "h") else body.layers


def _spy_on_old_style_attention(model: Any, block: Any) -> None:
    """BLOOM, Falcon and T5 do not go through the attention interface."""
    kind = model.config.model_type
    if kind in ("bloom", "falcon"):
        attention = block.self_attention
        name = "_reshape" if kind == "bloom" else "_split_heads"
        original = getattr(attention, name)

        def split(fused: torch.Tensor) -> Any:
            query, key, value = original(fused)
            heads_first = kind == "bloom"
            _seen.append((query, key) if heads_first else (query.transpose(1, 2), key.transpose(1, 2)))
            return query, key, value

        setattr(attention, name, split)
    if kind in ("t5", "mt5"):
        attention = block.layer[0].SelfAttention
        found: dict[str, torch.Tensor] = {}

        def keep(which: str, output: torch.Tensor) -> None:
            found[which] = output.view(output.shape[0], -1, attention.n_heads, attention.key_value_proj_dim)
            if which == "k":
                _seen.append((found["q"].transpose(1, 2), found["k"].transpose(1, 2)))

        attention.q.register_forward_hook(lambda *args: keep("q", args[2]))
        attention.k.register_forward_hook(lambda *args: keep("k", args[2]))


def _normalised(anatomy: Anatomy, stream: torch.Tensor, eps: float) -> torch.Tensor:
    """The stream as the norm sees it before gain and bias: centred or not, and divided by its size."""
    centred = stream - stream.mean(-1, keepdim=True) if anatomy.norm_centres else stream
    return centred / (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt()


def _eps(config: Any) -> float:
    for name in ("rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps"):
        if hasattr(config, name):
            return float(getattr(config, name))
    return 1e-5


def _per_head_norm(anatomy: Anatomy, heads: torch.Tensor, name: str | None, read: Any, layer: int) -> torch.Tensor:
    if name is None:
        return heads
    gain = anatomy.gain(read, anatomy.names.block + name, layer)
    return heads / (heads.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt() * gain


@pytest.mark.parametrize("family", FAMILIES)
def test_queries_and_keys_are_those_of_the_model(family: str) -> None:
    old_style = family.split(",")[0] in ("bloom", "falcon", "t5", "mt5")
    model = tiny(family, **({"attn_implementation": "eager"} if old_style else {"attn_implementation": "spy"}))
    anatomy, state = anatomy_of(model.config), model.state_dict()
    read = state.__getitem__
    tokens = torch.arange(10, 18)[:, None]  # eight texts of one token: position 0, where rotation is none
    with torch.no_grad(), _spied(model) as (inputs, seen):
        runner = model.get_encoder() if model.config.is_encoder_decoder else model
        runner(input_ids=tokens)
    assert len(inputs) == len(seen) == anatomy.n_layers
    for layer, (stream, (query, key)) in enumerate(zip(inputs, seen, strict=True)):
        norm, bias = anatomy.names.input_norm, torch.zeros(anatomy.n_units)
        x = stream
        if norm is not None:
            name = (anatomy.names.block + norm).format(i=layer)
            x = _normalised(anatomy, stream, _eps(model.config)) * anatomy.gain(read, name, layer)
            bias = state.get(name.removesuffix("weight") + "bias", bias)
        x = x + bias
        w_q, w_k = anatomy.query_key(read, layer)
        assert w_q.shape == (anatomy.n_heads, anatomy.n_units, anatomy.d_head)
        assert w_k.shape == (anatomy.n_kv_heads, anatomy.n_units, anatomy.d_head)
        own_q, own_k = torch.einsum("nd,hde->nhe", x, w_q), torch.einsum("nd,hde->nhe", x, w_k)
        if (anatomy.names.block + anatomy.names.query).format(i=layer).removesuffix("weight") + "bias" in state:
            b_q, b_k = anatomy.query_key_bias(read, layer)
            own_q, own_k = own_q + b_q, own_k + b_k
        own_q = _per_head_norm(anatomy, own_q, anatomy.names.query_norm, read, layer)
        own_k = _per_head_norm(anatomy, own_k, anatomy.names.key_norm, read, layer)
        if model.config.model_type == "opt":
            own_q = own_q * anatomy.d_head**-0.5  # OPT scales queries before attention
        keys = key[:, :, 0]
        repeats = keys.shape[1] // anatomy.n_kv_heads  # new Falcon has repeated them already
        torch.testing.assert_close(query[:, :, 0], own_q, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(keys, own_k.repeat_interleave(repeats, dim=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_folded_weights_read_the_stream_as_norm_and_weights_do_one_after_the_other(family: str) -> None:
    model = tiny(family)
    anatomy, state = anatomy_of(model.config), model.state_dict()
    read = state.__getitem__
    stream = torch.randn(6, anatomy.n_units)
    for raw, folded, name in zip(
        anatomy.query_key(read, 1),
        anatomy.folded_query_key(read, 1),
        (anatomy.names.query_norm, anatomy.names.key_norm),
        strict=True,
    ):
        x = stream
        if anatomy.names.input_norm is not None:
            x = x - x.mean(-1, keepdim=True) if anatomy.norm_centres else x
            x = x * anatomy.gain(read, anatomy.names.block + anatomy.names.input_norm, 1)
        expected = torch.einsum("nd,hde->nhe", x, raw)
        if name is not None:
            expected = expected * anatomy.gain(read, anatomy.names.block + name, 1)
        torch.testing.assert_close(torch.einsum("nd,hde->nhe", stream, folded), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_down_projection_writes_one_row_a_neuron(family: str) -> None:
    model = tiny(family)
    anatomy, state = anatomy_of(model.config), model.state_dict()
    name = (anatomy.names.block + anatomy.names.down).format(i=1).removesuffix(".weight")
    module = model.get_submodule(name)
    weights = anatomy.down_projection(state.__getitem__, 1)
    neurons = torch.randn(3, weights.shape[0])
    with torch.no_grad():
        expected = module(neurons) - module(torch.zeros_like(neurons))
    if anatomy.names.write_norm is not None:
        expected = expected * (1 + state[f"model.layers.1.{anatomy.names.write_norm}"])
    assert weights.shape[1] == anatomy.n_units
    torch.testing.assert_close(neurons @ weights, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_in_and_out_are_those_of_the_model(family: str) -> None:
    model = tiny(family)
    anatomy, state = anatomy_of(model.config), model.state_dict()
    captured: list[torch.Tensor] = []
    words = anatomy.input_embeddings(state.__getitem__)
    if anatomy.names.embedding_norm or anatomy.names.input_projection:
        module = model.base_model.word_embeddings_layernorm if "bloom" in family else model.model.decoder.project_in
        module.register_forward_hook(lambda *args: captured.append(args[2]))
        with torch.no_grad():
            model(input_ids=torch.arange(64)[None])
        expected = captured[0][0]
    else:
        expected = model.get_input_embeddings().weight
    torch.testing.assert_close(words, expected.detach(), rtol=1e-4, atol=1e-5)
    written = anatomy.output_embeddings(state.__getitem__)
    assert written.shape == (64, anatomy.n_units)
    head = model.get_output_embeddings().weight.detach()
    stream = torch.randn(2, anatomy.n_units)
    narrow = stream @ state["model.decoder.project_out.weight"].T if anatomy.names.output_projection else stream
    torch.testing.assert_close(stream @ written.T, narrow @ head.T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("family", "rotated"), [("llama", 8), ("phi", 4), ("gpt_neox", 2), ("falcon, new, two norms", 8), ("gpt2", 0)]
)
def test_how_much_of_a_head_is_rotated(family: str, rotated: int) -> None:
    build, settings = FAMILIES[family]
    assert anatomy_of(build(**settings)).rotary_dims == rotated


def test_grouped_queries_know_their_key_head(fable_2m: LanguageModel) -> None:
    anatomy = fable_2m.anatomy
    assert (anatomy.n_heads, anatomy.n_kv_heads, anatomy.queries_per_key, anatomy.d_head) == (4, 2, 2, 32)
    assert (anatomy.n_layers, anatomy.n_units, anatomy.tied) == (4, 128, True)


def test_an_unknown_architecture_says_what_to_add_and_where_and_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anatomy_module, "_FAMILIES", dict(anatomy_module._FAMILIES))
    config = hf.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2)
    with pytest.raises(BadInput, match=r"'mamba' is not known.*register_anatomy.*tuneshift.architectures"):
        anatomy_of(config)

    class OwnConfig(hf.LlamaConfig):
        model_type = "own_llama"

    with pytest.raises(BadInput, match="own_llama"):
        anatomy_of(OwnConfig())
    register_anatomy("own_llama", lambda config: anatomy_of(hf.LlamaConfig(num_hidden_layers=config.num_hidden_layers)))
    assert anatomy_of(OwnConfig(num_hidden_layers=3)).n_layers == 3
