"""Adapters (PEFT) on their base: merged in memory, or one tensor at a time as files are read."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel

from tuneshift.errors import BadInput, MeasurementFailed, MissingExtra, first_line
from tuneshift.models.all_there import listed
from tuneshift.models.embeddings import embedding_rows, say_untied
from tuneshift.models.kind import auto_class, probe
from tuneshift.models.shards import SafetensorFiles
from tuneshift.models.source import ADAPTER_WEIGHTS
from tuneshift.models.stored_names import stored

_PREFIX = "base_model.model."
_TOKEN_ROWS = ("token_adapter", "trainable_tokens")
_BY_LAYER = frozenset({"LORA", "LOHA", "LOKR", "IA3", "TRAINABLE_TOKENS"})
"""Kinds whose every layer can be merged from its own tensors alone."""
_MORE_THAN_A_LAYER = ("target_parameters", "alora_invocation_tokens", "lora_bias", "layer_replication")
"""Settings of LoRA that change what is no layer's own weight, or which layers there are."""
_LEAVES_BASE = (True, False, "gaussian", "orthogonal", "eva")
"""Ways of initialising LoRA that leave the base's weights as they are."""
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.03}


def merged(model: PreTrainedModel, folder: Path, name: str) -> PreTrainedModel:
    """Return a base model with an adapter merged into it: plain layers, the same outputs.

    Whether they are the same is proved by running both. Raises MissingExtra without peft, BadInput for an adapter of
    another base, with tensors missing or left over, or of a kind that cannot be merged.
    """
    peft = _peft()
    settings = _settings(folder, name)
    names = SafetensorFiles(folder, ADAPTER_WEIGHTS).shapes()
    _make_room(model, names)
    if _unties(model, names):
        _untie(model)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what peft warns of is checked here
            adapted = peft.PeftModel.from_pretrained(model, str(folder), config=settings).eval()
    except Exception as error:  # whatever peft says of an adapter that does not fit
        raise _does_not_fit(name, first_line(error)) from error
    expected = {key for key, _ in _by_file_name(adapted)}
    _require_all(names, expected | _whole_tensors(names, model) | _copies(names, model), expected, name)
    try:
        before = _logits(model, adapted)
        found: PreTrainedModel = adapted.merge_and_unload()
    except Exception as error:  # kinds without a merge raise what they like
        raise BadInput(
            f"adapter {name!r} ({settings.peft_type.value}) cannot be merged into its base ({first_line(error)})."
        ) from error
    found.eval().requires_grad_(False)
    off = float((_logits(found, found) - before).abs().max() / before.abs().max().clamp_min(1e-9))
    if not off <= _TOLERANCE.get(found.dtype, 0.1):
        raise MeasurementFailed(
            f"adapter {name!r} merged into its base says something else than beside it (by {off:.2g} of the largest "
            "logit); merge it yourself and give the merged folder."
        )
    return found


