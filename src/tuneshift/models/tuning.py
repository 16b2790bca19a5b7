"""Instruction tuning and its control: the same training on the same responses, without the instructions."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from transformers import PreTrainedTokenizerBase, PrinterCallback

from tuneshift.errors import BadInput, MissingExtra
from tuneshift.models.embedded_models import embedded_folder, embedded_names
from tuneshift.models.instruction_data import Example, InstructionData
from tuneshift.models.language_model import LanguageModel
from tuneshift.models.source import ADAPTER_CONFIG, ADAPTER_WEIGHTS, adapter_settings
from tuneshift.progress import Progress, silent

DEFAULT_CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}### Instruction:\n{{ message['content'] }}\n\n"
    "{% else %}### Response:\n{{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}### Response:\n{% endif %}"
)
"""Given to a base model that has no chat template; it is saved with the tuned model."""


@dataclass(frozen=True)
class TuningOptions:
    """How to tune: `without_instructions` trains on responses alone (the control of paper 1); `lora` through peft."""

    without_instructions: bool = False
    checkpoints: int = 1
    epochs: int = 1
    max_steps: int | None = None
    batch_size: int = 16
    learning_rate: float = 1e-4
    lora: bool = False
    seed: int = 0


def tune(
    model: LanguageModel, examples: list[Example], out: Path, options: TuningOptions, progress: Progress = silent
) -> list[Path]:
    """Tune `model`, in place, and return the checkpoint folders in order, `checkpoints` of them evenly spaced.

    The loss is on responses only. Beside the checkpoints, `tuning.json` says how they were made and `study.yaml` is a
    study over them; with `lora` the adapters are kept too (`adapter-N`). Raises BadInput where `out` already holds
    checkpoints or there are fewer steps than checkpoints.
    """
    trl = _trl()
    if list(out.glob("checkpoint-*")):
        raise BadInput(f"{out} already holds checkpoints; give another folder with --out.")
    steps = options.max_steps or math.ceil(len(examples) / options.batch_size) * options.epochs
    if not 1 <= options.checkpoints <= steps:
        raise BadInput(f"{options.checkpoints} checkpoints cannot be taken from {steps} training steps.")
    tokenizer = model.tokenizer
    if tokenizer.chat_template is None:
        tokenizer.chat_template = DEFAULT_CHAT_TEMPLATE
    save_at = {round(steps * (i + 1) / options.checkpoints) for i in range(options.checkpoints)}
    trainer = trl.SFTTrainer(
        model=model.torch_model.requires_grad_(True),
        args=_trainer_arguments(trl, model, out, options, steps),
        train_dataset=_data_set(model, examples, options.without_instructions),
        processing_class=tokenizer,
        callbacks=[_saving(save_at, steps, progress)],
        peft_config=_lora() if options.lora else None,
    )
    trainer.remove_callback(PrinterCallback)  # progress is ours to show
    trainer.train()
    folders = [out / f"checkpoint-{step}" for step in sorted(save_at)]
    if options.lora:
        _keep_adapters(folders, model)
        _merge_adapters(folders, model)
    for folder in folders:
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle: tuning.json says the same
        tokenizer.save_pretrained(folder)
    _write_record(model, examples, folders, out, options)
    return folders


def _data_set(model: LanguageModel, examples: list[Example], without_instructions: bool) -> Any:
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    end = model.tokenizer.eos_token or ""
    if without_instructions:
        prompts = [model.tokenizer.bos_token or ""] * len(examples)
    else:
        prompts = [model.chat_prompt(e.prompt) for e in examples]
    written = _added_start(model.tokenizer)
    return Dataset.from_list(
        [
            {"prompt": prompt.removeprefix(written), "completion": e.response + end}
            for prompt, e in zip(prompts, examples, strict=True)
        ]
    )


def _added_start(tokenizer: PreTrainedTokenizerBase) -> str:
    """The start token that a tokenizer puts before whatever it reads, as text: a template writes it a second time."""
    added = list(tokenizer("")["input_ids"])[:1] == [tokenizer.bos_token_id]
    return str(tokenizer.bos_token) if added else ""


def _trainer_arguments(trl: Any, model: LanguageModel, out: Path, options: TuningOptions, steps: int) -> Any:
    return trl.SFTConfig(
        output_dir=str(out),
        max_steps=steps,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        lr_scheduler_type="cosine",
        max_length=model.context_length,
        completion_only_loss=True,
        save_strategy="no",  # our callback saves at evenly spaced steps, the last one included
        save_only_model=True,
        report_to="none",
        disable_tqdm=True,
        use_cpu=model.device.type == "cpu",
        bf16=False,
        seed=options.seed,
        logging_strategy="no",
    )


def _saving(save_at: set[int], steps: int, progress: Progress) -> Any:
    from transformers import TrainerCallback

    class SaveAt(TrainerCallback):
        """Saves at chosen steps and reports progress."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            progress("tuning", state.global_step, steps)
            control.should_save = state.global_step in save_at
            return control

    return SaveAt()


