"""LanguageModel: a Hugging Face model with its tokenizer, and the few questions this project asks of it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tuneshift.models import loading, states
from tuneshift.models.chat_template import default_template, rendered
from tuneshift.models.generation import Answer, generate
from tuneshift.models.kind import auto_class, has_head, require_head
from tuneshift.models.known_base import known_base
from tuneshift.models.positions import context_length
from tuneshift.models.source import name_of
from tuneshift.models.start_token import start_token, start_token_text
from tuneshift.models.surprisal_forms import Form
from tuneshift.notebook import facts
from tuneshift.progress import Progress, silent

if TYPE_CHECKING:
    from tuneshift.models.anatomy import Anatomy


class LanguageModel:
    """A language model that reads texts: hidden states, surprisals, greedy answers, and its anatomy.

    Build it with `LanguageModel.load`. `torch_model` is in evaluation mode and its parameters take no gradients.
    `notes` must be told with every result. `start_token_id` stands before every text that a causal model reads.
    `tuned_from` names its base, where an adapter or the registry says so.
    """

    tuned_from: str | None = None

    def __init__(
        self,
        name: str,
        torch_model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        revision: str,
        *,
        start_token_id: int | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.torch_model = torch_model
        self.tokenizer = tokenizer
        self.revision = revision
        self.notes = notes
        own = start_token(torch_model.config, tokenizer) if states.is_causal(torch_model) else None
        self.start_token_id = own if start_token_id is None else start_token_id

    @classmethod
    def load(
        cls,
        ref: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        device_map: str | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
        starts_like: str | None = None,
        starts_like_revision: str | None = None,
    ) -> LanguageModel:
        """Load a hub id, a local folder, an adapter (also BASE+ADAPTER) or an embedded model, from safetensors only.

        `device_map="auto"` spreads a model over several GPUs (extra `large`); code from the hub runs only with
        `trust_remote_code=True`. `starts_like` names the base of a pair: both then read the base's start token. Raises
        BadInput for a model that does not exist, lacks weights or is none of language, MeasurementFailed for one that
        will not load.
        """
        parts = loading.load_parts(
            ref,
            device=loading.torch_device(device),
            dtype=dtype,
            device_map=device_map,
            trust_remote_code=trust_remote_code,
            revision=revision,
            starts_like=starts_like,
            starts_like_revision=starts_like_revision,
        )
        loaded = cls(
            name_of(ref), parts.model, parts.tokenizer, parts.revision, start_token_id=parts.start, notes=parts.notes
        )
        loaded.tuned_from = known_base(ref)
        return loaded

    @property
    def device(self) -> torch.device:
        """Where the model's inputs go."""
        return self.torch_model.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self.torch_model.dtype

    @property
    def n_layers(self) -> int:
        """L, the number of blocks (of the encoder, for an encoder-decoder model)."""
        return states.body_layers(self.torch_model)

    @property
    def n_units(self) -> int:
        """d, the width of the residual stream."""
        config = self.torch_model.config.get_text_config()
        return int(getattr(config, "hidden_size", None) or config.d_model)

    @cached_property
    def n_parameters(self) -> int:
        """The number of parameters, tied ones counted once."""
        return sum(parameter.numel() for parameter in self.torch_model.parameters())

    @property
    def context_length(self) -> int:
        """How many tokens the model reads at once, as `models.positions.context_length` finds it."""
        return context_length(self.torch_model.config, self.tokenizer)

    @property
    def start_token(self) -> str:
        """The token before every text that a causal model reads, as the vocabulary writes it; "" for none."""
        return start_token_text(self.tokenizer, self.start_token_id)

    @property
    def has_head(self) -> bool:
        """Whether the model gives probabilities; one that was saved without its output layer has hidden states only."""
        return has_head(self.torch_model)

    def require_head(self, what: str) -> None:
        """Raise BadInput where the model gives no probabilities, which `what` needs."""
        require_head(self.torch_model, what)

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether this is a sequence-to-sequence model such as T5."""
        return bool(self.torch_model.config.is_encoder_decoder)

    @property
    def chat_template(self) -> str | None:
        """The chat template that is used, of several named ones the default; None for a model without one."""
        return default_template(self.tokenizer)

    @cached_property
    def anatomy(self) -> Anatomy:
        """Where this architecture keeps its parts; BadInput for an architecture that is not known."""
        from tuneshift.models.anatomy import anatomy_of

        return anatomy_of(self.torch_model.config)

    def hidden_states(
        self,
        documents: Sequence[Sequence[str]],
        *,
        pool: states.Pool = "last",
        layers: Sequence[int] | None = None,
        stack: states.Stack = "encoder",
        batch_tokens: int = 4096,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Return hidden states (n_parts, L + 1, d) of the parts of documents; see `models.states.hidden_states`."""
        return states.hidden_states(
            self.torch_model,
            self.tokenizer,
            documents,
            context_length=self.context_length,
            start=self.start_token_id,
            pool=pool,
            layers=layers,
            stack=stack,
            batch_tokens=batch_tokens,
            progress=progress,
        )

    def surprisals(
        self,
        documents: Sequence[Sequence[str]],
        *,
        form: Form = "plain",
        instruction: str | None = None,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Return the surprisal of every word in bits, one row a word; see `models.surprisal.word_surprisals`."""
        from tuneshift.models.surprisal import word_surprisals

        return word_surprisals(
            self.torch_model,
            self.tokenizer,
            documents,
            context_length=self.context_length,
            start=self.start_token_id,
            form=form,
            instruction=instruction,
            progress=progress,
        )

    def generate(
        self, prompts: Sequence[str], *, max_new_tokens: int = 64, chat: bool = False, progress: Progress = silent
    ) -> list[str]:
        """Return the text of the greedy answer to each prompt; with `chat` inside the model's chat template."""
        found = self.answers(prompts, max_new_tokens=max_new_tokens, chat=chat, progress=progress)
        return [answer.text for answer in found]

    def answers(
        self, prompts: Sequence[str], *, max_new_tokens: int = 64, chat: bool = False, progress: Progress = silent
    ) -> list[Answer]:
        """Return the greedy answer to each prompt with the token ids that it was written in; see `generate`."""
        self.require_head("answers")
        texts = [self.chat_prompt(prompt) for prompt in prompts] if chat else list(prompts)
        return generate(
            self.torch_model,
            self.tokenizer,
            texts,
            context_length=self.context_length,
            max_new_tokens=max_new_tokens,
            start=None if chat else self.start_token_id,
            progress=progress,
        )

    def chat_prompt(self, prompt: str) -> str:
        """Return a prompt inside the chat template, ready for the answer; see `models.chat_template.rendered`."""
        return rendered(self.tokenizer, prompt, f"model {self.name}")

    def with_chat_template(self, template: str) -> LanguageModel:
        """Return the same model (weights shared) that speaks inside another model's chat template."""
        tokenizer = copy.deepcopy(self.tokenizer)
        tokenizer.chat_template = template
        return self._with(self.torch_model, tokenizer)

    def untrained(self, seed: int = 0) -> LanguageModel:
        """Return the untrained twin: the same architecture and tokenizer with fresh random weights."""
        config = self.torch_model.config
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = auto_class(config).from_config(config, dtype=torch.float32)
        model = model if self.has_head else model.base_model
        model = loading.prepared(model.to(self.device, self.dtype))
        twin = self._with(model, self.tokenizer)
        twin.name, twin.revision = f"{self.name} untrained", f"{self.revision}+untrained{seed}"
        return twin

    def _with(self, torch_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> LanguageModel:
        return LanguageModel(
            self.name, torch_model, tokenizer, self.revision, start_token_id=self.start_token_id, notes=self.notes
        )

    def _repr_html_(self) -> str:
        return facts(
            self.name,
            {
                "parameters": f"{self.n_parameters:,}",
                "layers": f"{self.n_layers} of {self.n_units} units",
                "weights": f"{self.dtype} on {self.device}",
                "context": f"{self.context_length:,} tokens",
                "start token": self.start_token or "none",
                "chat template": "yes" if self.chat_template else "none",
                "revision": self.revision,
            },
        )

    def __repr__(self) -> str:
        return (
            f"LanguageModel({self.name!r}, {self.n_parameters / 1e6:.1f} M parameters, "
            f"{self.n_layers} layers x {self.n_units} units, {self.dtype} on {self.device})"
        )
