"""Every command on one saved model, each result held against plain transformers, which knows nothing of tuneshift."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tools.architectures.zoo import Species

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.inside import attribute
from tuneshift.inside.attribution.cost import gradient_times_input
from tuneshift.inside.attribution.layout import lay_out
from tuneshift.inside.attribution.tangent_tensor import NoTangentRule
from tuneshift.inside.concepts.measurement import FeedforwardConcepts
from tuneshift.inside.heads.measurement import HeadPatterns
from tuneshift.models import LanguageModel
from tuneshift.models.decoder_start import decoder_start
from tuneshift.models.weights import Weights

WORKS = "works"
DOCUMENTS = [
    ["the old miller woke", "and lit the lamp in the house", "when rain fell on the road"],
    ["she heard the wind", "and saw a light above the hill"],
]
PROMPT, RESPONSE = "the dog slept by the fire", "and the children sang a song"


class Differs(AssertionError):
    """A command's numbers are not those of plain transformers."""


def cells(species: Species, folder: Path) -> dict[str, str]:
    """Return what every command does with the model in `folder`: "works", or the sentence with which it declines.

    Raises Differs where a command gives numbers that plain transformers does not; any other error is the command's own.
    """
    model = LanguageModel.load(str(folder), device="cpu")
    plain = species.auto.from_pretrained(folder, dtype=torch.float32).eval()
    return {
        "states": _cell(lambda: _states(model, plain)),
        "surprisal": _cell(lambda: _surprisals(model, plain)),
        "attribution": _cell(lambda: (_attribution(model, plain), _answers(model, plain))),
        "heads": _cell(lambda: _heads(folder, plain)),
        "concepts": _cell(lambda: _concepts(folder, plain)),
    }


def _cell(check: Callable[[], object]) -> str:
    try:
        check()
    except (BadInput, MeasurementFailed) as refusal:
        return str(refusal)
    return WORKS


def _close(found: Any, expected: Any, what: str) -> None:
    found, expected = (np.asarray(values, dtype=np.float64) for values in (found, expected))
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise Differs(f"{what}: shape {found.shape} for {expected.shape}, or numbers that are none")
    size = np.abs(expected).max()
    if not np.abs(found - expected).max() <= 1e-4 * size + 1e-9:
        raise Differs(f"{what}: off by {np.abs(found - expected).max():.2g} of {size:.2g}")


def _ids(model: LanguageModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False)["input_ids"])


def _framed(model: LanguageModel, plain: Any, ids: list[int]) -> tuple[list[int], int]:
    """A text's tokens between the special tokens that its kind of model wants, and how many stand before."""
    tokenizer = model.tokenizer
    if plain.config.is_encoder_decoder:
        return [*ids, tokenizer.eos_token_id], 0
    if tokenizer.mask_token_id is not None:
        return [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id], 1
    return [tokenizer.bos_token_id, *ids], 1


def _states(model: LanguageModel, plain: Any) -> None:
    """Hidden states of each part are those of the text up to there, read alone."""
    found = model.hidden_states(DOCUMENTS)
    expected = []
    for parts in DOCUMENTS:
        for n in range(1, len(parts) + 1):
            ids = _ids(model, " ".join(parts[:n]))
            framed, before = _framed(model, plain, ids)
            body = plain.get_encoder() if plain.config.is_encoder_decoder else plain.base_model
            with torch.no_grad(), _last_block(body) as last:
                layers = list(body(input_ids=torch.tensor([framed]), output_hidden_states=True).hidden_states)
            if layers[-1].shape != layers[0].shape:  # OPT-350m: what transformers gives last is projected already
                layers[-1] = last[0]
            expected.append(torch.stack([layer[0, before + len(ids) - 1] for layer in layers]).numpy())
    if found.shape[1:] != (model.n_layers + 1, model.n_units):
        raise Differs(f"states are {found.shape}, of {model.n_layers} layers and {model.n_units} units")
    _close(found, np.stack(expected), "hidden states")


@contextmanager
def _last_block(body: Any) -> Iterator[list[torch.Tensor]]:
    """Collect what the last block of an OPT gives."""
    found: list[torch.Tensor] = []
    blocks = getattr(getattr(body, "decoder", None), "layers", [torch.nn.Identity()])
    handle = blocks[-1].register_forward_hook(
        lambda *args: found.append(args[2][0] if args[2].__class__ is tuple else args[2])
    )
    yield found
    handle.remove()


def _surprisals(model: LanguageModel, plain: Any) -> None:
    """Plain surprisals are sums of -log2 p over a word's tokens, one forward pass a token."""
    documents = [" ".join(parts).split() for parts in DOCUMENTS]
    table = model.surprisals(documents)
    expected = []
    for words in documents:
        pieces = [_ids(model, " ".join(words[: n + 1])) for n in range(len(words))]
        starts = [0, *(len(piece) for piece in pieces[:-1])]
        for start, piece in zip(starts, pieces, strict=True):
            expected.append(
                sum(_bits(model, plain, pieces[-1], i, len(piece), start) for i in range(start, len(piece)))
            )
    if not np.isfinite(table[["surprisal", "surprisal_plain", "entropy"]].to_numpy()).all():
        raise Differs("surprisals that are no numbers")
    _close(table["surprisal_plain"], expected, "surprisals")


