"""Anatomy: where an architecture keeps the weights that paper 2 looks at, and how they are laid out.

A family is added by one entry in `_FAMILIES`; from outside the package by `register_anatomy`, or for all users of
another package by an entry point in the group `tuneshift.architectures`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Literal

import torch
from transformers import PretrainedConfig

from tuneshift.errors import BadInput, nearest

ENTRY_POINT_GROUP = "tuneshift.architectures"

Read = Callable[[str], torch.Tensor]
"""Gives the tensor of a name of the state dict, in a floating type; see `models.weights.Weights.read`."""

Layout = Literal["separate", "stacked", "grouped"]
"""How query and key share a matrix: not at all; q, k, v one after the other; or [q.., k, v] for each key head."""


@dataclass(frozen=True)
class TensorNames:
    """Names in the state dict; `{i}` stands for the block's number, counted from 0."""

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


@dataclass(frozen=True)
class Anatomy:
    """The parts of one model: sizes, names and layout of its tensors, and how to take single parts out of them.

    `n_units` is d, `d_head` a head's width, `rotary_dims` how many of a head's dimensions are rotated (0 without rotary
    embeddings; dimension j < rotary_dims / 2 turns with j + rotary_dims / 2). Where several query heads share a key
    head, query head h reads key head `h // (n_heads // n_kv_heads)`.
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

    @property
    def queries_per_key(self) -> int:
        """How many query heads read the same key head."""
        return self.n_heads // self.n_kv_heads

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
        """Return query and key weights with the input norm folded in, and the per-head norm's gain where there is one.

        For a residual stream x, `x @ folded` is the query before its bias, but for the scalar by which the norm divides
        the whole vector. Shapes as in `query_key`.
        """
        query, key = self.query_key(read, layer)
        if self.names.input_norm is not None:
            gain = self.gain(read, self.names.block + self.names.input_norm, layer)[:, None]
            query, key = query * gain, key * gain
            if self.norm_centres:
                query, key = (weights - weights.mean(dim=1, keepdim=True) for weights in (query, key))
        if self.names.query_norm is not None and self.names.key_norm is not None:
            query = query * self.gain(read, self.names.block + self.names.query_norm, layer)
            key = key * self.gain(read, self.names.block + self.names.key_norm, layer)
        return query, key

    def gain(self, read: Read, name: str, layer: int) -> torch.Tensor:
        """Return the vector that a norm multiplies with; `name` may hold `{i}` for the block."""
        return read(name.format(i=layer)) + self.gain_offset

    def down_projection(self, read: Read, layer: int) -> torch.Tensor:
        """Return the matrix that the feed-forward part writes with (n_neurons, d), one row a neuron.

        A norm between that matrix and the residual stream (Gemma 2 and 3) has its gain folded in.
        """
        stored = read((self.names.block + self.names.down).format(i=layer))
        weights = stored if self.conv1d else stored.T
        if self.names.write_norm is not None:
            weights = weights * self.gain(read, self.names.block + self.names.write_norm, layer)
        return weights

    def input_embeddings(self, read: Read) -> torch.Tensor:
        """Return what each token puts into the residual stream (n_vocabulary, d), without its position."""
        embeddings = read(self.names.input_embedding)
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
        return embeddings

    def final_gain(self, read: Read) -> torch.Tensor | None:
        """Return what the norm before the output embeddings multiplies with (d,), None without such a norm."""
        return None if self.names.final_norm is None else self.gain(read, self.names.final_norm, 0)

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


Builder = Callable[[PretrainedConfig], Anatomy]


def anatomy_of(config: PretrainedConfig) -> Anatomy:
    """Return the anatomy of a model's configuration.

    Raises BadInput for an architecture that is not known; the message says what to add and where.
    """
    text = config.get_text_config()
    for model_type in (text.model_type, config.model_type):
        build = _FAMILIES.get(model_type) or _of_another_package(model_type)
        if build is not None:
            return build(text)
    raise BadInput(
        f"architecture {text.model_type!r} is not known{nearest(text.model_type, _FAMILIES)}: write a function that "
        "returns its Anatomy (names of query, key, norm, down projection and embeddings), and give it to "
        f"`tuneshift.models.anatomy.register_anatomy` or to an entry point in the group `{ENTRY_POINT_GROUP}` "
        f"(docs/extend/architecture.md); known are {', '.join(sorted(_FAMILIES))}."
    )


def register_anatomy(model_type: str, build: Builder) -> None:
    """Teach anatomy a new architecture: `build(config)` returns the `Anatomy` of configurations of that type."""
    _FAMILIES[model_type] = build


def _of_another_package(model_type: str) -> Builder | None:
    """Return the builder that a package registered under this model type; BadInput where it cannot be loaded."""
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=model_type):
        try:
            build: Builder = entry.load()
        except Exception as error:
            raise BadInput(f"architecture {model_type!r} of {entry.value} cannot be used: {error}") from error
        return build
    return None


_LLAMA = TensorNames(
    input_embedding="model.embed_tokens.weight",
    block="model.layers.{i}.",
    query="self_attn.q_proj.weight",
    key="self_attn.k_proj.weight",
    down="mlp.down_proj.weight",
    input_norm="input_layernorm.weight",
    final_norm="model.norm.weight",
)
_FUSED = "self_attention.query_key_value.weight"


def _sizes(config: PretrainedConfig, names: TensorNames) -> Anatomy:
    """Return an anatomy with the sizes that most configurations name alike."""
    heads = config.num_attention_heads
    return Anatomy(
        model_type=config.model_type,
        n_layers=config.num_hidden_layers,
        n_units=config.hidden_size,
        n_heads=heads,
        n_kv_heads=getattr(config, "num_key_value_heads", None) or heads,
        d_head=getattr(config, "head_dim", None) or config.hidden_size // heads,
        names=names,
        tied=bool(config.tie_word_embeddings),
    )


def _llama(config: PretrainedConfig) -> Anatomy:
    return _rotary(_sizes(config, _LLAMA), config)


def _rotary(anatomy: Anatomy, config: PretrainedConfig) -> Anatomy:
    parameters = getattr(config, "rope_parameters", None) or {}
    share = parameters.get("partial_rotary_factor") or getattr(config, "partial_rotary_factor", None) or 1.0
    return replace(anatomy, rotary_dims=int(anatomy.d_head * share))


def _qwen3(config: PretrainedConfig) -> Anatomy:
    names = replace(_LLAMA, query_norm="self_attn.q_norm.weight", key_norm="self_attn.k_norm.weight")
    return _rotary(_sizes(config, names), config)


def _gemma(config: PretrainedConfig) -> Anatomy:
    return replace(_llama(config), gain_offset=1.0)


def _gemma2(config: PretrainedConfig) -> Anatomy:
    names = replace(_LLAMA, write_norm="post_feedforward_layernorm.weight")
    return replace(_gemma(config), names=names)


def _gemma3(config: PretrainedConfig) -> Anatomy:
    names = replace(_qwen3(config).names, write_norm="post_feedforward_layernorm.weight")
    return replace(_gemma(config), names=names)


def _phi(config: PretrainedConfig) -> Anatomy:
    return replace(
        _rotary(
            _sizes(config, replace(_LLAMA, down="mlp.fc2.weight", final_norm="model.final_layernorm.weight")), config
        ),
        norm_centres=True,
    )


def _phi3(config: PretrainedConfig) -> Anatomy:
    fused = "self_attn.qkv_proj.weight"
    return replace(_rotary(_sizes(config, replace(_LLAMA, query=fused, key=fused)), config), layout="stacked")


def _gpt2(config: PretrainedConfig) -> Anatomy:
    names = TensorNames(
        input_embedding="transformer.wte.weight",
        block="transformer.h.{i}.",
        query="attn.c_attn.weight",
        key="attn.c_attn.weight",
        down="mlp.c_proj.weight",
        input_norm="ln_1.weight",
        final_norm="transformer.ln_f.weight",
    )
    return replace(_sizes(config, names), layout="stacked", conv1d=True, norm_centres=True)


def _gpt_neox(config: PretrainedConfig) -> Anatomy:
    names = TensorNames(
        input_embedding="gpt_neox.embed_in.weight",
        block="gpt_neox.layers.{i}.",
        query="attention.query_key_value.weight",
        key="attention.query_key_value.weight",
        down="mlp.dense_4h_to_h.weight",
        input_norm="input_layernorm.weight",
        output_embedding="lm_head.weight",
        final_norm="gpt_neox.final_layer_norm.weight",
    )
    return replace(_rotary(_sizes(config, names), config), layout="grouped", norm_centres=True)


def _falcon(config: PretrainedConfig) -> Anatomy:
    two_norms = config.new_decoder_architecture and config.num_ln_in_parallel_attn in (None, 2)
    names = TensorNames(
        input_embedding="transformer.word_embeddings.weight",
        block="transformer.h.{i}.",
        query=_FUSED,
        key=_FUSED,
        down="mlp.dense_4h_to_h.weight",
        input_norm="ln_attn.weight" if two_norms else "input_layernorm.weight",
        final_norm="transformer.ln_f.weight",
    )
    heads = config.num_attention_heads
    key_heads = config.num_kv_heads if config.new_decoder_architecture else 1 if config.multi_query else heads
    anatomy = replace(_sizes(config, names), n_kv_heads=key_heads, layout="grouped", norm_centres=True)
    return anatomy if config.alibi else _rotary(anatomy, config)


def _bloom(config: PretrainedConfig) -> Anatomy:
    names = TensorNames(
        input_embedding="transformer.word_embeddings.weight",
        block="transformer.h.{i}.",
        query=_FUSED,
        key=_FUSED,
        down="mlp.dense_4h_to_h.weight",
        input_norm="input_layernorm.weight",
        embedding_norm="transformer.word_embeddings_layernorm.weight",
        final_norm="transformer.ln_f.weight",
    )
    return replace(_sizes(config, names), layout="grouped", norm_centres=True)


def _opt(config: PretrainedConfig) -> Anatomy:
    narrow = config.word_embed_proj_dim != config.hidden_size
    names = TensorNames(
        input_embedding="model.decoder.embed_tokens.weight",
        block="model.decoder.layers.{i}.",
        query="self_attn.q_proj.weight",
        key="self_attn.k_proj.weight",
        down="fc2.weight",
        input_norm="self_attn_layer_norm.weight" if config.do_layer_norm_before else None,
        final_norm="model.decoder.final_layer_norm.weight" if config.do_layer_norm_before else None,
        input_projection="model.decoder.project_in.weight" if narrow else None,
        output_projection="model.decoder.project_out.weight" if narrow else None,
    )
    return replace(_sizes(config, names), norm_centres=True)


def _t5(config: PretrainedConfig) -> Anatomy:
    """The encoder: it reads the prompt, and its states are what brain alignment uses."""
    names = TensorNames(
        input_embedding="shared.weight",
        block="encoder.block.{i}.layer.",
        query="0.SelfAttention.q.weight",
        key="0.SelfAttention.k.weight",
        down="1.DenseReluDense.wo.weight",
        input_norm="0.layer_norm.weight",
        final_norm="encoder.final_layer_norm.weight",
    )
    return replace(_sizes(config, names), d_head=config.d_kv)


_FAMILIES: dict[str, Builder] = {
    "bloom": _bloom,
    "falcon": _falcon,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3_text": _gemma3,
    "gpt2": _gpt2,
    "gpt_neox": _gpt_neox,
    "llama": _llama,
    "mistral": _llama,
    "mt5": _t5,
    "opt": _opt,
    "phi": _phi,
    "phi3": _phi3,
    "qwen2": _llama,
    "qwen3": _qwen3,
    "t5": _t5,
}
