"""A tuned model with tokens of its own is compared with its base on the tokens that both have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tests.models.saved import copied

from tuneshift.inside import compare_internals
from tuneshift.models import LanguageModel
from tuneshift.models.weights import Weights


def resized(folder: Path) -> Path:
    """fable-2m with two chat marks of its own, whose embeddings are far from all others, and nothing else changed."""
    copied(folder)
    model = LanguageModel.load(str(folder), device="cpu", dtype="bfloat16")
    model.tokenizer.add_special_tokens({"additional_special_tokens": ["<|mine|>", "<|yours|>"]})
    model.torch_model.resize_token_embeddings(len(model.tokenizer), mean_resizing=False)
    with torch.no_grad():
        model.torch_model.get_input_embeddings().weight[-2:] = 30.0
    model.torch_model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


def test_tokens_of_its_own_move_no_number_of_a_pair(tmp_path: Path) -> None:
    folder = str(resized(tmp_path / "resized"))
    base, same, tuned = (LanguageModel.load(ref, device="cpu") for ref in ("fable-2m", "fable-2m", folder))
    assert tuned.torch_model.get_input_embeddings().weight.shape[0] == 2 + same.torch_model.config.vocab_size
    expected, found = (compare_internals(base, other).table for other in (same, tuned))
    keys = ["metric", "layer", "target", "mapping"]
    both = expected.merge(found, on=keys, suffixes=("", "_resized"))
    assert len(both) == len(expected) == len(found)
    np.testing.assert_array_equal(both["value"].to_numpy(float), both["value_resized"].to_numpy(float))
    files = compare_internals(*(Weights.open(ref, device="cpu") for ref in ("fable-2m", folder))).table
    heads = files[(files["metric"] == "head_overlap") & (files["target"] == "mean")]["value"]
    assert len(heads) == 4
    assert (heads == 1).all()
