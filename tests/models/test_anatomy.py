"""Queries, keys, what neurons write and embeddings taken out of the state dict are those that the model computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers as hf
from anatomy_spy import OLD_STYLE, spied, spied_implementation
from families import FAMILIES, tiny

from tuneshift.errors import BadInput
from tuneshift.models import LanguageModel
from tuneshift.models.anatomy import Anatomy, anatomy_of, known, register_anatomy

TOKENS = torch.arange(10, 18)[:, None]  # eight texts of one token: position 0, where rotation is none
_NORMED_AS_A_WHOLE = ("olmo2", "olmo3", "olmoe")


def _run(model: Any, tokens: torch.Tensor = TOKENS) -> Any:
    with torch.no_grad():
        return (model.get_encoder() if model.config.is_encoder_decoder else model)(input_ids=tokens)


def _normalised(stream: torch.Tensor, centres: bool, eps: float) -> torch.Tensor:
    """The stream as a norm sees it before gain and bias: centred or not, and divided by its size."""
    centred = stream - stream.mean(-1, keepdim=True) if centres else stream
    return centred / (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt()


def _eps(config: Any) -> float:
    for name in ("rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps", "norm_epsilon"):
        if hasattr(config, name):
            return float(getattr(config, name))
    return 1e-5


def _normed_heads(anatomy: Anatomy, heads: torch.Tensor, name: str | None, read: Any, layer: int) -> torch.Tensor:
    """Queries or keys (n, heads, d_head) behind their norm, if there is one."""
    if name is None:
        return heads
    gain = anatomy.head_gain(read, name, layer, heads.shape[1])
    if anatomy.model_type in _NORMED_AS_A_WHOLE:
        return _normalised(heads.flatten(1), False, 1e-5).view_as(heads) * gain
    return _normalised(heads, anatomy.head_norm_centres, 1e-5) * gain


@pytest.mark.parametrize("family", FAMILIES)
def test_queries_and_keys_are_those_of_the_model(family: str) -> None:
    model = tiny(family, **spied_implementation(family))
    anatomy, state = anatomy_of(model.config), model.state_dict()
    read = state.__getitem__
    with spied(model) as seen:
        _run(model)
    assert len(seen.inputs) == len(seen.heads) == anatomy.n_layers
    for layer, (stream, (query, key)) in enumerate(zip(seen.inputs, seen.heads, strict=True)):
        norm, bias = anatomy.names.input_norm, torch.zeros(anatomy.n_units)
        x = stream
        if norm is not None or anatomy.norm_without_gain:
            x = _normalised(stream, anatomy.norm_centres, _eps(model.config))
        if norm is not None:
            name = (anatomy.names.block + norm).format(i=layer)
            x = x * anatomy.gain(read, name, layer)
            bias = state.get(name.removesuffix("weight") + "bias", bias)
        x = x + bias
        w_q, w_k = anatomy.query_key(read, layer)
        assert w_q.shape == (anatomy.n_heads, anatomy.n_units, anatomy.d_head)
        assert w_k.shape == (anatomy.n_kv_heads, anatomy.n_units, anatomy.d_head)
        own_q, own_k = torch.einsum("nd,hde->nhe", x, w_q), torch.einsum("nd,hde->nhe", x, w_k)
        if (anatomy.names.block + anatomy.names.query).format(i=layer).removesuffix("weight") + "bias" in state:
            b_q, b_k = anatomy.query_key_bias(read, layer)
            own_q, own_k = own_q + b_q, own_k + b_k
        own_q = _normed_heads(anatomy, own_q, anatomy.names.query_norm, read, layer)
        own_k = _normed_heads(anatomy, own_k, anatomy.names.key_norm, read, layer)
        if model.config.model_type == "opt":
            own_q = own_q * anatomy.d_head**-0.5  # OPT scales queries before attention
        keys = key[:, :, 0]
        repeats = keys.shape[1] // anatomy.n_kv_heads  # new Falcon has repeated them already
        torch.testing.assert_close(query[:, :, 0], own_q, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(keys, own_k.repeat_interleave(repeats, dim=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.split(",")[0] not in (*OLD_STYLE, "opt")])
def test_scores_are_scaled_as_in_the_model(family: str) -> None:
    model = tiny(family, **spied_implementation(family))
    anatomy = anatomy_of(model.config)
    with spied(model) as seen:
        _run(model)
    assert seen.scales == pytest.approx([anatomy.score_scale or anatomy.d_head**-0.5] * anatomy.n_layers)


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
        if anatomy.norm_centres and (anatomy.names.input_norm or anatomy.norm_without_gain):
            x = x - x.mean(-1, keepdim=True)
        if anatomy.names.input_norm is not None:
            x = x * anatomy.gain(read, anatomy.names.block + anatomy.names.input_norm, 1)
        expected = torch.einsum("nd,hde->nhe", x, raw)
        if name is not None:
            if anatomy.head_norm_centres:
                expected = expected - expected.mean(-1, keepdim=True)
            expected = expected * anatomy.head_gain(read, name, 1, len(raw))
        torch.testing.assert_close(torch.einsum("nd,hde->nhe", stream, folded), expected, rtol=1e-4, atol=1e-5)


def _neurons(model: Any, anatomy: Anatomy, layer: int) -> tuple[list[torch.Tensor], list[Any], list[Any]]:
    """Hooks that collect how strongly each neuron of a block speaks (n, n_neurons), those hooks, and what they hear.

    Of a mixture of experts, a neuron speaks as strongly as it is active and its expert is heard.
    """
    spoken: list[torch.Tensor] = []
    block = f"{anatomy.names.block}".format(i=layer)
    if anatomy.names.experts is None or layer in anatomy.dense_blocks:
        down = model.get_submodule((block + anatomy.names.down).removesuffix(".weight"))
        hook = down.register_forward_pre_hook(lambda _, inputs: spoken.append(inputs[0].reshape(len(TOKENS), -1)))
        return spoken, [hook], [down.weight]
    experts = model.get_submodule((block + anatomy.names.experts).removesuffix(".down_proj"))

    def hear(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        x, chosen, share = inputs
        shares = torch.zeros(len(x), experts.num_experts).scatter_(1, chosen, share)
        active = []
        for number in range(experts.num_experts):
            if anatomy.experts_inputs_first:
                gate_up = x @ experts.gate_up_proj[number] + experts.gate_up_proj_bias[number]
                active.append(experts._apply_gate(gate_up))
            else:
                gate, up = (x @ experts.gate_up_proj[number].T).chunk(2, dim=-1)
                active.append(experts.act_fn(gate) * up)
        spoken.append(torch.cat([one * shares[:, [number]] for number, one in enumerate(active)], dim=1))

    hooks, heard = [experts.register_forward_pre_hook(hear)], [experts.down_proj]
    if anatomy.names.shared_expert is not None:
        part = model.get_submodule(f"{block}mlp")
        down = part.shared_expert.down_proj
        weight: list[torch.Tensor] = []
        hooks.append(
            part.register_forward_pre_hook(lambda _, inputs: weight.append(part.shared_expert_gate(inputs[0])))
        )
        hooks.append(
            down.register_forward_pre_hook(
                lambda _, inputs: spoken.append(weight[0].view(-1, 1).sigmoid() * inputs[0].view(len(TOKENS), -1))
            )
        )
        heard.append(down.weight)
    return spoken, hooks, heard


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "opt, narrow embeddings"])
def test_what_neurons_write_into_the_stream_is_the_down_projection(family: str) -> None:
    """The block's output with the down projection, less its output without: what the neurons wrote."""
    model = tiny(family)
    anatomy, layer = anatomy_of(model.config), 1
    weights = anatomy.down_projection(model.state_dict().__getitem__, layer).clone()
    raw = weights
    if anatomy.names.write_norm is not None:
        raw = weights / anatomy.gain(
            model.state_dict().__getitem__, anatomy.names.block + anatomy.names.write_norm, layer
        )
    spoken, hooks, downs = _neurons(model, anatomy, layer)
    with torch.no_grad(), spied(model) as seen:
        _run(model)
        for hook in hooks:
            hook.remove()
        for down in downs:
            down.zero_()
        _run(model)
        written = seen.outputs[layer] - seen.outputs[anatomy.n_layers + layer]
        if anatomy.names.shared_expert is not None and layer not in anatomy.dense_blocks:
            spoken = sorted(spoken, key=lambda part: part.shape[1] != weights.shape[0] - 40)  # the shared one last
        active = torch.cat(spoken, dim=1)
        assert weights.shape == (active.shape[1], anatomy.n_units)
        expected = active @ weights
        if anatomy.names.write_norm is not None:  # the norm divides by the size of all that was written
            expected = expected / ((active @ raw).pow(2).mean(-1, keepdim=True) + _eps(model.config)).sqrt()
    torch.testing.assert_close(written, expected, rtol=1e-3, atol=1e-3)


