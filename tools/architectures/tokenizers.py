"""Small tokenizers of the kinds that the architectures come with, trained on a few lines."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

Kind = Literal["bytes", "masked bytes", "pieces", "wordpieces"]

TEXT = """the old miller woke before the sun and lit the lamp in the mill
a letter came and nobody dared to open it until the evening when the doctor returned
rain fell on the road and the river rose above the stones near the old house
she put the book on the table and looked out of the window at the garden
they walked along the river until the night was cold and then they went home
the dog slept by the fire while the children sang a song about the sea
in the morning the baker opened the door and sold warm bread to the people
we heard the wind in the trees and saw a light above the hill""".splitlines()
_SIZE = 260


@cache
def tokenizer(kind: Kind) -> Any:
    """A fast tokenizer whose commonest words are one token each, behind a space."""
    if kind == "wordpieces":
        return _trained(
            Tokenizer(models.WordPiece(unk_token="[UNK]")),
            pre_tokenizers.BertPreTokenizer(),
            decoders.WordPiece(),
            trainers.WordPieceTrainer(
                vocab_size=_SIZE, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False
            ),
            pad_token="[PAD]",
            unk_token="[UNK]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            mask_token="[MASK]",
        )
    if kind == "pieces":
        space = {"replacement": "▁", "prepend_scheme": "always"}
        sentinels = [f"<extra_id_{i}>" for i in range(4)]
        core = Tokenizer(models.Unigram())
        core.normalizer = normalizers.Sequence([normalizers.Replace(Regex(" {2,}"), " ")])
        return _trained(
            core,
            pre_tokenizers.Metaspace(**space),
            decoders.Metaspace(**space),
            trainers.UnigramTrainer(
                vocab_size=_SIZE, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
            ),
            pad_token="<pad>",
            eos_token="</s>",
            unk_token="<unk>",
            additional_special_tokens=sentinels,
        )
    special = ["<s>", "<pad>", "</s>", *(["<mask>"] if kind == "masked bytes" else [])]
    names = {"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"} if kind == "masked bytes" else {}
    return _trained(
        Tokenizer(models.BPE()),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
        trainers.BpeTrainer(vocab_size=_SIZE, special_tokens=special, show_progress=False),
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        **names,
    )


def _trained(core: Any, before: Any, after: Any, trainer: Any, **special: Any) -> Any:
    core.pre_tokenizer, core.decoder = before, after
    core.train_from_iterator([*TEXT, *(f" {line}" for line in TEXT)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=128, **special)
