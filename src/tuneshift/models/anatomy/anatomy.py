"""The parts of one model, and how to take single heads, neurons and words out of its tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from tuneshift.errors import BadInput

Read = Callable[[str], torch.Tensor]
"""Gives the tensor of a name of the state dict, in a floating type; see `models.weights.Weights.read`."""

Layout = Literal["separate", "stacked", "grouped"]
"""How query and key share a matrix: not at all; q, k, v one after the other; or [q.., k, v] for each key head."""


@dataclass(frozen=True)
class TensorNames:
    """Names in the state dict; `{i}` stands for the block's number, counted from 0.

    `query_norm` and `key_norm` may hold `{h}` for the head, where every head's gain is a tensor of its own. `experts`
    is the down projection of all experts of a block together, `shared_expert` that of one which every token uses.
    """

    input_embedding: str
    block: str
    query: str
    key: str
    down: str
    input_norm: str | None
    output_embedding: str = "lm_head.weight"
    embedding_norm: str | None = None
    input_projection: str | None = None
    output_projection: str | None = None
    query_norm: str | None = None
    key_norm: str | None = None
    write_norm: str | None = None
    final_norm: str | None = None
    experts: str | None = None
    shared_expert: str | None = None


@dataclass(frozen=True)
class Anatomy:
    """The parts of one model: sizes, names and layout of its tensors, and how to take single parts out of them.

    `n_units` is d, `d_head` a head's width, `rotary_dims` how many of a head's dimensions are rotated (0 without rotary
    embeddings; dimension j < rotary_dims / 2 turns with j + rotary_dims / 2, or 2j with 2j + 1 where
    `rotary_neighbours`). Where several query heads share a key head, query head h reads key head
    `h // (n_heads // n_kv_heads)`. Blocks are counted from 0.
    """

    model_type: str
    n_layers: int
    n_units: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    names: TensorNames
    layout: Layout = "separate"
    rotary_dims: int = 0
    conv1d: bool = False  # GPT-2 stores (in, out), everybody else (out, in)
    gain_offset: float = 0.0  # Gemma stores the gain minus one
    norm_centres: bool = False  # LayerNorm subtracts the mean over units, RMSNorm does not
    tied: bool = False
    norm_without_gain: bool = False  # OLMo's norms only centre and divide
    head_norm_centres: bool = False  # the norm of queries and keys subtracts the mean over a head's dimensions
    rotary_neighbours: bool = False
    unrotated_blocks: tuple[int, ...] = ()  # SmolLM 3 and Cohere 2 leave rotation out of some
    n_experts: int | None = None
    dense_blocks: tuple[int, ...] = ()  # of a mixture of experts: those with one feed-forward part as usual
    experts_inputs_first: bool = False  # gpt-oss stores experts as (in, out)
    embedding_scale: float = 1.0  # Gemma and Granite multiply embeddings on their way into the stream
    write_scale: float = 1.0  # Granite multiplies what a block writes
    logit_scale: float = 1.0  # Cohere and Granite multiply logits
    score_scale: float | None = None  # of query times key, but for YaRN's factor; None: 1 / sqrt(d_head)

    @property
    def queries_per_key(self) -> int:
        """How many query heads read the same key head."""
        return self.n_heads // self.n_kv_heads

    def rotated(self, layer: int) -> int:
        """Return how many of a head's dimensions block `layer` rotates."""
        return 0 if layer in self.unrotated_blocks else self.rotary_dims

    def query_key(self, read: Read, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return block `layer`'s query weights (n_heads, d, d_head) and key weights (n_kv_heads, d, d_head).

        They act on the normalised residual stream; `folded_query_key` act on the stream itself.
        """
        query, key = self._split(read, layer, self.names.query, self.names.key)
        return query.transpose(1, 2), key.transpose(1, 2)

    def query_key_bias(self, read: Read, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the biases of queries (n_heads, d_head) and keys (n_kv_heads, d_head); KeyError without biases."""
        query, key = (name.removesuffix("weight") + "bias" for name in (self.names.query, self.names.key))
        return self._split(read, layer, query, key)

    def folded_query_key(self, read: Read, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return query and key weights with the input norm folded in, and the norm of queries and keys if there is one.

        For a residual stream x, `x @ folded` is the query before its bias, but for the scalars by which norms divide:
        the input norm the whole vector, the norm of queries and keys each head, or all heads together. Shapes as in
        `query_key`.
        """
        query, key = self.query_key(read, layer)
        if self.names.input_norm is not None:
            gain = self.gain(read, self.names.block + self.names.input_norm, layer)[:, None]
            query, key = query * gain, key * gain
        if self.norm_centres and (self.names.input_norm is not None or self.norm_without_gain):
            query, key = (weights - weights.mean(dim=1, keepdim=True) for weights in (query, key))
        if self.names.query_norm is not None and self.names.key_norm is not None:
            if self.head_norm_centres:
                query, key = (weights - weights.mean(dim=2, keepdim=True) for weights in (query, key))
            query = query * self.head_gain(read, self.names.query_norm, layer, self.n_heads)[:, None]
            key = key * self.head_gain(read, self.names.key_norm, layer, self.n_kv_heads)[:, None]
        return query, key

    def gain(self, read: Read, name: str, layer: int) -> torch.Tensor:
        """Return the vector that a norm multiplies with; `name` may hold `{i}` for the block."""
        return read(name.format(i=layer)) + self.gain_offset

    def head_gain(self, read: Read, name: str, layer: int, n_heads: int) -> torch.Tensor:
        """Return what the norm of queries or keys multiplies each head with: (n_heads, d_head), (1, d_head) if alike.

        The norm of all heads together (OLMo 2) has its own gain for each head's dimensions, as have heads that are
        normed one by one (Cohere, StableLM); the other norms share one gain.
        """
        name = self.names.block + name
        if "{h}" in name:
            each = [read(name.format(i=layer, h=head)) for head in range(n_heads)]
            return torch.stack(each) + self.gain_offset
        return self.gain(read, name, layer).reshape(-1, self.d_head)

    def down_projection(self, read: Read, layer: int) -> torch.Tensor:
        """Return the matrix that the feed-forward part writes with (n_neurons, d), one row a neuron.

        A norm between that matrix and the residual stream (Gemma 2 and 3, OLMo 2 and 3) has its gain folded in, and
        what multiplies the whole part (Granite) too. Experts stand one after the other, then the shared one; what the
        router gives an expert depends on the token and is left out. Raises BadInput where experts are missing.
        """
        if self.names.experts is None or layer in self.dense_blocks:
            weights = self._neurons(read, self.names.down, layer)
        else:
            stored = read((self.names.block + self.names.experts).format(i=layer))
            if self.n_experts is not None and len(stored) != self.n_experts:
                raise BadInput(
                    f"block {layer + 1} holds {len(stored)} experts where its configuration says {self.n_experts}; "
                    "download the model again."
                )
            weights = (stored if self.experts_inputs_first else stored.transpose(1, 2)).reshape(-1, self.n_units)
            if self.names.shared_expert is not None:
                weights = torch.cat([weights, self._neurons(read, self.names.shared_expert, layer)])
        if self.names.write_norm is not None:
            weights = weights * self.gain(read, self.names.block + self.names.write_norm, layer)
        return weights if self.write_scale == 1 else weights * self.write_scale

    def input_embeddings(self, read: Read) -> torch.Tensor:
        """Return what each token puts into the residual stream (n_vocabulary, d), without its position.

        Where embeddings are multiplied on their way (Gemma: sqrt(d)), the exact factor is used; a Gemma that runs in
        bfloat16 rounds it, by .13% at d = 3,072.
        """
        embeddings = read(self.names.input_embedding)
        if self.embedding_scale != 1:
            embeddings = embeddings * self.embedding_scale
        if self.names.input_projection is not None:
            embeddings = embeddings @ read(self.names.input_projection).T
        if self.names.embedding_norm is not None:
            norm = self.names.embedding_norm
            bias = read(norm.removesuffix("weight") + "bias")
            embeddings = torch.nn.functional.layer_norm(embeddings, embeddings.shape[-1:], read(norm), bias)
        return embeddings

    def output_embeddings(self, read: Read) -> torch.Tensor:
        """Return each token's output direction in the residual stream (n_vocabulary, d), the final norm left out."""
        name = self.names.input_embedding if self.tied else self.names.output_embedding
        embeddings = read(name)
        if self.names.output_projection is not None:
            embeddings = embeddings @ read(self.names.output_projection)
        return embeddings if self.logit_scale == 1 else embeddings * self.logit_scale

    def final_gain(self, read: Read) -> torch.Tensor | None:
        """Return what the norm before the output embeddings multiplies with (d,), None without such a norm or gain."""
        return None if self.names.final_norm is None else self.gain(read, self.names.final_norm, 0)

    def _neurons(self, read: Read, name: str, layer: int) -> torch.Tensor:
        stored = read((self.names.block + name).format(i=layer))
        return stored if self.conv1d else stored.T

    def _split(self, read: Read, layer: int, query: str, key: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return queries (n_heads, d_head, ...) and keys (n_kv_heads, d_head, ...), output units first."""
        if self.layout == "separate":
            parts = [self._outputs_first(read((self.names.block + name).format(i=layer))) for name in (query, key)]
            heads = (self.n_heads, self.n_kv_heads)
            q, k = (part.reshape(n, self.d_head, *part.shape[1:]) for part, n in zip(parts, heads, strict=True))
            return q, k
        fused = self._outputs_first(read((self.names.block + query).format(i=layer)))
        rest = fused.shape[1:]
        if self.layout == "stacked":
            stop = self.n_heads * self.d_head
            q, k = fused[:stop], fused[stop : stop + self.n_kv_heads * self.d_head]
            return q.reshape(self.n_heads, self.d_head, *rest), k.reshape(self.n_kv_heads, self.d_head, *rest)
        groups = fused.reshape(self.n_kv_heads, self.queries_per_key + 2, self.d_head, *rest)
        return groups[:, :-2].reshape(self.n_heads, self.d_head, *rest), groups[:, -2]

    def _outputs_first(self, stored: torch.Tensor) -> torch.Tensor:
        return stored.T if self.conv1d and stored.ndim == 2 else stored