def test_what_neurons_write_before_a_norm_of_the_whole_stream_is_the_down_projection() -> None:
    """OPT-350m norms the stream behind each part, so that nothing adds up over blocks."""
    model = tiny("opt, narrow embeddings")
    module, weights = model.model.decoder.layers[1].fc2, anatomy_of(model.config).down_projection
    active = torch.randn(3, 48)
    expected = module(active) - module(torch.zeros_like(active))
    torch.testing.assert_close(active @ weights(model.state_dict().__getitem__, 1), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_input_embeddings_are_what_a_token_puts_into_the_stream(family: str) -> None:
    model = tiny(family)
    words = anatomy_of(model.config).input_embeddings(model.state_dict().__getitem__)
    body = model.base_model
    body = getattr(body, "decoder", body) if not model.config.is_encoder_decoder else body
    position: Any = 0.0
    if model.config.model_type == "opt":
        position = body.embed_positions.weight[2]
    elif hasattr(body, "wpe"):
        position = body.wpe.weight[0]
    with spied(model) as seen:
        _run(model)
    torch.testing.assert_close(words[TOKENS[:, 0]], (seen.inputs[0] - position).detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", [family for family in FAMILIES if "t5" not in family])
def test_output_embeddings_turn_the_last_state_into_logits(family: str) -> None:
    model = tiny(family)
    written = anatomy_of(model.config).output_embeddings(model.state_dict().__getitem__)
    states: list[torch.Tensor] = []
    projection = getattr(getattr(model.base_model, "decoder", None), "project_out", None)
    last = projection if projection is not None else model.get_output_embeddings()
    last.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0][:, -1]))
    logits = _run(model).logits[:, -1]
    bias = getattr(model.get_output_embeddings(), "bias", None)
    torch.testing.assert_close(
        logits, (states[0] @ written.T + (0 if bias is None else bias)).detach(), rtol=1e-4, atol=1e-4
    )