def _bits(model: LanguageModel, plain: Any, ids: list[int], at: int, stop: int, start: int) -> float:
    """-log2 p of token `at` of a word from `start` to `stop`."""
    tokenizer = model.tokenizer
    if plain.config.is_encoder_decoder:
        sentinel = tokenizer.convert_tokens_to_ids("<extra_id_0>")
        reads = torch.tensor([[*ids[:start], sentinel, tokenizer.eos_token_id]])
        writes = torch.tensor([[tokenizer.pad_token_id, sentinel, *ids[start:at]]])
        inputs, row = {"input_ids": reads, "decoder_input_ids": writes}, -1
    elif tokenizer.mask_token_id is not None:
        masked = [*ids[:at], *[tokenizer.mask_token_id] * (stop - at), *ids[stop:]]
        framed, before = _framed(model, plain, masked)
        inputs, row = {"input_ids": torch.tensor([framed])}, before + at
    else:
        inputs, row = {"input_ids": torch.tensor([_framed(model, plain, ids[:at])[0]])}, -1
    with torch.no_grad():
        logits = plain(**inputs).logits[0, row].double()
    return float(-logits.log_softmax(-1)[ids[at]] / math.log(2))


def _attribution(model: LanguageModel, plain: Any) -> None:
    """Gradient x input is what plain automatic differentiation gives, one response token at a time."""
    layout = lay_out(model, PROMPT, RESPONSE)
    found = attribute(model, PROMPT, RESPONSE).raw
    prompt = torch.as_tensor(layout.prompt)
    columns = []
    for position, target in zip(layout.response, layout.target_ids, strict=True):
        ids = layout.ids if layout.decoder_ids is not None else layout.ids[:position]
        leaf = plain.get_input_embeddings()(torch.as_tensor(ids)[None]).detach().requires_grad_()
        inputs: dict[str, Any] = {"inputs_embeds": leaf, "use_cache": False}
        if layout.decoder_ids is not None:
            inputs["decoder_input_ids"] = torch.as_tensor(layout.decoder_ids[:position])[None]
        p = plain(**inputs).logits[0, -1].softmax(-1)[int(target)]
        (gradient,) = torch.autograd.grad(p, leaf)
        columns.append((gradient * leaf).sum(-1)[0, prompt].detach().numpy())
    expected = np.stack(columns, axis=1)
    _close(found, expected, "attribution")
    for mode in ("auto", "forward"):
        with suppress(NoTangentRule):  # said where forwards is asked for by name; "auto" goes backwards then
            raw, _ = gradient_times_input(model.torch_model, layout, mode=mode)
            _close(raw, expected, f"attribution, mode {mode}")


def _answers(model: LanguageModel, plain: Any) -> None:
    """Answers to prompts of several lengths at once are those of one greedy pass a token, each prompt alone."""
    prompts = [PROMPT, "she heard", DOCUMENTS[0][0]]
    for prompt, answer in zip(prompts, model.generate(prompts, max_new_tokens=4), strict=True):
        read = _framed(model, plain, _ids(model, prompt))[0]
        written: list[int] = []
        start = [decoder_start(plain, model.tokenizer)]
        while len(written) < 4 and model.tokenizer.eos_token_id not in written:
            inputs = {"input_ids": torch.tensor([read + written]), "use_cache": False}
            if plain.config.is_encoder_decoder:
                inputs |= {"input_ids": torch.tensor([read]), "decoder_input_ids": torch.tensor([start + written])}
            with torch.no_grad():
                written.append(int(plain(**inputs).logits[0, -1].argmax()))
        forced = plain.generation_config.forced_eos_token_id  # BART ends whatever it writes
        written = written[:-1] if forced is not None else written
        if answer != model.tokenizer.decode(written, skip_special_tokens=True):
            raise Differs(f"the answer to {prompt!r} is {answer!r}")


def _heads(folder: Path, plain: Any) -> None:
    """Word pairs come out, and the folded weights read from the files are those of the model in memory."""
    files = Weights.open(str(folder), device="cpu")
    result = HeadPatterns(n_words=60, n_frequent=50, top_words=20).run(files)
    pairs = result.table[result.table["metric"] == "head_pairs"]["value"]
    if len(pairs) != files.anatomy.n_layers or not pairs.sum() > 0:
        raise Differs("no head knows a pair of words")
    memory = Weights("memory", plain.config, files.tokenizer, plain.state_dict(), torch.device("cpu"))
    for layer in range(files.anatomy.n_layers):
        for read, held in zip(*(w.anatomy.folded_query_key(w.read, layer) for w in (files, memory)), strict=True):
            _close(read, held, "queries and keys")
    _close(*(w.anatomy.input_embeddings(w.read) for w in (files, memory)), "input embeddings")


def _concepts(folder: Path, plain: Any) -> None:
    """Components come out, and what is read from the files is what the model holds in memory."""
    files = Weights.open(str(folder), device="cpu")
    shares = FeedforwardConcepts(n_words=60, n_components=8).run(files).table["value"]
    if not (shares > 0).all() or not (shares <= 1 + 1e-6).all():
        raise Differs("components whose share of the variance is none")
    memory = Weights("memory", plain.config, files.tokenizer, plain.state_dict(), torch.device("cpu"))
    for layer in range(files.anatomy.n_layers):
        _close(*(w.anatomy.down_projection(w.read, layer) for w in (files, memory)), "down projection")
    _close(*(w.anatomy.output_embeddings(w.read) for w in (files, memory)), "output embeddings")
