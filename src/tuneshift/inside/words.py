"""The words that weights are asked about: which they are, their tokens and their embeddings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase
from wordfreq import zipf_frequency

from tuneshift.errors import BadInput
from tuneshift.files.text_file import read_text
from tuneshift.human.text.number_cells import is_plain_number
from tuneshift.models.anatomy import Read
from tuneshift.models.weights import Weights

_SPACE_MARKS = ("Ġ", "▁")
_FEWEST = 10
_RAREST = 3.0  # Zipf value: once in a million words


@dataclass(frozen=True)
class WordList:
    """Words, most frequent first, the tokens of each as it stands after a space, and how their file was read."""

    words: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]
    said: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.words)

    def positions(self, wanted: Sequence[str]) -> list[int]:
        """Return the places of those wanted words that are in the list."""
        place = {word: i for i, word in enumerate(self.words)}
        return [place[word] for word in wanted if word in place]

    def input_embeddings(self, weights: Weights) -> torch.Tensor:
        """Return the mean input embedding of each word's tokens (n_words, d)."""
        return self._means(weights, weights.anatomy.input_embeddings, weights.anatomy.names.input_embedding)

    def output_embeddings(self, weights: Weights) -> torch.Tensor:
        """Return the mean output embedding of each word's tokens (n_words, d)."""
        anatomy = weights.anatomy
        name = anatomy.names.input_embedding if anatomy.tied else anatomy.names.output_embedding
        return self._means(weights, anatomy.output_embeddings, name)

    def _means(self, weights: Weights, embeddings: Callable[[Read], torch.Tensor], name: str) -> torch.Tensor:
        """Return the mean over each word's tokens of embeddings whose matrix is called `name`, read for these only."""
        tokens, places = np.unique([token for tokens in self.tokens for token in tokens], return_inverse=True)
        rows = torch.from_numpy(tokens)
        matrix = embeddings(lambda wanted: weights.read(wanted, rows if wanted == name else None))
        starts = np.cumsum([0, *(len(tokens) for tokens in self.tokens[:-1])])
        flat, offsets = (torch.as_tensor(index, device=matrix.device) for index in (places, starts))
        return torch.nn.functional.embedding_bag(flat, matrix, offsets, mode="mean")


def word_list(
    tokenizer: PreTrainedTokenizerBase,
    words: Sequence[str] | Path | str | None = None,
    n_words: int = 10_000,
) -> WordList:
    """Return the `n_words` most frequent words: the tokenizer's own whole words, a list, or a file (`read_words`).

    Own words are the tokens that are a whole word after a space, capitalised ones only where the vocabulary has no
    lower-case form (names), ordered by their frequency in English; strings that English hardly has (pieces of words)
    are left out, unless they are most of the vocabulary (another language). A list is taken to be in order already.
    Raises BadInput for a list of fewer than 10 words.
    """
    tokens: list[tuple[int, ...]]
    said: list[str] = []
    if words is None:
        found = _own_words(tokenizer)
        ordered = _by_frequency(found)[:n_words]
        tokens = [(found[word],) for word in ordered]
    else:
        given = read_words(Path(words), said) if isinstance(words, str | Path) else words
        ordered = list(dict.fromkeys(word.strip() for word in given if word.strip()))[:n_words]
        tokens = _tokens(tokenizer, ordered)
    if len(ordered) < _FEWEST:
        where = "the tokenizer's vocabulary" if words is None else "the word list"
        raise BadInput(f"{where} has {len(ordered)} words, at least {_FEWEST} are needed; give a list of words.")
    return WordList(tuple(ordered), tuple(tokens), tuple(said))


def read_words(path: Path, said: list[str] | None = None) -> list[str]:
    """Return the words of a file, most frequent first; how it was read is added to `said`.

    One word a line, alone (then the order of lines is that of frequency) or with its count after a tab, comma,
    semicolon or space; a first line such as `word,count` is a heading. Raises BadInput that names the line.
    """
    file = read_text(path)
    told = [file.said] if file.said else []
    rows = [(n, _fields(line)) for n, line in enumerate(file.text.split("\n"), start=1)]
    rows = [(number, fields) for number, fields in rows if fields]
    counted = any(len(fields) == 2 and is_plain_number(fields[1]) for _, fields in rows)
    if counted and rows[0][0] == 1 and len(rows[0][1]) > 1 and not any(map(is_plain_number, rows[0][1])):
        rows = rows[1:]
    counts: dict[str, float] = {}
    for number, fields in rows:
        if len(fields) > 2 or (len(fields) == 2 and not is_plain_number(fields[1])):
            shown = " ".join(fields)[:60]
            raise BadInput(f"word list {path}, line {number}: {shown!r} is no word, or word and count.")
        if counted and len(fields) == 1:
            raise BadInput(f"word list {path}, line {number}: {fields[0][:60]!r} has no count, and other words have.")
        counts.setdefault(fields[0], float(fields[1]) if counted else 0.0)
    if len(counts) < len(rows):
        told.append(f"{len(rows) - len(counts)} words stand there before and were taken once, as they stood first")
    if said is not None:
        said += [f"{Path(path).name}: {sentence}" for sentence in told]
    return sorted(counts, key=lambda word: -counts[word])


def _fields(line: str) -> list[str]:
    return [field.strip('"') for field in re.split(r"[\t,; ]+", line.strip()) if field.strip('"')]


def files_checksum(*paths: Path | None) -> str:
    """Return a checksum over the content of files, "" where there is none; BadInput for one that cannot be read."""
    try:
        digests = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths if path is not None]
    except OSError as error:
        raise BadInput(f"{error.filename} cannot be read: {error.strerror}; give the path of a file.") from error
    return hashlib.sha256(" ".join(digests).encode()).hexdigest() if digests else ""


def _own_words(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Return word -> token for the tokens that are whole words after a space, in the order of tokens."""
    found: dict[str, int] = {}
    special = set(tokenizer.all_special_tokens)
    for token, number in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        if token.startswith(_SPACE_MARKS) and token not in special:
            word = tokenizer.convert_tokens_to_string([token]).strip()
            if len(word) > 1 and word.isalpha():
                found.setdefault(word, number)
    return {word: number for word, number in found.items() if word.islower() or word.lower() not in found}


def _by_frequency(words: Iterable[str]) -> list[str]:
    zipf = {word: zipf_frequency(word, "en") for word in words}
    known = [word for word in zipf if zipf[word] >= _RAREST]
    return sorted(known if 2 * len(known) >= len(zipf) else zipf, key=lambda word: -zipf[word])


def _tokens(tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> list[tuple[int, ...]]:
    """Return each word's tokens after a space, cut out of "a word" by character offsets: every tokenizer has those."""
    if not words:
        return []
    encoded = tokenizer([f"a {word}" for word in words], add_special_tokens=False, return_offsets_mapping=True)
    return [
        tuple(token for token, (_, stop) in zip(tokens, offsets, strict=True) if stop > 1)
        for tokens, offsets in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    ]