def test_encoders_of_t5_have_output_embeddings_of_the_right_size() -> None:
    model = tiny("t5")
    assert anatomy_of(model.config).output_embeddings(model.state_dict().__getitem__).shape == (64, 32)


@pytest.mark.parametrize(
    ("family", "rotated", "neighbours"),
    [
        ("llama", (8, 8), False),
        ("phi", (4, 4), False),
        ("gpt_neox", (2, 2), False),
        ("qwen3", (16, 16), False),
        ("smollm3", (8, 0), False),
        ("exaone4", (8, 0), False),
        ("cohere2", (8, 0), True),
        ("glm", (4, 4), True),
        ("gptj", (4, 4), True),
        ("olmo3", (8, 8), False),
    ],
)
def test_what_of_a_head_is_rotated(family: str, rotated: tuple[int, int], neighbours: bool) -> None:
    """Which dimensions a token's place changes where all tokens are alike and see themselves only."""
    model = tiny(family, **spied_implementation(family))
    anatomy = anatomy_of(model.config)
    assert tuple(anatomy.rotated(layer) for layer in range(2)) == rotated
    assert anatomy.rotary_neighbours == neighbours or not any(rotated)
    with spied(model) as seen:
        _run(model, torch.tensor([[11, 11, 11]]))
    for layer, (query, _) in enumerate(seen.heads):
        first, later = query[0, :, 0], query[0, :, 2]
        same = (first - later).abs().amax(0) < 1e-6
        assert int((~same).sum()) == rotated[layer]
        for j in range(rotated[layer] // 2):  # what turns together keeps its length
            plane = [2 * j, 2 * j + 1] if neighbours else [j, j + rotated[layer] // 2]
            torch.testing.assert_close(first[:, plane].norm(dim=-1), later[:, plane].norm(dim=-1), rtol=1e-4, atol=1e-5)


def test_grouped_queries_know_their_key_head(fable_2m: LanguageModel) -> None:
    anatomy = fable_2m.anatomy
    assert (anatomy.n_heads, anatomy.n_kv_heads, anatomy.queries_per_key, anatomy.d_head) == (4, 2, 2, 32)
    assert (anatomy.n_layers, anatomy.n_units, anatomy.tied) == (4, 128, True)


def test_an_unknown_architecture_says_what_to_add_and_where_and_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_FAMILIES", dict(known._FAMILIES))
    config = hf.NemotronConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2)
    with pytest.raises(BadInput, match=r"'nemotron' is not known.*register_anatomy.*tuneshift.architectures"):
        anatomy_of(config)

    class OwnConfig(hf.LlamaConfig):
        model_type = "own_llama"

    with pytest.raises(BadInput, match="own_llama"):
        anatomy_of(OwnConfig())
    register_anatomy("own_llama", lambda config: anatomy_of(hf.LlamaConfig(num_hidden_layers=config.num_hidden_layers)))
    assert anatomy_of(OwnConfig(num_hidden_layers=3)).n_layers == 3


@pytest.mark.parametrize(
    ("config", "why"),
    [(hf.MambaConfig, "is recurrent"), (hf.RwkvConfig, "is recurrent"), (hf.JambaConfig, "attention in some of its")],
)
def test_architectures_without_attention_everywhere_say_so(config: Any, why: str) -> None:
    with pytest.raises(BadInput, match=f"{why}.*hidden states, surprisal and attribution can be measured"):
        anatomy_of(config())
