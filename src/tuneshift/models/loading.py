"""From a name to weights in memory: hub id, folder, adapter or embedded model; safetensors only, all weights there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.utils import logging as hub_logging
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from tuneshift.errors import BadInput, MeasurementFailed, MissingExtra, first_line, nearest
from tuneshift.models.adapters import merged
from tuneshift.models.all_there import experts_missing, listed, require_all, said_of_unexpected
from tuneshift.models.embeddings import embedding_rows, say_untied
from tuneshift.models.kind import auto_class, require_kind
from tuneshift.models.revision import local_folder, unknown_model
from tuneshift.models.shards import SafetensorFiles, indexed_shards
from tuneshift.models.source import Source, name_of, revision_of, source_of
from tuneshift.models.start_token import start_shared_with, start_token, start_token_text
from tuneshift.models.states import is_causal
from tuneshift.models.vocabulary import require_room

transformers_logging.disable_progress_bar()  # our own progress says what is going on
hub_logging.set_verbosity_error()  # a hub that does not answer is said once, in our own words
transformers_logging.set_verbosity_error()  # texts past the context are cut into windows here: no need to warn

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.*")
_FEWEST_TOKENS = 16  # without its file, transformers makes a tokenizer of its special tokens alone


@dataclass(frozen=True)
class Parts:
    """A model (evaluation mode, no parameter gradients), its fast tokenizer, and what came out as they were loaded.

    `revision` is that of its files; `start`: the id of the token before a text (causal models). `notes`: what must be
    told with every result.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    revision: str
    start: int | None
    notes: tuple[str, ...] = ()


def load_parts(
    ref: str,
    *,
    device: torch.device,
    dtype: str,
    device_map: str | None,
    trust_remote_code: bool,
    revision: str | None,
    starts_like: str | None = None,
    starts_like_revision: str | None = None,
) -> Parts:
    """Load a model and its tokenizer, and prove that they are what they say.

    Every tensor came from a file, every token has an embedding, a causal model does not look ahead, an adapter says
    the same merged as beside its base. `starts_like` names the base whose start token is read too (see `start_token`);
    an adapter has its own base's.

    Raises BadInput where the model does not exist, is not whole or holds no safetensors, MeasurementFailed where it
    will not load.
    """
    source = source_of(ref, revision)
    name = name_of(ref)
    _require_safetensors(source)
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code, "revision": source.revision or "main"}
    config = load_config(source, ref, trust_remote_code)
    tokenizer = load_tokenizer(source, ref, trust_remote_code)
    if device_map is not None:
        _require_accelerate()
    kind, wanted = auto_class(config), torch_dtype(dtype, device)
    try:
        model, info = kind.from_pretrained(
            source.base,
            config=config,
            use_safetensors=True,
            dtype=wanted,
            device_map=device_map,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are listed then, and refused below with their names
            **options,
        )
        if device_map is None:
            model = model.to(device)
    except (OSError, SafetensorError) as error:
        raise BadInput(
            f"model {ref!r} has no weights in safetensors form that can be read ({first_line(error)}); "
            "download it again."
        ) from error
    except Exception as error:
        raise _not_loaded(ref, source, error) from error
    if info["mismatched_keys"]:  # a stack of experts is too small where one of them is missing
        _require_experts(ref, source)
    model, notes = _whole(model, info, name)
    if source.adapter is not None:
        model = merged(model, source.adapter, name)
    model = prepared(model)
    _say_whether_tied(model)
    require_room(tokenizer, embedding_rows(model), name)
    require_kind(model, name)
    causal = is_causal(model)
    start = start_token(model.config, tokenizer) if causal else None
    base = starts_like or (source.base_name if source.adapter is not None else None)
    if base is not None and causal:
        start, told = other_start(
            model.config, tokenizer, name, base, trust_remote_code, starts_like_revision if starts_like else None
        )
        notes = (*notes, *told)
    return Parts(model, tokenizer, revision_of(source), start, notes)


def load_config(source: Source, ref: str, trust_remote_code: bool = False) -> PretrainedConfig:
    """Load the configuration of a model, of an adapter that of its base; BadInput where there is none."""
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(
            source.base, trust_remote_code=trust_remote_code, revision=source.revision or "main"
        )
    except Exception as error:  # whatever a file of somebody else's makes transformers say
        raise no_usable_files(ref, local_folder(ref), error) from error
    return config


def load_tokenizer(source: Source, ref: str, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """Load the fast tokenizer of a model: an adapter's own where its folder has one, else its base's.

    Raises BadInput where there is none, or only a slow one.
    """
    adapter = source.adapter
    own = adapter is not None and any(list(adapter.glob(file)) for file in _VOCABULARIES)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(adapter) if own else source.base,
            trust_remote_code=trust_remote_code,
            revision="main" if own else source.revision or "main",
        )
    except Exception as error:  # whatever a file of somebody else's makes transformers say
        raise no_usable_files(ref, local_folder(ref), error) from error
    if not tokenizer.is_fast:
        raise BadInput(f"model {ref!r} has no fast tokenizer, so words cannot be aligned with tokens.")
    if len(set(tokenizer.get_vocab().values()) - set(tokenizer.added_tokens_decoder)) < _FEWEST_TOKENS:
        raise BadInput(
            f"model {ref!r} comes without the vocabulary of its tokenizer (no tokenizer.json, or an empty one); save "
            "the tokenizer that it was trained with into its folder."
        )
    return tokenizer


