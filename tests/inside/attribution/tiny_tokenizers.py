"""Small tokenizers of the kinds that models have, trained on a few sentences, and a model that reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
import transformers as hf
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tuneshift.models import LanguageModel

_SENTENCES = [
    "Repeat the word: river. The river froze and the sun is warm.",
    "Hello world, you are a helpful assistant. Say the last word of the sentence.",
    "user: a stone falls\n\nassistant: The stone fell into the river\n",
] * 20
_SPECIAL = ["<unk>", "<s>", "</s>"]


def llama() -> Any:
    """SentencePiece as Llama 2 and Vicuna have it: a space before every text, no words, bytes for unknown letters."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    words = [word for sentence in _SENTENCES for word in sentence.split(" ")]
    tokenizer.train_from_iterator(words, trainers.BpeTrainer(vocab_size=450, special_tokens=_SPECIAL + bytes_))
    parts = json.loads(tokenizer.to_str())
    parts["added_tokens"] = parts["added_tokens"][: len(_SPECIAL)]  # bytes are entries of the vocabulary only
    parts["post_processor"] = json.loads(_adds_a_start().__getstate__())
    return _wrapped(Tokenizer.from_str(json.dumps(parts)))


def metaspace() -> Any:
    """SentencePiece as newer Llama files write it: words, and a space before the first."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=_SPECIAL, initial_alphabet=["\n"])
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    return _wrapped(tokenizer)


def gpt2(*, trim: bool = False) -> Any:
    """Bytes, as GPT-2 has them; with `trim` as GPT-NeoX, whose tokens do not count the space before a word."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=_SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    return _wrapped(tokenizer)


def unigram() -> Any:
    """SentencePiece as T5 has it: likeliest pieces, white space made one, line breaks lost."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace("\n", " "), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=_SPECIAL, unk_token="<unk>", show_progress=False, initial_alphabet=["😀", "é"]
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    return _wrapped(tokenizer)


def wordpiece() -> Any:
    """WordPiece as BERT has it: small letters, spaces lost."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(_SENTENCES, trainers.WordPieceTrainer(vocab_size=200, special_tokens=_SPECIAL))
    return _wrapped(tokenizer)


KINDS: dict[str, Callable[[], Any]] = {
    "llama": llama,
    "metaspace": metaspace,
    "gpt2": gpt2,
    "gpt-neox, trimmed offsets": lambda: gpt2(trim=True),
    "unigram": unigram,
    "wordpiece": wordpiece,
}


def model_of(tokenizer: Any, *, encoder_decoder: bool = False, seed: int = 0) -> LanguageModel:
    """A tiny random model whose vocabulary is the tokenizer's."""
    common: dict[str, Any] = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    common |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(seed)
    if encoder_decoder:
        sizes = {"d_model": 16, "d_kv": 4, "num_heads": 4, "num_layers": 1, "d_ff": 32}
        config: Any = hf.T5Config(**common, **sizes, decoder_start_token_id=tokenizer.pad_token_id)
        torch_model: Any = hf.AutoModelForSeq2SeqLM.from_config(config)
    else:
        sizes = {"hidden_size": 16, "num_attention_heads": 4, "num_hidden_layers": 1, "intermediate_size": 32}
        config = hf.LlamaConfig(**common, **sizes, max_position_embeddings=512)
        torch_model = hf.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in torch_model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.3)
    return LanguageModel("tiny", torch_model.eval().requires_grad_(False), tokenizer, "test")


def _adds_a_start() -> Any:
    return processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])


def _wrapped(tokenizer: Tokenizer) -> Any:
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>"
    )
