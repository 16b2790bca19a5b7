"""The whole comparison of a pair, on architectures with other norms, layouts and stacks than Llama's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import changed, families, language_model

from tuneshift.errors import BadInput
from tuneshift.inside import compare_internals, head_patterns
from tuneshift.models import LanguageModel
from tuneshift.models.anatomy import anatomy_of

TEXTS = [["A tree fell,", "and nobody heard"], ["Rain came.", "The road was wet;", "we walked"], ["So it ended!"]] * 4


def _model(family: str, tokenizer: Any) -> LanguageModel:
    module = families()
    build, settings = module.FAMILIES[family]
    vocabulary = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}
    longer = {name: 256 for name in ("n_positions", "max_position_embeddings") if name in settings}
    module.FAMILIES[family] = (build, settings | vocabulary | longer)
    return language_model(module.tiny(family).requires_grad_(False), tokenizer, family)


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox", "gemma2", "opt", "phi", "bloom", "qwen3", "t5"])
def test_a_pair_of_any_architecture_is_compared_whole(family: str, fable_2m: LanguageModel) -> None:
    base = _model(family, fable_2m.tokenizer)
    names = base.anatomy.names

    def edit(torch_model: Any) -> None:
        parameters = dict(torch_model.named_parameters())
        for name in ((names.block + part).format(i=1) for part in (names.query, names.down)):
            parameters[name].copy_(torch.randn(parameters[name].shape) * 0.3)

    result = compare_internals(base, changed(base, edit), documents=TEXTS)
    for metric, unmoved in (("head_overlap", 1.0), ("concept_overlap", 1.0), ("weight_change", 0.0)):
        first, second = (result.value(metric=metric, layer=layer, target="mean") for layer in (1, 2))
        assert first == pytest.approx(unmoved, abs=1e-5)
        assert abs(second - unmoved) > 0.05
    assert result.value(metric="state_change", layer=1) == pytest.approx(0, abs=1e-5)
    assert result.value(metric="state_change", layer=2) > 0.01
    assert ("lens" in result.details) == (family != "t5")


def test_an_architecture_that_is_not_known_is_refused(fable_2m: LanguageModel) -> None:
    model = _model("gpt2", fable_2m.tokenizer)
    model.torch_model.config.model_type = "gpt2x"
    with pytest.raises(BadInput, match=r"architecture 'gpt2x' is not known \(did you mean 'gpt2'"):
        head_patterns(model)


def test_quantised_weights_are_refused(fable_2m: LanguageModel) -> None:
    def edit(torch_model: Any) -> None:
        torch_model.model.layers[1].self_attn.q_proj.weight.data = torch.zeros(128, 128, dtype=torch.int8)

    with pytest.raises(BadInput, match=r"is quantised .*give the checkpoint in float32"):
        head_patterns(changed(fable_2m, edit))


@pytest.mark.parametrize("family", list(families().FAMILIES))
def test_the_final_norm_is_the_one_before_the_output(family: str) -> None:
    """What the model's last norm multiplies a normed state with is the gain that the lens uses."""
    torch_model = families().tiny(family)
    anatomy = anatomy_of(torch_model.config)
    gain = anatomy.final_gain(torch_model.state_dict().__getitem__)
    body = torch_model.get_encoder() if torch_model.config.is_encoder_decoder else torch_model.base_model
    body = getattr(body, "decoder", body)
    found = [
        getattr(body, name)
        for name in ("norm", "ln_f", "norm_f", "final_layer_norm", "final_layernorm")
        if getattr(body, name, None) is not None
    ]
    if gain is None and not anatomy.norm_without_gain:
        assert not found
        return
    (norm,) = found
    states = torch.randn(5, anatomy.n_units, generator=torch.Generator().manual_seed(1))
    centred = states - states.mean(dim=1, keepdim=True) if anatomy.norm_centres else states
    expected = centred / centred.square().mean(dim=1, keepdim=True).sqrt() * (1 if gain is None else gain)
    with torch.no_grad():
        bias = getattr(norm, "bias", None)
        torch.testing.assert_close(norm(states) - (0 if bias is None else bias), expected, atol=1e-3, rtol=1e-3)
