"""From a name to weights in memory: hub id, local folder or embedded model; safetensors only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from huggingface_hub.utils import logging as hub_logging
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import find_adapter_config_file
from transformers.utils import logging as transformers_logging

from tuneshift.errors import BadInput, MeasurementFailed, MissingExtra, first_line, nearest
from tuneshift.models.revision import check_hub_id, local_folder, unknown_model
from tuneshift.models.shards import indexed_shards

transformers_logging.disable_progress_bar()  # our own progress says what is going on
hub_logging.set_verbosity_error()  # a hub that does not answer is said once, in our own words
transformers_logging.set_verbosity_error()  # texts past the context are cut into windows here: no need to warn

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}


def load_parts(
    ref: str, *, device: torch.device, dtype: str, device_map: str | None, trust_remote_code: bool, revision: str | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model (evaluation mode, no parameter gradients) and its fast tokenizer.

    Raises BadInput where the model does not exist or holds no safetensors, MeasurementFailed where it will not load.
    """
    source = _source(ref)
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code, "revision": revision or "main"}
    try:
        config = AutoConfig.from_pretrained(source, **options)
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
    except Exception as error:  # whatever a file of somebody else's makes transformers say
        raise no_usable_files(ref, local_folder(ref), error) from error
    if not tokenizer.is_fast:
        raise BadInput(f"model {ref!r} has no fast tokenizer, so words cannot be aligned with tokens.")
    _refuse_adapter(ref, source, revision or "main")
    if device_map is not None:
        _require_accelerate()
    wanted = torch_dtype(dtype, device)
    try:
        model = auto_class(config).from_pretrained(
            source, config=config, use_safetensors=True, dtype=wanted, device_map=device_map, **options
        )
        if device_map is None:
            model = model.to(device)
    except (OSError, SafetensorError) as error:
        raise BadInput(
            f"model {ref!r} has no weights in safetensors form that can be read ({first_line(error)}); "
            "download it again."
        ) from error
    except Exception as error:
        raise MeasurementFailed(f"model {ref!r} could not be loaded: {error}") from error
    return prepared(model), tokenizer


def prepared(model: PreTrainedModel) -> PreTrainedModel:
    """Put a model in evaluation mode and turn parameter gradients off: we read models, we never train them here."""
    model.eval()
    model.requires_grad_(False)
    return model


def auto_class(config: PretrainedConfig) -> Any:
    """Return the transformers auto class that a configuration asks for: sequence-to-sequence, masked or causal."""
    if config.is_encoder_decoder:
        return AutoModelForSeq2SeqLM
    architectures = config.architectures or []
    return AutoModelForMaskedLM if any("MaskedLM" in name for name in architectures) else AutoModelForCausalLM


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


def _source(ref: str) -> str:
    folder = local_folder(ref)
    if folder is None:
        check_hub_id(ref)
        return ref
    if not (folder / "config.json").is_file():
        raise BadInput(f"model folder {folder} has no config.json; give the folder that `save_pretrained` wrote.")
    if not list(folder.glob("*.safetensors")):
        raise BadInput(
            f"model folder {folder} holds no .safetensors file; save it again with `save_pretrained` "
            "(pickled .bin weights are never loaded)."
        )
    indexed_shards(folder)  # raises where the index leads out of the folder
    return str(folder)


def _refuse_adapter(ref: str, source: str, revision: str) -> None:
    """Refuse adapters: transformers would load their base unasked, and their weights from a pickle if need be."""
    if find_adapter_config_file(source, revision=revision) is not None:
        raise BadInput(
            f"model {ref!r} is an adapter (adapter_config.json), not a whole model; merge it into its base "
            "(peft's `merge_and_unload`), save that with `save_pretrained`, and give the new folder."
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
