"""Attribution: our two ways beside what is published and what people use, on a random Llama in float32.

512 wide, 8 layers, 8 heads with 4 key-value heads, 1,408 feed-forward, vocabulary 8,192. Long prompt, short response:
ours goes backwards; short prompt, long response: forwards. `python -m benchmarks.attribution [--quick]`
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from benchmarks.timing import print_ratios, side_by_side
from tuneshift.inside.attribution.cost import choose_mode, gradient_times_input
from tuneshift.inside.attribution.layout import Layout

N_VOCABULARY = 8192
OURS = "tuneshift"
FLOOR = "floor: R passes forward and backward"
FLOOR_FORWARD = "floor: R passes forward alone"


def main(argv: list[str] | None = None) -> None:
    """Print medians and ratios of both settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter prompts and responses, one round")
    parser.add_argument("--runs", type=int, default=3, help="rounds after the warm-up (default 3)")
    arguments = parser.parse_args(argv)
    runs = 1 if arguments.quick else arguments.runs
    model = random_llama()
    for n_prompt, n_response in ((32, 8), (6, 24)) if arguments.quick else ((192, 64), (40, 200)):
        layout = random_layout(n_prompt, n_response)
        mode = choose_mode(layout, model)
        found: dict[str, np.ndarray] = {}

        def ours(layout: Layout = layout, found: dict[str, np.ndarray] = found) -> None:
            found["ours"] = gradient_times_input(model, layout)[0]

        def theirs(layout: Layout = layout, found: dict[str, np.ndarray] = found) -> None:
            found["published"] = published(model, layout)

        contenders = {OURS: ours, "published: weight gradients, token by token": theirs}
        if mode == "reverse":
            contenders["captum LLMGradientAttribution"] = captum_way(model, layout)
            contenders["inseq input_x_gradient"] = inseq_way(model, layout)
            contenders[FLOOR] = lambda layout=layout: floor(model, layout)
            contenders[FLOOR_FORWARD] = lambda layout=layout: floor(model, layout, backwards=False)
        print(f"\n{n_prompt} prompt tokens, {n_response} response tokens: {mode}", flush=True)
        medians = side_by_side(contenders, runs)
        distance = np.abs(found["ours"] - found["published"]).max() / np.abs(found["published"]).max()
        print(f"  largest difference from published: {distance:.1e} of the largest number")
        print_ratios(medians, OURS)
        if mode == "reverse":
            bottom = medians[FLOOR] - medians[FLOOR_FORWARD]
            print(f"  {'floor: its backward passes alone':<44} {bottom:9.3f} s   {bottom / medians[OURS]:7.2f} x")


def random_llama() -> Any:
    """The model that all contenders share."""
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=512,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        intermediate_size=1408,
        vocab_size=N_VOCABULARY,
        max_position_embeddings=1024,
        attn_implementation="eager",
    )
    return LlamaForCausalLM(config).eval().requires_grad_(False)


def random_layout(n_prompt: int, n_response: int) -> Layout:
    """Random tokens, the beginning-of-sequence token aside."""
    ids = np.random.default_rng(0).integers(3, N_VOCABULARY, n_prompt + n_response)
    empty = np.zeros((n_prompt, 2), dtype=int)
    return Layout(ids, np.arange(n_prompt), np.ones(n_prompt, dtype=bool), empty, n_prompt + np.arange(n_response))


def published(model: Any, layout: Layout) -> np.ndarray:
    """Paper 2's way: one graph, and for each response token a whole backward pass that reaches all weights.

    As in the authors' code: probabilities of all positions, gradients set to zero before each pass and added to.
    """
    model.requires_grad_(True)
    try:
        embeddings = model.get_input_embeddings()(torch.as_tensor(layout.ids)[None]).detach().requires_grad_()
        p = model(inputs_embeds=embeddings, use_cache=False).logits[0].softmax(-1)
        chosen = p[layout.response - 1, layout.target_ids]
        columns = []
        for number in chosen:
            embeddings.grad = None
            model.zero_grad(set_to_none=False)
            number.backward(retain_graph=True)
            columns.append((embeddings.grad * embeddings).sum(-1)[0, layout.prompt].detach().numpy())
        return np.stack(columns, axis=1)
    finally:
        model.zero_grad()
        model.requires_grad_(False)


def floor(model: Any, layout: Layout, backwards: bool = True) -> None:
    """R backward passes, for activations alone, each over the positions that its token can see.

    Each needs a pass forward, whose time is measured on its own and taken off.
    """
    for position, own in zip(layout.response, layout.target_ids, strict=True):
        embeddings = model.get_input_embeddings()(torch.as_tensor(layout.ids[:position])[None]).requires_grad_()
        number = model(inputs_embeds=embeddings, use_cache=False, logits_to_keep=1).logits[0, -1].softmax(-1)[own]
        if backwards:
            torch.autograd.grad(number, embeddings)


def word_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer whose every token is a word of its own, so that all contenders see the same tokens."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"w{number}": number for number in range(3, N_VOCABULARY)}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def captum_way(model: Any, layout: Layout) -> Any:
    """captum: layer gradient x activation of the input embeddings, token by token."""
    from captum.attr import LayerGradientXActivation, LLMGradientAttribution, TextTokenInput

    tokenizer = word_tokenizer()
    prompt, response = texts(layout)

    def run() -> None:
        method = LLMGradientAttribution(LayerGradientXActivation(model, model.get_input_embeddings()), tokenizer)
        method.attribute(TextTokenInput(prompt, tokenizer), target=response)

    return grown(model, run)


def inseq_way(model: Any, layout: Layout) -> Any:
    """inseq: input x gradient of the probability of each step."""
    import inseq

    prompt, response = texts(layout)
    wrapped = inseq.load_model(model, "input_x_gradient", tokenizer=word_tokenizer())

    def run() -> None:
        wrapped.attribute(
            prompt,
            f"{prompt} {response}",
            attributed_fn="probability",
            show_progress=False,
            pretty_progress=False,
        )

    return grown(model, run)


def texts(layout: Layout) -> tuple[str, str]:
    """Prompt and response as words."""
    words = [f"w{number}" for number in layout.ids]
    return " ".join(words[: len(layout.prompt)]), " ".join(words[len(layout.prompt) :])


def grown(model: Any, run: Any) -> Any:
    """Run with the weights taking gradients, as they do in a model that was just loaded."""

    def call() -> None:
        model.requires_grad_(True)
        try:
            run()
        finally:
            model.zero_grad()
            model.requires_grad_(False)

    return call


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    main()
