"""Surprisal of every word of a corpus: beside minicons on the same words and context, and beside one pass a word.

The corpus is Natural Stories where TUNESHIFT_DATA names a folder that holds it (10,256 words in ten stories, each
longer than the model's context), else the embedded stories, joined into documents of that length. The model is
fable-8m. Every word has the same context for everybody: from the beginning of the window in which tuneshift scores it.

- minicons by sentence: each sentence conditioned on the text before it, which is how minicons reads a story
  (`conditional_score`). Every k-th sentence is timed, and the time multiplied.
- minicons by window: minicons is handed the windows that tuneshift cut, so that it reads the text as often as we do.
  What is left is the cost of the bookkeeping, since the model's own work is the same for both.
- one pass a word: for each word the model reads its whole context again, as a reader does that records the layers of
  a growing context (Brain-Score). Every k-th word is timed, and the time multiplied.

minicons corrects for word boundaries too and is given the batch size that suits it best. Before anything is timed, both
must give the same surprisals.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import print_ratios, side_by_side
from tuneshift.human import ReadingTimes, load_data
from tuneshift.models import LanguageModel
from tuneshift.models.documents import windows
from tuneshift.models.surprisal_boundaries import word_beginnings, word_tokens

OURS = "tuneshift"
BY_SENTENCE, BY_WINDOW = "minicons by sentence", "minicons by window"
PER_WORD = "one pass a word"
EVERY_SENTENCE, EVERY_WORD = 8, 400
AT_LEAST = {BY_SENTENCE: 3, PER_WORD: 50}


@dataclass(frozen=True)
class Piece:
    """Some words of a document: `context` is given, the words of `scored` are scored; `starts` are their tokens."""

    context: str
    scored: str
    starts: np.ndarray


def main(argv: list[str] | None = None) -> None:
    """Time all four and print how many times longer the others take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="fable-8m")
    options = parser.parse_args(argv)
    model = LanguageModel.load(options.model, device="cpu")
    documents, sentences = corpus(model)
    if options.quick:
        documents, sentences = documents[:1], sentences[:1]
    n_words = sum(map(len, documents))
    whole, by_sentence = cut(documents, sentences, model)
    print(
        f"{options.model}, {n_words:,} words in {len(documents)} documents: {len(whole)} windows, "
        f"{len(by_sentence)} sentences"
    )
    read = Minicons(model, whole[:2])
    check_same_surprisals(model, documents, whole, read)
    some = by_sentence[EVERY_SENTENCE // 2 :: EVERY_SENTENCE]
    n_timed = sum(len(range(EVERY_WORD // 2, len(words), EVERY_WORD)) for words in documents)
    medians = side_by_side(
        {
            OURS: lambda: model.surprisals(documents),
            BY_WINDOW: lambda: read(whole),
            BY_SENTENCE: lambda: read(some),
            PER_WORD: lambda: one_pass_a_word(model, documents),
        },
        runs=1 if options.quick else 3,
    )
    for name, timed, of in ((BY_SENTENCE, len(some), len(by_sentence)), (PER_WORD, n_timed, n_words)):
        medians[name] *= of / timed
        print(f"{name}: {timed} of {of:,} timed, the time multiplied by {of / timed:.0f}")
    print_ratios(medians, OURS)
    for name, wanted in AT_LEAST.items():
        print(f"{name}: {medians[name] / medians[OURS]:.1f} times as long; at least {wanted} wanted")


def corpus(model: LanguageModel) -> tuple[list[list[str]], list[np.ndarray]]:
    """Return the documents and the sentence of each word: Natural Stories where it is here, else embedded stories."""
    folder = os.environ.get("TUNESHIFT_DATA")
    real = bool(folder) and (Path(str(folder)) / "natural_stories").is_dir()
    times = load_data("natural_stories" if real else "simulated_reading")
    assert isinstance(times, ReadingTimes)
    parts = [part for _, part in times.words.groupby("document", sort=False)]
    documents = [part["word"].tolist() for part in parts]
    sentences = [part["sentence"].to_numpy() for part in parts]
    if real:
        return documents, sentences
    words = [word for document in documents for word in document]
    numbers = np.concatenate([values + 1000 * i for i, values in enumerate(sentences)])
    wanted = model.context_length
    repeats = math.ceil(wanted / len(words))
    sentence = np.concatenate([numbers + 100_000 * i for i in range(repeats)])[:wanted]
    return [(words * repeats)[:wanted] for _ in range(4)], [sentence for _ in range(4)]


def cut(
    documents: Sequence[list[str]], sentences: Sequence[np.ndarray], model: LanguageModel
) -> tuple[list[Piece], list[Piece]]:
    """Return the windows that `surprisals` reads, at whole words, and the sentences that are scored in each."""
    begins = _begins(model)
    whole, by_sentence = [], []
    for words, sentence in zip(documents, sentences, strict=True):
        tokens = word_tokens(words, model.tokenizer, begins)
        for window in windows(len(tokens.ids), model.context_length - 1):
            inside = (tokens.first >= window.start) & (tokens.last < window.stop)
            fresh = np.flatnonzero(inside & (tokens.last >= window.fresh))
            start = int(np.flatnonzero(inside)[0])
            changes = np.flatnonzero(np.diff(sentence[fresh])) + 1
            whole.append(_piece(words, tokens.first, start, fresh))
            by_sentence += [_piece(words, tokens.first, start, part) for part in np.split(fresh, changes)]
    return whole, by_sentence


def _piece(words: list[str], first: np.ndarray, start: int, scored: np.ndarray) -> Piece:
    text = " ".join(words[scored[0] : scored[-1] + 1])
    return Piece(" ".join(words[start : scored[0]]), text, first[scored] - first[scored[0]])


def _begins(model: LanguageModel) -> np.ndarray:
    return word_beginnings(model.tokenizer, model.torch_model.get_output_embeddings().weight.shape[0])


class Minicons:
    """Reads pieces with minicons, in batches of the size that is quickest here.

    It gives scores of tokens, which are summed here by word: its own words come out shifted where a context is given.
    """

    def __init__(self, model: LanguageModel, sample: Sequence[Piece]) -> None:
        from minicons import scorer

        self._scorer = scorer.IncrementalLMScorer(model.torch_model, "cpu", tokenizer=model.tokenizer)
        sizes: dict[str, Callable[[], object]] = {
            str(size): (lambda size=size: self(list(sample) * 2, size=size)) for size in (1, 4)
        }
        seconds = side_by_side(sizes, runs=1)
        self._size = int(min(seconds, key=lambda size: seconds[size]))
        print(f"minicons is quickest with {self._size} windows at once")

    def __call__(self, pieces: Sequence[Piece], *, corrected: bool = True, size: int | None = None) -> np.ndarray:
        """Return the surprisal (bits) of every scored word, in order."""
        options = {
            "bos_token": True,
            "base_two": True,
            "bow_correction": corrected,
            "reduction": lambda one: -one.numpy(),
        }
        size = size or self._size
        tokens: dict[int, np.ndarray] = {}
        for of_start in (True, False):  # the beginning of a document has no context, and another function
            mine = [i for i, piece in enumerate(pieces) if (piece.context == "") == of_start]
            for batch in (mine[i : i + size] for i in range(0, len(mine), size)):
                texts = [pieces[i].scored for i in batch]
                if of_start:
                    scored = self._scorer.sequence_score(texts, **options)
                else:
                    scored = self._scorer.conditional_score([pieces[i].context for i in batch], texts, **options)
                tokens |= dict(zip(batch, scored, strict=True))
        return np.concatenate([np.add.reduceat(tokens[i], piece.starts) for i, piece in enumerate(pieces)])


def check_same_surprisals(
    model: LanguageModel, documents: Sequence[list[str]], whole: Sequence[Piece], read: Minicons
) -> None:
    """Require the same surprisals from both, before anything is timed.

    A window of ours may begin within a word, so a few words have a sliver more of context. Corrected surprisals differ
    where a text may end: minicons counts only tokens with a leading space as beginnings of words, we also its end.
    """
    table = model.surprisals(documents)
    ends = np.cumsum([len(piece.starts) for piece in whole])
    if ends[-1] != len(table):
        raise SystemExit(f"minicons scores {ends[-1]} words, tuneshift {len(table)}: nothing is compared")
    # minicons corrects the first word of a window for no boundary before it.
    inner = np.ones(len(table), dtype=bool)
    inner[[0, *ends[:-1], *(ends - 1)]] = False
    for column, corrected, most in (("surprisal_plain", False, 0.1), ("surprisal", True, 0.7)):
        apart = np.abs(table[column].to_numpy() - read(whole, corrected=corrected))[inner]
        told = f"median difference {np.median(apart):.1g} bits, 99% below {np.quantile(apart, 0.99):.1g}"
        print(f"the same {column}: {told}")
        if np.quantile(apart, 0.99) > most:
            raise SystemExit("these are not the same surprisals: nothing is compared")


def one_pass_a_word(model: LanguageModel, documents: Sequence[list[str]]) -> float:
    """Read the whole context again for every so many-th word, and return the sum of surprisals (bits)."""
    begins = _begins(model)
    start = model.tokenizer.bos_token_id
    total = 0.0
    for words in documents:
        tokens = word_tokens(words, model.tokenizer, begins)
        for word in range(EVERY_WORD // 2, len(words), EVERY_WORD):
            stop = int(tokens.last[word]) + 1
            ids = tokens.ids[max(0, stop - model.context_length + 1) : stop].tolist()
            with torch.inference_mode():
                logits = model.torch_model(input_ids=torch.tensor([[start, *ids]]), use_cache=False).logits[0]
            n = int(tokens.last[word] - tokens.first[word]) + 1
            log_p = torch.log_softmax(logits[-n - 1 : -1].float(), -1)
            total -= float(log_p[torch.arange(n), ids[-n:]].sum()) / math.log(2)
    return total


if __name__ == "__main__":
    main()
