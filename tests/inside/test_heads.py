"""What a head looks for: against a naive computation, and with a pair of words planted in a hand-made model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import blank_llama, families, language_model, sixty_words, weights_of

from tuneshift.errors import BadInput
from tuneshift.inside import HeadPatterns, head_patterns
from tuneshift.inside.heads.neighbours import plausible_neighbours
from tuneshift.models import LanguageModel

TOP = 12


def _naive_pairs(query: np.ndarray, key: np.ndarray, words: np.ndarray, plausible: np.ndarray) -> dict[Any, int]:
    """Count, dimension by dimension and word by word, the pairs of one head: query and key weights (d, d_head)."""
    counts: dict[tuple[int, int], int] = {}
    for i in range(query.shape[1]):
        q, k = words @ query[:, i], words @ key[:, i]
        for a in np.argsort(-np.abs(q))[:TOP]:
            for b in np.argsort(-np.abs(k))[:TOP]:
                if q[a] * k[b] > 0 and plausible[a, b]:
                    counts[int(a), int(b)] = counts.get((int(a), int(b)), 0) + 1
    return {pair: count for pair, count in counts.items() if count > 1}


def _naive_plane_pairs(
    query: np.ndarray, key: np.ndarray, words: np.ndarray, plausible: np.ndarray, rotary_dims: int, neighbours: bool
) -> dict[Any, int]:
    half, d_head = rotary_dims // 2, query.shape[1]
    turning = [(2 * i, 2 * i + 1) if neighbours else (i, i + half) for i in range(half)]
    planes = turning + [(i, i) for i in range(rotary_dims, d_head)]
    counts: dict[tuple[int, int], int] = {}
    for i, j in planes:
        q, k = (np.stack([words @ side[:, i], (words @ side[:, j]) * (i != j)]) for side in (query, key))
        for a in np.argsort(-np.hypot(*q))[:TOP]:
            for b in np.argsort(-np.hypot(*k))[:TOP]:
                if q[:, a] @ k[:, b] > 0 and plausible[a, b]:
                    counts[int(a), int(b)] = counts.get((int(a), int(b)), 0) + 1
    return {pair: count for pair, count in counts.items() if count > 1}


@pytest.mark.parametrize("family", list(families().FAMILIES))
def test_every_architecture_agrees_with_a_computation_word_by_word(family: str, fable_2m: LanguageModel) -> None:
    weights = weights_of(families().tiny(family), fable_2m.tokenizer)
    listed, anatomy = sixty_words(fable_2m.tokenizer), weights.anatomy
    plausible = torch.rand(60, 60, generator=torch.Generator().manual_seed(1)) < 0.5
    matrix = anatomy.input_embeddings(weights.read).double().numpy()
    words = np.stack([matrix[list(tokens)].mean(axis=0) for tokens in listed.tokens])
    for unit in ("dimension", "plane"):
        found = head_patterns(weights, words=listed, plausible=plausible, top_words=TOP, unit=unit)
        for layer in range(anatomy.n_layers):
            query, key = (side.double().numpy() for side in anatomy.folded_query_key(weights.read, layer))
            for head in range(anatomy.n_heads):
                sides = query[head], key[head // anatomy.queries_per_key], words, plausible.numpy()
                planes, neighbours = anatomy.rotated(layer) if unit == "plane" else 0, anatomy.rotary_neighbours
                expected = _naive_plane_pairs(*sides, planes, neighbours) if planes else _naive_pairs(*sides)
                knowledge = found.head(layer + 1, head)
                pairs = {(int(a), int(b)): int(n) for (a, b), n in zip(knowledge.pairs, knowledge.units, strict=True)}
                assert pairs == expected
                assert list(knowledge.units) == sorted(knowledge.units, reverse=True)


def _planted(tokenizer: Any, query_word: str, key_word: str, head: int) -> LanguageModel:
    """Head `head` of layer 2 asks for `key_word` at `query_word`, in three of its dimensions."""
    model = blank_llama(tokenizer)
    torch_model = model.model
    words = head_words(tokenizer)
    d = torch_model.embed_tokens.weight.shape[1]
    alike, own_query, own_key = torch.linalg.qr(torch.randn(d, 3, generator=torch.Generator().manual_seed(4)))[0].T
    tokens = [words[word] for word in (query_word, key_word)]
    for token, own in zip(tokens, (own_query, own_key), strict=True):  # as long as other words, or all heads see it
        torch_model.embed_tokens.weight[token] = (3 * alike + 2 * own) / 13**0.5
    attention, d_head = torch_model.layers[1].self_attn, d // 4
    for dimension in (1, 5, 9):
        attention.q_proj.weight[head * d_head + dimension] = 9 * own_query
        attention.k_proj.weight[head // 2 * d_head + dimension] = 9 * own_key
    return language_model(model, tokenizer)


def head_words(tokenizer: Any) -> dict[str, int]:
    vocabulary = tokenizer.get_vocab()
    return {token[1:]: number for token, number in vocabulary.items() if token.startswith("Ġ")}


@pytest.mark.parametrize("head", [0, 3])
def test_a_planted_pair_of_words_is_found_in_its_head_and_in_no_other(fable_2m: LanguageModel, head: int) -> None:
    model = _planted(fable_2m.tokenizer, "question", "answer", head)
    found = head_patterns(model)
    assert found.top(2, head, 1) == [["question", "answer"]]
    assert ["answer", "question"] not in found.top(2, head, 1000)
    for layer, other in [(1, 0), (1, 1), (1, 2), (1, 3), *[(2, h) for h in range(4) if h != head]]:
        assert ["question", "answer"] not in found.top(layer, other, 3)


def test_neighbours_must_be_closer_than_chance_for_both_words() -> None:
    """One pair of twins among random directions; a hub near everybody is nobody's neighbour."""
    generator = np.random.default_rng(0)
    vectors = generator.standard_normal((400, 50))
    vectors[7] = vectors[3] + 0.3 * generator.standard_normal(50)
    vectors[11] = np.nan
    found = plausible_neighbours(torch.from_numpy(vectors).float(), n_frequent=400).numpy()
    assert found[3, 7]
    assert (found == found.T).all()
    assert not found[11].any()
    kept = np.delete(np.arange(400), 11)
    centred = vectors[kept] - vectors[kept].mean(axis=0)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = units @ units.T
    others = np.where(np.eye(399, dtype=bool), np.nan, cosines)
    limits = np.nanmean(others, axis=1) + 1.96 * np.nanstd(others, axis=1)
    expected = (cosines > limits[:, None]) & (cosines > limits[None, :])
    assert (found[np.ix_(kept, kept)] == expected).all()