class AdaptedTensors(Mapping[str, torch.Tensor]):
    """The tensors of a base with an adapter merged in, by the base's names; each is merged when it is asked for.

    `base`: tensors of the base by their names in its files. Only the layer that holds a tensor is in memory. Raises
    BadInput as `merged` does, and for adapters that need more than one layer at a time.
    """

    def __init__(self, base: Mapping[str, torch.Tensor], config: PretrainedConfig, folder: Path, name: str) -> None:
        peft = _peft()
        settings = _settings(folder, name)
        kind = settings.peft_type.value
        initial = getattr(settings, "init_lora_weights", True)
        more = [getattr(settings, name, None) for name in _MORE_THAN_A_LAYER]
        if kind not in _BY_LAYER or initial not in _LEAVES_BASE or any(more):
            raise BadInput(
                f"adapter {name!r} ({kind}) cannot be read a layer at a time; merge it (peft's `merge_and_unload`), "
                "save that with `save_pretrained`, and give the new folder."
            )
        self._base, self._file = base, SafetensorFiles(folder, ADAPTER_WEIGHTS)
        shapes = self._file.shapes()
        self.config = copy.deepcopy(config)
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = auto_class(self.config).from_config(self.config)
            _make_room(model, shapes)
            self._untied = _unties(model, shapes)
            if self._untied:
                _untie(model)
            try:
                self._model = peft.get_peft_model(model, settings, low_cpu_mem_usage=True).eval()
            except Exception as error:  # whatever peft says of an adapter that does not fit
                raise _does_not_fit(name, first_line(error)) from error
        self.config = self._model.base_model.model.config
        pairs = list(_by_file_name(self._model))
        self._file_of = {id(tensor): key for key, tensor in pairs}
        inner, expected = self._model.base_model.model, {key for key, _ in pairs}
        self._whole = _whole_tensors(shapes, inner) - expected
        _require_all(shapes, expected | self._whole | _copies(shapes, inner), expected, name)
        for key, tensor in pairs:
            if shapes[key] != tuple(tensor.shape):
                held, wanted = list(shapes[key]), list(tensor.shape)
                raise _does_not_fit(name, f"{key} is {held} where it should be {wanted}")

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._changed:
            return self._base[name]
        make = self._changed[name]
        return make()

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self._base), **self._changed})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._changed or name in self._base

    @cached_property
    def _changed(self) -> dict[str, Callable[[], torch.Tensor]]:
        """Name in the base's files -> how its tensor is made, for every tensor that the adapter changes."""
        found: dict[str, Callable[[], torch.Tensor]] = {}
        for key in self._whole:
            found[self._stored(key.removeprefix(_PREFIX))] = partial(self._file.__getitem__, key)
        inner = self._model.base_model.model
        if self._untied:  # the base's files hold one matrix for both
            name = f"{_embedding_names(inner)['output']}.weight"
            found[name] = partial(self._of_base, name)
        modules = dict(_adapted_modules(inner))
        for name, tensor in inner.named_parameters():  # biases and the like of layers that peft does not wrap
            if id(tensor) in self._file_of and not any(name.startswith(f"{path}.") for path in modules):
                found[self._stored(name)] = partial(self._file.__getitem__, self._file_of[id(tensor)])
        for path, module in modules.items():
            for parameter, _ in _plain_layer(module).named_parameters():
                found[self._stored(f"{path}.{parameter}")] = partial(self._merged, path, parameter)
        return found

    def _stored(self, name: str) -> str:
        """What the base's files call a tensor; its own name where they do not hold it, as an output layer once tied."""
        where = stored(name, self._base.keys())
        return name if where is None else where.names[0]

    def _merged(self, path: str, parameter: str) -> torch.Tensor:
        original = self._model.base_model.model.get_submodule(path)
        own = dict(getattr(original, "modules_to_save", None) or {})
        if own:  # a layer of the adapter's own takes the place of the base's
            return self._file[self._file_of[id(dict(own["default"].named_parameters())[parameter])]]
        module = copy.deepcopy(original)
        tensors = {}
        for name, tensor in original.state_dict(keep_vars=True).items():
            if id(tensor) in self._file_of:
                tensors[name] = self._file[self._file_of[id(tensor)]]
            else:
                plain = ".".join(
                    part for part in name.split(".") if part not in ("base_layer", "original_module", "token_adapter")
                )
                tensors[name] = self._of_base(f"{path}.{plain}")
        module.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
        with torch.no_grad():
            wrapped = getattr(module, "token_adapter", None) or module
            wrapped.merge()
            return dict(wrapped.get_base_layer().named_parameters())[parameter].detach()

    def _of_base(self, name: str) -> torch.Tensor:
        where = stored(name, self._base.keys())
        model = self._model.base_model.model
        if where is None:  # an output layer that was tied to the input embeddings
            if not name.startswith(f"{_embedding_names(model).get('output')}."):
                raise BadInput(f"the base of this adapter has no tensor {name!r}; is it another model's?")
            inputs = next(path for path, module in model.named_modules() if module is model.get_input_embeddings())
            where = stored(f"{inputs.removesuffix('.token_adapter')}.weight", self._base.keys())
            assert where is not None, name
        return self._base[where.names[0]]


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise MissingExtra("peft", "adapters") from error
    return peft


def _settings(folder: Path, name: str) -> Any:
    try:
        settings = _peft().PeftConfig.from_pretrained(str(folder))
    except Exception as error:  # whatever peft says of a configuration of somebody else's
        raise BadInput(f"adapter {name!r}: adapter_config.json cannot be used ({first_line(error)}).") from error
    if settings.is_prompt_learning:
        raise BadInput(
            f"adapter {name!r} ({settings.peft_type.value}) puts trained vectors before the text and changes no "
            "weights, so there is no tuned model to measure; give an adapter of weights, such as LoRA."
        )
    return settings


