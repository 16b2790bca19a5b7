"""The whole comparison of a pair, on architectures with other norms, layouts and stacks than Llama's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import changed, families, language_model

from tuneshift.errors import BadInput
from tuneshift.inside import compare_internals, head_patterns
from tuneshift.models import LanguageModel

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
    model.torch_model.config.model_type = "gpt3"
    with pytest.raises(BadInput, match=r"architecture 'gpt3' is not known \(did you mean 'gpt2'"):
        head_patterns(model)


def test_quantised_weights_are_refused(fable_2m: LanguageModel) -> None:
    def edit(torch_model: Any) -> None:
        torch_model.model.layers[1].self_attn.q_proj.weight.data = torch.zeros(128, 128, dtype=torch.int8)

    with pytest.raises(BadInput, match=r"is quantised .*give the checkpoint in float32"):
        head_patterns(changed(fable_2m, edit))
