"""The words that weights are asked about: which they are, their tokens, their embeddings, and vectors from a file."""

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
from tuneshift.models.anatomy import Read
from tuneshift.models.weights import Weights

_SPACE_MARKS = ("Ġ", "▁")
_FEWEST = 10
_RAREST = 3.0  # Zipf value: once in a million words


@dataclass(frozen=True)
class WordList:
    """Words, most frequent first, and the tokens of each as it stands after a space."""

    words: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]

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
    if words is None:
        found = _own_words(tokenizer)
        ordered = _by_frequency(found)[:n_words]
        tokens = [(found[word],) for word in ordered]
    else:
        given = read_words(Path(words)) if isinstance(words, str | Path) else words
        ordered = list(dict.fromkeys(word.strip() for word in given if word.strip()))[:n_words]
        tokens = _tokens(tokenizer, ordered)
    if len(ordered) < _FEWEST:
        where = "the tokenizer's vocabulary" if words is None else "the word list"
        raise BadInput(f"{where} has {len(ordered)} words, at least {_FEWEST} are needed; give a list of words.")
    return WordList(tuple(ordered), tuple(tokens))


def read_words(path: Path) -> list[str]:
    """Return the words of a file, most frequent first.

    One word a line, alone (then the order of lines is that of frequency) or with its count after a tab, comma or
    space; a first line such as `word,count` is a heading. Raises BadInput that names the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"word list {path} cannot be read: {error}") from error
    counts: dict[str, float] = {}
    for number, line in enumerate(lines, start=1):
        fields = [field for field in re.split(r"[\t, ]+", line.strip()) if field]
        if not fields:
            continue
        if len(fields) > 2 or (len(fields) == 2 and not _is_number(fields[1])):
            if number == 1:
                continue
            raise BadInput(f"word list {path}, line {number}: {line.strip()[:60]!r} is no word, or word and count.")
        counts.setdefault(fields[0], float(fields[1]) if len(fields) == 2 else 0.0)
    return sorted(counts, key=lambda word: -counts[word])


def read_vectors(path: Path, words: Sequence[str]) -> np.ndarray:
    """Return the vectors of words (n_words, n_dimensions) from a text file such as GloVe's: word, then numbers.

    NaN for words that the file does not have. The file is read line by line. Raises BadInput that names the line.
    """
    wanted: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        wanted.setdefault(word.lower(), []).append(i)
    found: dict[int, tuple[bool, np.ndarray]] = {}
    width = 0
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                word, _, rest = line.rstrip().partition(" ")
                if word.lower() not in wanted or (number == 1 and rest.strip().isdigit()):
                    continue
                try:
                    vector = np.array(rest.split(), dtype=np.float32)
                except ValueError as error:
                    raise BadInput(f"vectors file {path}, line {number}: {rest[:40]!r} are no numbers.") from error
                width = width or len(vector)
                if len(vector) != width or not width:
                    raise BadInput(
                        f"vectors file {path}, line {number}: {len(vector)} numbers where {width} stand above."
                    )
                for i in wanted[word.lower()]:
                    exact = word == words[i]
                    if i not in found or (exact and not found[i][0]):
                        found[i] = (exact, vector)
    except OSError as error:
        raise BadInput(f"vectors file {path} cannot be read: {error}") from error
    if len(found) < _FEWEST:
        raise BadInput(
            f"vectors file {path} has vectors for {len(found)} of the {len(words)} words; is it the language?"
        )
    vectors = np.full((len(words), width), np.nan, dtype=np.float32)
    for i, (_, vector) in found.items():
        vectors[i] = vector
    return vectors


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


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