def other_start(
    config: PretrainedConfig,
    tokenizer: PreTrainedTokenizerBase,
    name: str,
    base: str,
    trust_remote_code: bool = False,
    revision: str | None = None,
) -> tuple[int | None, tuple[str, ...]]:
    """Return the start token that a model shares with `base` (MODEL) and what must be told; no weights are loaded.

    Raises BadInput where there is no such base.
    """
    source = source_of(base, revision)
    base_config = load_config(source, base, trust_remote_code)
    base_tokenizer = load_tokenizer(source, base, trust_remote_code)
    return start_shared_with(config, tokenizer, base_config, base_tokenizer, name, name_of(base))


def start_of(ref: str, revision: str | None = None, trust_remote_code: bool = False) -> str:
    """Return the start token of a MODEL as its vocabulary writes it, "" for none; no weights are loaded."""
    source = source_of(ref, revision)
    tokenizer = load_tokenizer(source, ref, trust_remote_code)
    return start_token_text(tokenizer, start_token(load_config(source, ref, trust_remote_code), tokenizer))


def prepared(model: PreTrainedModel) -> PreTrainedModel:
    """Put a model in evaluation mode and turn parameter gradients off: we read models, we never train them here."""
    model.eval()
    model.requires_grad_(False)
    return model


def torch_dtype(dtype: str, device: torch.device) -> Any:
    """Turn "auto" into float32 on a CPU, the checkpoint's own dtype on an accelerator; BadInput for unknown names."""
    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else "auto"
    if dtype not in _DTYPES:
        raise BadInput(f"dtype {dtype!r} is unknown{nearest(dtype, _DTYPES)}; use auto or one of {', '.join(_DTYPES)}.")
    return _DTYPES[dtype]


def torch_device(device: str) -> torch.device:
    """Turn "auto" into the first GPU or the CPU; BadInput where the device does not exist."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        if found.type == "meta":
            raise RuntimeError("a device that holds no numbers")
        torch.zeros(1, device=None if found.type == "cuda" else found)  # a kind that this torch was built without
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInput(f"device {device!r} is unknown here; use auto, cpu, cuda or cuda:1.") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise BadInput(f"device {device!r} was asked for, but this machine has no CUDA GPU; use --device cpu.")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise BadInput(f"device {device!r} was asked for, but this machine has {torch.cuda.device_count()} CUDA GPUs.")
    return found


def _require_safetensors(source: Source) -> None:
    folder = source.folder
    if folder is None:
        return
    if not (folder / "config.json").is_file():
        raise BadInput(
            f"model folder {folder} has no config.json; give the folder that `save_pretrained` wrote, or one with an "
            "adapter (adapter_config.json)."
        )
    if not list(folder.glob("*.safetensors")):
        raise BadInput(
            f"model folder {folder} holds no .safetensors file; save it again with `save_pretrained` "
            "(pickled .bin weights are never loaded)."
        )
    indexed_shards(folder)  # raises where the index leads out of the folder


def _whole(model: PreTrainedModel, info: dict[str, Any], name: str) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """Return the model with what must be told of it, or its body alone where it was saved without its output layer."""
    missing = set(info["missing_keys"])
    head = _head_tensors(model)
    notes = said_of_unexpected(info, name)
    if missing and missing == head:
        require_all(model, info, name, ())
        told = (
            f"{name} was saved without its output layer ({len(missing)} tensors: {listed(sorted(missing))}): it has "
            "hidden states and gives no probabilities."
        )
        body = model.base_model
        assert isinstance(body, PreTrainedModel)
        return body, (*notes, told)
    require_all(model, info, name, missing)
    return model, notes


def _say_whether_tied(model: PreTrainedModel) -> None:
    """Correct a configuration that says tied where the files hold an output layer of its own."""
    inputs, outputs = (getattr(layer, "weight", None) for layer in (model.get_input_embeddings(), _output_layer(model)))
    if outputs is None or outputs is inputs or outputs.is_meta:
        return
    say_untied(model.config)


def _output_layer(model: PreTrainedModel) -> torch.nn.Module | None:
    found = model.get_output_embeddings()
    return found if isinstance(found, torch.nn.Module) else None


def _head_tensors(model: PreTrainedModel) -> set[str]:
    """The tensors of a model that are not its body's; none where it has no body apart."""
    body = model.base_model
    if body is model or model.config.is_encoder_decoder:
        return set()
    own = {id(tensor) for tensor in body.state_dict(keep_vars=True).values()}
    return {name for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) not in own}


def _not_loaded(ref: str, source: Source, error: Exception) -> Exception:
    try:
        _require_experts(ref, source)
    except BadInput as refusal:
        return refusal
    return MeasurementFailed(f"model {ref!r} could not be loaded: {first_line(error)}")


def _require_experts(ref: str, source: Source) -> None:
    """Raise BadInput with the names of experts' tensors that are missing: transformers stacks them, and cannot say."""
    lacking = experts_missing(SafetensorFiles(source.folder)) if source.folder is not None else []
    if lacking:
        raise BadInput(
            f"model {ref!r}: {len(lacking)} tensors of its experts are in none of its files ({listed(lacking)}); "
            "download it again."
        )


def no_usable_files(ref: str, folder: Path | None, error: Exception) -> BadInput:
    """Return what to say where transformers makes nothing of a model's configuration and tokenizer."""
    if "trust_remote_code" in str(error):
        return BadInput(
            f"model {ref!r} needs code that comes with it, which is never run unasked: read that code, then give "
            "--trust-remote-code (in a study: `trust_remote_code: true`)."
        )
    if folder is not None:
        return BadInput(f"model folder {folder} has no usable config.json and tokenizer: {first_line(error)}")
    return BadInput(f"{unknown_model(ref)}, and the hub gave nothing ({first_line(error)}).")


def _require_accelerate() -> None:
    try:
        import accelerate  # noqa: F401
    except ImportError as error:
        raise MissingExtra("accelerate", "large") from error
