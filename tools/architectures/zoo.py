"""Tiny random models of many architectures, built from their configurations and saved as people save theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tools.architectures.tokenizers import Kind, tokenizer

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 128,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
_WIDE = {**_GROUPED, "head_dim": 16}
_GPT2 = {"n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 128}
_EXPERTS = {**_GROUPED, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
_LOCAL_EXPERTS = {**_GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2}
_STATE_SPACE = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}
_T5 = {"d_model": 32, "d_kv": 12, "num_heads": 4, "num_layers": 2, "d_ff": 48}
_BART = {
    "d_model": 32,
    "max_position_embeddings": 128,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
}
_MAMBA_PARTS = {"mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_expand": 2}
BOTH, TIED, UNTIED = (True, False), (True,), (False,)


@dataclass(frozen=True, eq=False)
class Species:
    """One architecture of the table: its row's name, and how a tiny model of it is made.

    `ties`: whether output embeddings may be the input embeddings, and may be their own. `spread` of the weights: models
    that would be sure of every token get less, since single precision rounds away the gradients of what is sure.
    """

    name: str
    config: Callable[..., Any]
    settings: dict[str, Any]
    ties: tuple[bool, ...] = BOTH
    tokens: Kind = "bytes"
    auto: Any = field(default=hf.AutoModelForCausalLM)
    spread: float = 1.0

    @property
    def model_type(self) -> str:
        return str(self.config.model_type)

    def build(self, *, tied: bool, seed: int = 5) -> Any:
        """A model whose every parameter is random: gains and biases too, which fresh models set to 1 and 0."""
        words = tokenizer(self.tokens)
        special = {"bos": words.bos_token_id, "eos": words.eos_token_id, "pad": words.pad_token_id}
        config = self.config(
            **{
                "vocab_size": len(words),
                **{f"{name}_token_id": number for name, number in special.items()},
                "tie_word_embeddings": tied,
                **self.settings,
            }
        )
        torch.manual_seed(seed)
        model = self.auto.from_config(config, dtype=torch.float32).eval()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.ndim == 1:  # gains, biases, and what a state-space model decays by
                    parameter.add_(torch.randn(parameter.shape) * 0.1)
                elif not name.endswith("A_log"):
                    size = self.spread * (0.5 if "emb" in name else 0.2)
                    parameter.copy_(torch.randn(parameter.shape) * size)
        return model

    def save(self, folder: Path, *, tied: bool) -> Path:
        """Write a model and its tokenizer as `save_pretrained` does."""
        self.build(tied=tied).save_pretrained(folder)
        tokenizer(self.tokens).save_pretrained(folder)
        return folder


DENSE = (
    Species("BLOOM", hf.BloomConfig, {"hidden_size": 32, "n_head": 4, "n_layer": 2}, spread=0.4),
    Species("Cohere (Command R)", hf.CohereConfig, _GROUPED),
    Species("Cohere 2 (Command R7B)", hf.Cohere2Config, _GROUPED),
    Species("EXAONE 4", hf.Exaone4Config, {**_GROUPED, "sliding_window": 8}),
    Species("Falcon", hf.FalconConfig, {**_SIZES, "new_decoder_architecture": True, "num_kv_heads": 2}),
    Species("Falcon, 7B's layout", hf.FalconConfig, _SIZES),
    Species("Falcon RW, ALiBi", hf.FalconConfig, {**_SIZES, "multi_query": False, "alibi": True, "bias": True}),
    Species("Gemma", hf.GemmaConfig, _WIDE),
    Species("Gemma 2", hf.Gemma2Config, _WIDE),
    Species("Gemma 3", hf.Gemma3TextConfig, {**_WIDE, "sliding_window": 8}),
    Species("GLM 4", hf.GlmConfig, {**_GROUPED, "head_dim": 8}),
    Species("GPT-2", hf.GPT2Config, _GPT2),
    Species("GPT-BigCode (StarCoder)", hf.GPTBigCodeConfig, _GPT2),
    Species("GPT-J", hf.GPTJConfig, {**_GPT2, "rotary_dim": 4}),
    Species(
        "GPT-Neo",
        hf.GPTNeoConfig,
        {
            "hidden_size": 32,
            "num_heads": 4,
            "num_layers": 2,
            "max_position_embeddings": 128,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 8,
        },
    ),
    Species("GPT-NeoX, Pythia", hf.GPTNeoXConfig, _SIZES),
    Species("Granite", hf.GraniteConfig, {**_GROUPED, "embedding_multiplier": 6.0, "residual_multiplier": 0.4}),
    Species("Helium", hf.HeliumConfig, {**_GROUPED, "head_dim": 8}),
    Species("Llama", hf.LlamaConfig, _GROUPED),
    Species("Mistral", hf.MistralConfig, {**_GROUPED, "sliding_window": 8}),
    Species("MPT", hf.MptConfig, {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 128}),
    Species("Nemotron", hf.NemotronConfig, _GROUPED),
    Species("OLMo", hf.OlmoConfig, _GROUPED),
    Species("OLMo 2", hf.Olmo2Config, _GROUPED),
    Species("OLMo 3", hf.Olmo3Config, {**_GROUPED, "sliding_window": 8}),
    Species("OPT", hf.OPTConfig, {**_SIZES, "ffn_dim": 48, "word_embed_proj_dim": 32}),
    Species(
        "OPT-350m",
        hf.OPTConfig,
        {**_SIZES, "ffn_dim": 48, "word_embed_proj_dim": 16, "do_layer_norm_before": False},
    ),
    Species("Phi 1 to 2", hf.PhiConfig, _SIZES),
    Species("Phi 3, Phi 4", hf.Phi3Config, _GROUPED),
    Species("Qwen 2, Qwen 2.5", hf.Qwen2Config, _GROUPED),
    Species("Qwen 3", hf.Qwen3Config, _WIDE),
    Species("SmolLM 3", hf.SmolLM3Config, {**_GROUPED, "no_rope_layers": [1, 0]}),
    Species("StableLM", hf.StableLmConfig, _GROUPED),
    Species("StableLM 2 12B", hf.StableLmConfig, {**_GROUPED, "qk_layernorm": True, "use_parallel_residual": True}),
    Species("StarCoder 2", hf.Starcoder2Config, _GROUPED),
)
EXPERTS = (
    Species("gpt-oss", hf.GptOssConfig, {**_LOCAL_EXPERTS, "head_dim": 8, "sliding_window": 8}),
    Species("Granite MoE", hf.GraniteMoeConfig, _LOCAL_EXPERTS),
    Species("Mixtral", hf.MixtralConfig, _LOCAL_EXPERTS),
    Species("OLMoE", hf.OlmoeConfig, {**_GROUPED, "num_experts": 4, "num_experts_per_tok": 2}),
    Species("Phi 3.5 MoE", hf.PhimoeConfig, _LOCAL_EXPERTS),
    Species("Qwen 2 MoE", hf.Qwen2MoeConfig, {**_EXPERTS, "shared_expert_intermediate_size": 40}),
    Species("Qwen 3 MoE", hf.Qwen3MoeConfig, {**_EXPERTS, "head_dim": 8, "mlp_only_layers": [1]}),
)
RECURRENT = (
    Species("Bamba", hf.BambaConfig, {**_GROUPED, **_MAMBA_PARTS, "attn_layer_indices": [1]}),
    Species("Falcon Mamba", hf.FalconMambaConfig, _STATE_SPACE),
    Species(
        "Jamba",
        hf.JambaConfig,
        {
            **_GROUPED,
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "use_mamba_kernels": False,
            "mamba_d_state": 4,
            "mamba_dt_rank": 4,
        },
    ),
    Species("Mamba", hf.MambaConfig, _STATE_SPACE),
    Species(
        "Mamba 2",
        hf.Mamba2Config,
        {**_STATE_SPACE, "num_heads": 4, "head_dim": 16, "n_groups": 1, "chunk_size": 8},
    ),
    Species(
        "RecurrentGemma",
        hf.RecurrentGemmaConfig,
        {**_GROUPED, "num_hidden_layers": 3, "lru_width": 32, "attention_window_size": 128},
    ),
    Species(
        "RWKV 4",
        hf.RwkvConfig,
        {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32, "context_length": 128},
        UNTIED,
        spread=0.4,
    ),
    Species(
        "xLSTM", hf.xLSTMConfig, {"hidden_size": 128, "num_hidden_layers": 2, "num_blocks": 2, "num_heads": 4}, UNTIED
    ),
)
_SEQ2SEQ: dict[str, Any] = {"auto": hf.AutoModelForSeq2SeqLM}
ENCODER_DECODER = (
    Species("BART", hf.BartConfig, _BART, TIED, **_SEQ2SEQ),
    Species("mT5", hf.MT5Config, {**_T5, "feed_forward_proj": "gated-gelu"}, tokens="pieces", **_SEQ2SEQ),
    Species("T5, Flan-T5", hf.T5Config, _T5, tokens="pieces", **_SEQ2SEQ),
)
_MASKED: dict[str, Any] = {"auto": hf.AutoModelForMaskedLM}
MASKED = (
    Species("BERT", hf.BertConfig, _SIZES, tokens="wordpieces", **_MASKED),
    Species(
        "DistilBERT",
        hf.DistilBertConfig,
        {"dim": 32, "n_heads": 4, "n_layers": 2, "hidden_dim": 48, "max_position_embeddings": 128},
        tokens="wordpieces",
        **_MASKED,
    ),
    Species("ELECTRA", hf.ElectraConfig, {**_SIZES, "embedding_size": 32}, tokens="wordpieces", **_MASKED),
    Species("ModernBERT", hf.ModernBertConfig, _SIZES, tokens="masked bytes", **_MASKED),
    Species("MPNet", hf.MPNetConfig, {**_SIZES, "max_position_embeddings": 130}, tokens="masked bytes", **_MASKED),
    Species("RoBERTa", hf.RobertaConfig, {**_SIZES, "max_position_embeddings": 130}, tokens="masked bytes", **_MASKED),
)
GROUPS: dict[str, tuple[Species, ...]] = {
    "Decoders": DENSE,
    "Mixtures of experts": EXPERTS,
    "Recurrent models, state-space models and hybrids": RECURRENT,
    "Encoders with decoders": ENCODER_DECODER,
    "Masked models": MASKED,
}


def species() -> Iterator[Species]:
    """Every architecture of the table, in its order."""
    for group in GROUPS.values():
        yield from group
