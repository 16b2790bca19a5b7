"""Models of every kind are attributed as plain automatic differentiation says, or decline in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from attribution_models import laid_out, tiny

from tuneshift.errors import BadInput
from tuneshift.inside import attribute
from tuneshift.inside.attribution import reverse
from tuneshift.inside.attribution.cost import bytes_needed, gradient_times_input
from tuneshift.models import LanguageModel

RECURRENT = {
    "mamba": lambda: hf.MambaConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, state_size=4),
    "mamba2": lambda: hf.Mamba2Config(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, state_size=4, num_heads=4, head_dim=16, n_groups=1
    ),
    "falcon_mamba": lambda: hf.FalconMambaConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, state_size=4),
    "rwkv": lambda: hf.RwkvConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, attention_hidden_size=32),
}


def _one_by_one(model: Any, layout: Any) -> np.ndarray:
    columns = []
    for position, token in zip(layout.response, layout.target_ids, strict=True):
        leaf = model.get_input_embeddings()(torch.as_tensor(layout.ids[None, :position])).detach().requires_grad_()
        p = model(inputs_embeds=leaf, use_cache=False).logits[0, -1].softmax(-1)[int(token)]
        (gradient,) = torch.autograd.grad(p, leaf)
        columns.append((gradient * leaf).sum(-1)[0, layout.prompt].detach().numpy())
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize(("n_prompt", "n_response"), [(9, 4), (2, 12)])
def test_recurrent_models_whichever_way_is_cheaper(kind: str, n_prompt: int, n_response: int) -> None:
    torch.manual_seed(0)
    model = hf.AutoModelForCausalLM.from_config(RECURRENT[kind]()).eval().requires_grad_(False)
    layout = laid_out(n_prompt, n_response)
    assert all(np.isfinite(bytes_needed(layout, model, mode)).all() for mode in ("reverse", "forward"))
    raw, _ = gradient_times_input(model, layout)
    expected = _one_by_one(model, layout)
    np.testing.assert_allclose(raw, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


class _WithoutBatchedWayBack(torch.autograd.Function):
    """As kernels of state-space models are: a derivative, and no rule for many at once."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        if torch._C._functorch.is_batchedtensor(gradient):
            raise RuntimeError("no batching rule")
        s = x.sigmoid()
        return gradient * (s + x * s * (1 - s))


class _Activation(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _WithoutBatchedWayBack.apply(x)  # type: ignore[no-any-return]


def test_an_operation_without_a_batched_way_back_is_gone_back_through_one_by_one() -> None:
    model, twin, layout = tiny("llama"), tiny("llama"), laid_out(7, 5)
    for block in model.model.layers:
        block.mlp.act_fn = _Activation()
    ours, _ = reverse.reverse_attribution(model, layout)
    theirs, _ = reverse.reverse_attribution(twin, layout)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


class _IdsOnly(hf.LlamaForCausalLM):
    def forward(self, input_ids: torch.Tensor) -> Any:  # type: ignore[override]
        return super().forward(input_ids=input_ids)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_model_that_takes_ids_only_says_so(mode: Any) -> None:
    model = _IdsOnly(tiny("llama").config).eval()
    with pytest.raises(BadInput, match="_IdsOnly does not take `inputs_embeds`"):
        gradient_times_input(model, laid_out(3, 3), mode=mode, chunk=1)


def test_a_masked_model_writes_nothing(fable_2m: LanguageModel) -> None:
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
    config = hf.BertConfig(vocab_size=8192, architectures=["BertForMaskedLM"], **sizes)
    model = LanguageModel("small-bert", hf.BertForMaskedLM(config).eval(), fable_2m.tokenizer, "test")
    with pytest.raises(BadInput, match="model small-bert is a masked model: it fills gaps and writes no responses"):
        attribute(model, "A tree", "fell")
