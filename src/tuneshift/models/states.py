"""Hidden states of every layer at every part of a text, in one pass over each document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.errors import BadInput, MeasurementFailed
from tuneshift.models.body_states import body_states
from tuneshift.models.documents import TokenisedDocument, Window, tokenise, windows
from tuneshift.models.kind import kind_of
from tuneshift.models.start_token import start_token
from tuneshift.progress import Progress, silent

Pool = Literal["last", "mean"]
Stack = Literal["encoder", "decoder"]
_Runner = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, ...]]


@dataclass(frozen=True)
class _Reading:
    """One forward pass: the tokens of a window and the parts whose state is taken from it."""

    ids: np.ndarray
    rows: np.ndarray  # rows of the output array
    first: np.ndarray  # token range of each part within `ids`
    last: np.ndarray


def hidden_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    documents: Sequence[Sequence[str]],
    *,
    context_length: int,
    start: int | None = None,
    pool: Pool = "last",
    layers: Sequence[int] | None = None,
    stack: Stack = "encoder",
    batch_tokens: int = 4096,
    progress: Progress = silent,
) -> np.ndarray:
    """Return hidden states (n_parts, n_layers + 1, n_units) in float32, parts in document order (paper 1, section 2).

    Layer 0 is the embedding output; the last layer is what transformers calls the last hidden state, after the final
    norm. A part's state is that of its last token, or the mean over its tokens. A causal model reads each document
    once; documents past `context_length` are read in windows that overlap by half. A bidirectional encoder would see
    what follows a part, so it reads the text up to each part anew. `layers` selects layers (default all). `start`: the
    token before a causal model's text (default: its own, see `start_token`).

    Raises BadInput for an empty document or layer that does not exist, MeasurementFailed where memory runs out.
    """
    n_layers = body_layers(model, stack)
    wanted = list(range(n_layers + 1)) if layers is None else [_checked_layer(layer, n_layers) for layer in layers]
    tokens = [tokenise(parts, tokenizer, f"document {i + 1}") for i, parts in enumerate(documents)]
    prefix, suffix = special_tokens(model, tokenizer, start)
    room = context_length - len(prefix) - len(suffix)
    causal = is_causal(model, stack)
    readings = list(_readings(tokens, prefix, suffix, room, causal))
    output = np.empty((sum(len(t.last) for t in tokens), len(wanted), _width(model)), dtype=np.float32)
    run = _runner(model, stack)
    done = 0
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    for batch in _batches(readings, batch_tokens):
        for reading, states in zip(batch, _run_batch(run, batch, model.device, wanted, pad), strict=True):
            output[reading.rows] = _pooled(states, reading, pool)
        done += len(batch)
        progress("hidden states", done, len(readings))
    return output


def body_layers(model: PreTrainedModel, stack: Stack = "encoder") -> int:
    """Return L, the number of blocks (of the stack asked for, in an encoder-decoder model)."""
    config = model.config.get_text_config()
    if model.config.is_encoder_decoder and stack == "decoder":
        return int(getattr(config, "num_decoder_layers", None) or config.decoder_layers)
    return int(getattr(config, "num_hidden_layers", None) or config.num_layers)


def is_causal(model: PreTrainedModel, stack: Stack = "encoder") -> bool:
    """Whether a token's state depends on what came before only."""
    if model.config.is_encoder_decoder:
        return stack == "decoder"
    return kind_of(model.config) == "causal"