def _by_file_name(adapted: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield what each tensor of the adapter is called in its file, and the tensor."""
    state = adapted.state_dict(keep_vars=True)
    yield from _peft().get_peft_model_state_dict(adapted, state_dict=state, save_embedding_layers=False).items()


def _adapted_modules(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
    """Yield the outermost modules that an adapter changes, with their paths."""
    done: list[str] = []
    for path, module in model.named_modules():
        if any(path.startswith(f"{outer}.") for outer in done):
            continue
        if any(hasattr(module, part) for part in ("base_layer", "original_module", "token_adapter")):
            done.append(path)
            yield path, module


def _plain_layer(module: torch.nn.Module) -> torch.nn.Module:
    """The base's own layer inside whatever peft put around it."""
    for part in ("original_module", "token_adapter", "base_layer"):
        inner = getattr(module, part, None)
        if isinstance(inner, torch.nn.Module):
            return _plain_layer(inner)
    return module


def _does_not_fit(name: str, why: str) -> BadInput:
    return BadInput(f"adapter {name!r} does not fit its base ({why}); is it another model's?")


def _embedding_names(model: PreTrainedModel) -> dict[str, str]:
    """ "input" and "output" -> the path of those embeddings in the model."""
    wanted = {"input": model.get_input_embeddings(), "output": model.get_output_embeddings()}
    return {
        which: path
        for which, embedding in wanted.items()
        for path, module in model.named_modules()
        if embedding is not None and module is embedding
    }


def _whole_tensors(names: Collection[str], model: PreTrainedModel) -> set[str]:
    """Embeddings that an adapter's file holds whole, as peft saves them where tokens were added."""
    paths = _embedding_names(model).values()
    whole = {f"{_PREFIX}{path}.{part}" for path in paths for part in ("weight", "bias", "base_layer.weight")}
    return {name for name in names if name in whole}


def _copies(names: Collection[str], model: PreTrainedModel) -> set[str]:
    """Second copies of embeddings, which peft writes beside those of `modules_to_save` and does not read."""
    paths = _embedding_names(model).values()
    known = {f"{_PREFIX}{path}.{part}.weight" for path in paths for part in ("modules_to_save", "original_module")}
    return {name for name in names if name in known}


def _make_room(model: PreTrainedModel, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Give a base as many embeddings as the adapter's, where tokens were added before it was trained."""
    for path in _embedding_names(model).values():
        shape = shapes.get(f"{_PREFIX}{path}.weight")
        if shape is not None and shape[0] != embedding_rows(model):
            model.resize_token_embeddings(shape[0], mean_resizing=False)
            return


def _unties(model: PreTrainedModel, names: Collection[str]) -> bool:
    """Whether an adapter changes input or output embeddings that are one matrix in the base, and no more so after."""
    inputs, outputs = model.get_input_embeddings(), model.get_output_embeddings()
    if outputs is None or outputs.weight is not inputs.weight:
        return False
    paths = [f"{_PREFIX}{path}." for path in _embedding_names(model).values()]
    return any(
        name.startswith(path) and not any(part in name for part in _TOKEN_ROWS) for name in names for path in paths
    )


def _untie(model: PreTrainedModel) -> None:
    outputs: Any = model.get_output_embeddings()
    outputs.weight = torch.nn.Parameter(outputs.weight.detach().clone(), requires_grad=False)
    say_untied(model.config)


def _require_all(names: Collection[str], known: set[str], expected: set[str], name: str) -> None:
    missing, unknown = sorted(expected - set(names)), sorted(set(names) - known)
    if missing:
        raise BadInput(
            f"adapter {name!r}: {len(missing)} of its {len(expected)} tensors are not in its file ({listed(missing)}); "
            "download it again, or give the base it was trained on: BASE+ADAPTER."
        )
    if unknown:
        raise BadInput(
            f"adapter {name!r}: {len(unknown)} tensors of its file have no place in its base ({listed(unknown)}); "
            "give the base it was trained on: BASE+ADAPTER."
        )


@torch.inference_mode()
def _logits(model: PreTrainedModel, run: Any) -> torch.Tensor:
    found = run(**probe(model))
    return (found.logits if hasattr(found, "logits") else found.last_hidden_state).float().clone()  # type: ignore[no-any-return]
