"""A model of any size is read one layer at a time: the peak is far below the checkpoint's size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import save_file

from tuneshift.models import LanguageModel

_MEASURE = """
import sys
from pathlib import Path
import torch
from tuneshift.inside import FeedforwardConcepts, HeadPatterns, concept_shift, head_shift
from tuneshift.models.weights import Weights

torch.set_num_threads(1)
heads, concepts = HeadPatterns(n_words=300, kept_pairs=2), FeedforwardConcepts(n_words=300, kept_components=2)

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

def measure(base, tuned):
    first, second = Weights.open(base, device="cpu"), Weights.open(tuned, device="cpu")
    head_shift(first, second, heads)
    concept_shift(first, second, concepts)

measure("fable-2m", "fable-2m-instruct")
before = peak()
measure(sys.argv[1], sys.argv[1])
print((peak() - before) * 1024)
"""


def _checkpoint(folder: Path, tokenizer: object, layers: int) -> int:
    """Write a sharded bfloat16 Llama, a shard a layer; return its size in bytes."""
    config = hf.LlamaConfig(
        vocab_size=60_000, hidden_size=256, num_attention_heads=8, num_key_value_heads=4, intermediate_size=2048,
        num_hidden_layers=layers, tie_word_embeddings=True, pad_token_id=1, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    d, ffn = 256, 2048
    shard_of: dict[str, str] = {}
    size = 0

    def write(name: str, tensors: dict[str, torch.Tensor]) -> None:
        nonlocal size
        save_file(tensors, folder / name)
        shard_of.update(dict.fromkeys(tensors, name))
        size += sum(tensor.numel() * 2 for tensor in tensors.values())

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, dtype=torch.bfloat16)

    write(
        "model-embeddings.safetensors", {"model.embed_tokens.weight": random(60_000, d), "model.norm.weight": random(d)}
    )
    for i in range(layers):
        block = f"model.layers.{i}."
        write(
            f"model-{i}.safetensors",
            {
                f"{block}self_attn.q_proj.weight": random(d, d),
                f"{block}self_attn.k_proj.weight": random(d // 2, d),
                f"{block}mlp.down_proj.weight": random(d, ffn),
                f"{block}mlp.up_proj.weight": random(ffn, d),
                f"{block}mlp.gate_proj.weight": random(ffn, d),
                f"{block}input_layernorm.weight": random(d),
            },
        )
    index = {"metadata": {"total_size": size}, "weight_map": shard_of}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return size


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
def test_a_sharded_checkpoint_of_many_layers_needs_the_memory_of_one(tmp_path: Path, fable_2m: LanguageModel) -> None:
    size = _checkpoint(tmp_path, fable_2m.tokenizer, layers=40)
    assert size > 160e6
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)], capture_output=True, text=True, timeout=240, check=True
    )
    print(f"peak {float(done.stdout) / 1e6:.0f} MB for {size / 1e6:.0f} MB")
    assert float(done.stdout) < 0.35 * size  # of it: a layer of base and of tuned in float32, the words' embeddings