def special_tokens(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, start: int | None = None
) -> tuple[list[int], list[int]]:
    """Return what stands before and after a text: the start token for causal models, an end mark for encoders.

    `start`: the start token, where it is not the model's own. Raises BadInput for a masked model without the marks.
    """
    if model.config.is_encoder_decoder:
        return [], [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
    if not is_causal(model):
        before = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
        after = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
        if before is None or after is None:
            raise BadInput(
                "this masked model's tokenizer names no token to stand before and after a text (cls_token, sep_token); "
                "name them in its tokenizer_config.json."
            )
        return [before], [after]
    start = start_token(model.config, tokenizer) if start is None else start
    return ([start] if start is not None else []), []


def _readings(
    tokens: Sequence[TokenisedDocument], prefix: list[int], suffix: list[int], room: int, causal: bool
) -> Iterator[_Reading]:
    offset = 0
    for document in tokens:
        cuts = windows(len(document.ids), room) if causal else _growing(document, room)
        for window in cuts:
            inside = (document.last >= window.fresh) & (document.last < window.stop)
            parts = np.flatnonzero(inside)
            if not causal:
                parts = parts[-1:]
            if not len(parts):
                continue
            ids = np.concatenate([prefix, document.ids[window.start : window.stop], suffix]).astype(np.int64)
            shift = len(prefix) - window.start
            first = np.maximum(document.first[parts], window.start) + shift
            yield _Reading(ids, offset + parts, first, document.last[parts] + shift)
        offset += len(document.last)


def _growing(document: TokenisedDocument, room: int) -> Iterator[Window]:
    """Windows that end at each part in turn, for models that look ahead."""
    for last in document.last:
        stop = int(last) + 1
        yield Window(max(0, stop - room), stop, stop - 1)


def _batches(readings: Sequence[_Reading], batch_tokens: int) -> Iterator[list[_Reading]]:
    """Group passes of similar length, at most `batch_tokens` padded tokens together."""
    batch: list[_Reading] = []
    for reading in sorted(readings, key=lambda r: -len(r.ids)):
        if batch and (len(batch) + 1) * len(batch[0].ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(reading)
    if batch:
        yield batch


def _run_batch(
    run: _Runner, batch: Sequence[_Reading], device: torch.device, wanted: Sequence[int], pad: int
) -> Iterator[list[torch.Tensor]]:
    """Yield, for each reading of the batch, its states, one (n_tokens, n_units) a wanted layer."""
    length = max(len(reading.ids) for reading in batch)
    ids = torch.full((len(batch), length), pad, dtype=torch.long)
    mask = torch.zeros((len(batch), length), dtype=torch.long)
    for row, reading in enumerate(batch):
        ids[row, : len(reading.ids)] = torch.from_numpy(reading.ids)
        mask[row, : len(reading.ids)] = 1
    try:
        with torch.inference_mode():
            layers = run(ids.to(device), mask.to(device))
    except torch.OutOfMemoryError as error:
        raise MeasurementFailed(
            f"out of memory reading {len(batch)} windows of {length} tokens at once; use a smaller batch."
        ) from error
    for row in range(len(batch)):
        yield [layers[layer][row] for layer in wanted]


def _runner(model: PreTrainedModel, stack: Stack) -> _Runner:
    """Return a function (ids, mask) -> tuple of L+1 states (batch, n_tokens, n_units), without computing logits."""
    if not model.config.is_encoder_decoder:
        body, n_layers = model.base_model, body_layers(model)
        return lambda ids, mask: body_states(
            body,
            lambda: body(input_ids=ids, attention_mask=mask, output_hidden_states=True, **_no_cache(model)),
            n_layers,
        )
    if stack == "encoder":
        encoder = model.get_encoder()
        return lambda ids, mask: encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    return lambda ids, mask: _decoder_states(model, ids, mask)


def _decoder_states(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """States of the decoder as it writes the text itself, the encoder having read nothing but the end mark."""
    empty = torch.full((ids.shape[0], 1), int(model.config.eos_token_id or 1), device=ids.device)
    return model(
        input_ids=empty, decoder_input_ids=ids, decoder_attention_mask=mask, output_hidden_states=True, use_cache=False
    ).decoder_hidden_states


def _no_cache(model: PreTrainedModel) -> dict[str, bool]:
    return {"use_cache": False} if is_causal(model) else {}


def _pooled(states: Sequence[torch.Tensor], reading: _Reading, pool: Pool) -> np.ndarray:
    if pool == "last":
        last = torch.as_tensor(reading.last, device=states[0].device)
        return torch.stack([layer[last.to(layer.device)].float().cpu() for layer in states], dim=1).numpy()
    if pool != "mean":
        raise BadInput(f"pool {pool!r} is unknown; use last or mean.")
    out = []
    for layer in states:
        sums = torch.cat([torch.zeros_like(layer[:1], dtype=torch.float64), layer.double().cumsum(0)])
        first, last = (torch.as_tensor(x, device=layer.device) for x in (reading.first, reading.last))
        out.append(((sums[last + 1] - sums[first]) / (last - first + 1)[:, None]).float().cpu())
    return torch.stack(out, dim=1).numpy()


def _width(model: PreTrainedModel) -> int:
    config = model.config.get_text_config()
    return int(getattr(config, "hidden_size", None) or config.d_model)


def _checked_layer(layer: int, n_layers: int) -> int:
    if not -n_layers - 1 <= layer <= n_layers:
        raise BadInput(f"layer {layer} does not exist: this model has layers 0 (embeddings) to {n_layers}.")
    return layer % (n_layers + 1)