def _lora() -> Any:
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise MissingExtra("peft", "tune") from error
    return LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear")


def _keep_adapters(folders: list[Path], model: LanguageModel) -> None:
    """Copy each adapter beside its checkpoint, as `adapter-N`, with its base's name and its tokenizer.

    An adapter on a base that was an adapter's itself could not be found again: then only the merged checkpoints stay.
    """
    base = _reference(model)
    if base is None:
        return
    for folder in folders:
        kept = folder.with_name(folder.name.replace("checkpoint", "adapter"))
        kept.mkdir()
        shutil.copy(folder / ADAPTER_WEIGHTS, kept)
        settings = adapter_settings(folder) | {"base_model_name_or_path": base}
        (kept / ADAPTER_CONFIG).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        model.tokenizer.save_pretrained(kept)


def _reference(model: LanguageModel) -> str | None:
    """Return the MODEL that a base was loaded from: its embedded name, its folder or its hub id."""
    place = str(model.torch_model.name_or_path)
    if "+" in model.revision or not place:
        return None
    if model.name in embedded_names() and embedded_folder(model.name) == Path(place):
        return model.name
    return str(Path(place).resolve()) if Path(place).is_dir() else place


def _merge_adapters(folders: list[Path], model: LanguageModel) -> None:
    """Replace each adapter by the whole merged model, so that a checkpoint loads like any other model."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    for folder in folders:
        base = AutoModelForCausalLM.from_config(model.torch_model.config, dtype=model.dtype)
        base.load_state_dict(_base_weights(model))
        merged = PeftModel.from_pretrained(base, folder).merge_and_unload()
        for left in folder.glob("adapter_*"):
            left.unlink()
        merged.save_pretrained(folder)


def _base_weights(model: LanguageModel) -> dict[str, Any]:
    """Weights of the base under their own names: peft wraps layers in place and renames them."""
    return {
        name.replace(".base_layer", ""): weight
        for name, weight in model.torch_model.state_dict().items()
        if ".lora_" not in name
    }


def _write_record(
    model: LanguageModel, examples: list[Example], folders: list[Path], out: Path, options: TuningOptions
) -> None:
    record = {
        "base": model.name,
        "base_revision": model.revision,
        "examples": len(examples),
        "notes": list(examples.said) if isinstance(examples, InstructionData) else [],
        "options": asdict(options),
        "checkpoints": [folder.name for folder in folders],
    }
    (out / "tuning.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    models: list[dict[str, Any]] = [{"model": model.name}]
    name = out.resolve().name
    for folder in folders:
        step = int(folder.name.rpartition("-")[2])
        entry = {"model": folder.name, "name": f"{name}-{folder.name}", "base": model.name, "run": name, "step": step}
        models.append(entry)
    prompts = {"kind": "attribution", "prompts": "fable_instructions"}
    study = {
        "name": f"{name}_trajectory",
        "models": models,  # folders beside this file, so that all of it can be moved
        "measurements": [
            {"kind": "brain", "data": "simulated_brain"},
            {"kind": "reading", "data": "simulated_reading"},
            {**prompts, "form": "plain"},
            {**prompts, "form": "chat", "template": folders[-1].name},
        ],
    }
    (out / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")


def _trl() -> Any:
    try:
        import trl
    except ImportError as error:
        raise MissingExtra("trl", "tune") from error
    return trl