def test_neighbours_may_come_from_a_file_of_vectors(fable_2m: LanguageModel, tmp_path: Path) -> None:
    words = list(head_patterns(fable_2m).words[:300])
    generator = np.random.default_rng(1)
    vectors = {word: generator.standard_normal(20) for word in words}
    vectors[words[5]] = vectors[words[9]] + 0.01
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{word} {' '.join(f'{x:.4f}' for x in vector)}\n" for word, vector in vectors.items()))
    found = head_patterns(fable_2m, words=words, vectors=path, at_least=1, top_words=300)
    pairs = {tuple(pair) for layer in found.layers for head in layer.heads for pair in head.pairs.tolist()}
    assert (5, 9) in pairs
    assert (5, 6) not in pairs


def test_the_table_of_pairs_says_what_each_head_says(fable_2m: LanguageModel) -> None:
    found = head_patterns(fable_2m, n_words=500)
    table = found.table(n=5)
    for (layer, head), rows in table.groupby(["layer", "head"]):
        assert rows[["query_word", "key_word"]].to_numpy().tolist() == found.top(layer, head, 5)
        assert (rows["units"] >= 2).all()
        assert ((rows["energy"] > 0) & (rows["energy"] <= 1 + 1e-6)).all()
    assert len(found.table()) == found.pair_counts().sum()


def test_one_model_alone_gives_counts_by_layer_and_pairs_to_browse(fable_2m: LanguageModel) -> None:
    result = HeadPatterns(kept_pairs=4).run(fable_2m)
    heads = result.details["heads"]
    assert (heads["layers"], heads["heads"]) == (4, 4)
    assert all(len(pairs) <= 4 for layer in heads["pairs"]["model"] for pairs in layer)
    counts = result.arrays["head_pairs"]
    for layer in range(1, 5):
        value = result.value(metric="head_pairs", layer=layer)
        assert value == pytest.approx(float(counts.sel(layer=layer).mean()))
    query, key = heads["pairs"]["model"][2][1][0]
    assert result.value(metric="pair_units", layer=3, target=f"head 1: {query} > {key}") >= 2
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("20 of 38 instruction verbs are not in the word list and are left out")
    assert "translate" in result.warnings[0]


def test_verbs_that_a_list_lacks_are_a_warning(fable_2m: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\n".join(["write", "give", "go", *head_patterns(fable_2m).words[:50]]))
    result = HeadPatterns(words=str(path), verbs=("write", "give", "translate"), control_verbs=("go",)).run(fable_2m)
    said = "1 of 3 instruction verbs are not in the word list and are left out of the verb test: translate."
    assert result.warnings == (said,)


def test_a_list_of_hardly_any_words_is_refused(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="the word list has 0 words, at least 10 are needed"):
        head_patterns(fable_2m, words=[])
    with pytest.raises(BadInput, match="has 2 words"):
        head_patterns(fable_2m, words=["one", " one ", "two", ""])
