"""The token before a text: one for a pair of models, whatever their tokenizers say of themselves."""

from __future__ import annotations

from transformers import PretrainedConfig, PreTrainedTokenizerBase

from tuneshift.models.vocabulary import special_ids

_BETWEEN_DOCUMENTS = ("<|begin_of_text|>", "<s>", "<bos>", "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>")


def start_token(config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return the id of the token that a causal model reads before a text, None where there is nothing to take.

    The configuration's `bos_token_id`, where that can be one: a special token of the tokenizer and no padding or
    unknown token (a configuration that says nothing inherits its family's number, which may be any token here); else
    the tokenizer's own start token; else the mark between documents that the vocabulary holds under one of its usual
    names; else the tokenizer's end token. The mark goes before the end token because tuning changes what ends an
    answer, but not what stands between documents.
    """
    text_config = config.get_text_config()
    n_rows = getattr(text_config, "vocab_size", None) or len(tokenizer)
    special = {number for number in special_ids(tokenizer) if number < n_rows}
    other = {tokenizer.pad_token_id, tokenizer.unk_token_id} - {tokenizer.bos_token_id, tokenizer.eos_token_id}
    said = getattr(text_config, "bos_token_id", None)
    said = said[0] if isinstance(said, list | tuple) and said else said
    if isinstance(said, int) and said in special - other:
        return said
    own = tokenizer.bos_token_id
    if own is not None and own < n_rows:
        return int(own)
    known = tokenizer.get_vocab()
    for text in _BETWEEN_DOCUMENTS:
        if known.get(text) in special:
            return int(known[text])
    end = tokenizer.eos_token_id
    return int(end) if end is not None and end < n_rows else None


def start_shared_with(
    config: PretrainedConfig,
    tokenizer: PreTrainedTokenizerBase,
    base_config: PretrainedConfig,
    base_tokenizer: PreTrainedTokenizerBase,
    name: str,
    base: str,
) -> tuple[int | None, tuple[str, ...]]:
    """Return the start token that a tuned model shares with its base, the base's, and what must be told of it.

    Where that is another token, or none, in the tuned model's tokenizer, the tuned model keeps its own, and that is
    told: the two then read different texts whatever stands before them.
    """
    own, wanted = start_token(config, tokenizer), start_token(base_config, base_tokenizer)
    if wanted is None:
        return own, ()
    text = start_token_text(base_tokenizer, wanted)
    if tokenizer.get_vocab().get(text) == wanted:
        return wanted, ()
    kept = repr(start_token_text(tokenizer, own)) if own is not None else "nothing"
    return own, (
        f"{name} begins texts with {kept} and its base {base} with {text!r}, which has another number, or none, in the "
        f"tokenizer of {name}: the two do not read the same tokens.",
    )


def start_token_text(tokenizer: PreTrainedTokenizerBase, number: int | None) -> str:
    """Return a start token as the vocabulary writes it, "" for none."""
    return "" if number is None else str(tokenizer.convert_ids_to_tokens(number))
