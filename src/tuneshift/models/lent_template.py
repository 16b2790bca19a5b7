"""Chat templates that one model lends to another: a base has none, and a fair comparison gives both the same."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from transformers import PreTrainedTokenizerBase

from tuneshift.errors import BadInput, nearest
from tuneshift.files.yaml_file import settings_text
from tuneshift.models.chat_template import default_template, rendered, template_names
from tuneshift.models.embedded_models import embedded_names
from tuneshift.models.loading import load_tokenizer
from tuneshift.models.revision import local_folder
from tuneshift.models.source import source_of

if TYPE_CHECKING:
    from tuneshift.models.language_model import LanguageModel

_TAG = re.compile(r"<[^<>\s]{1,40}>")  # what a mark looks like, where no lender's tokenizer says which are


def in_chat_form(model: LanguageModel, template: str | None) -> tuple[LanguageModel, list[str]]:
    """Return the model as it speaks in chat form, inside a lent template or its own, and what must be told about it.

    Told are a template that the model never had, marks of it that the model's tokenizer takes apart, and a template
    that writes today's date. `template` is a hub id, a folder, an embedded name or a .jinja file. Raises BadInput where
    that has none to lend.
    """
    told: list[str] = []
    if template is not None:
        tokenizer = _tokenizer(template)
        lent = model.with_chat_template(_template_of(tokenizer, template))
        if model.chat_template is None:
            named = template_names(model.tokenizer)
            has = f"has no default among its chat templates ({', '.join(named)})" if named else "has no chat template"
            told.append(
                f"{model.name} {has}; what it reads stands inside that of {template}, a form it was never trained on."
            )
        told += _unknown_marks(lent, tokenizer, template)
        model = lent
    if "strftime_now" in (model.chat_template or ""):
        told.append(
            f"the chat template of {template or model.name} writes today's date into every prompt: numbers of "
            "different days are of different prompts."
        )
    return model, told


def chat_template_of(ref: str) -> str:
    """Return the chat template that a model lends (hub id, folder or embedded name), or that a .jinja file holds.

    No weights are loaded. Raises BadInput where there is no such model or file, or it has no template.
    """
    return _template_of(_tokenizer(ref), ref)


def template_checksum(ref: str | None) -> str:
    """Return the checksum of a template that lies on this machine, "" for none and for a hub id, which is its own."""
    if ref is None or not (_is_file(ref) or local_folder(ref)):
        return ""
    try:
        return hashlib.sha256(chat_template_of(ref).encode()).hexdigest()[:16]
    except BadInput:  # said where it is used, and only of what uses it
        return ""


def _is_file(ref: str) -> bool:
    return ref.lower().endswith(".jinja")


def _tokenizer(ref: str) -> PreTrainedTokenizerBase | None:
    """Return the lender's tokenizer, None for a file."""
    if _is_file(ref):
        return None
    try:
        return load_tokenizer(source_of(ref), ref)
    except BadInput as error:
        near = nearest(ref, embedded_names())
        raise BadInput(
            f"template: model {ref!r} was not found{near}; give a model that has a chat template."
        ) from error


def _template_of(tokenizer: PreTrainedTokenizerBase | None, ref: str) -> str:
    if tokenizer is None:
        try:
            return settings_text(ref, "template")
        except BadInput as error:
            raise BadInput(f"template: {error}") from error
    found = default_template(tokenizer)
    if found is None:
        names = template_names(tokenizer)
        has = f"{len(names)} chat templates ({', '.join(names)}), none of them named default," if names else ""
        raise BadInput(
            f"template: model {ref!r} has {has or 'no chat template'} to lend; give its tuned version or a .jinja file."
        )
    return found


def _unknown_marks(model: LanguageModel, lender: PreTrainedTokenizerBase | None, ref: str) -> list[str]:
    """Return a warning that names the marks which are one token for the lender and several for the borrower.

    A mark that the lender's own tokenizer takes apart is text for both. Of a file nobody knows what its marks are; what
    stands in angle brackets is taken for one.
    """
    frame = rendered(model.tokenizer, "Text", f"model {model.name}")
    if lender is None:
        marks = set(_TAG.findall(frame))
    else:
        marks = {token.content for token in lender.added_tokens_decoder.values() if token.content in frame}
    pieces = {
        mark: len(model.tokenizer(mark, add_special_tokens=False)["input_ids"])
        for mark in sorted(marks, key=frame.find)
    }
    unknown = [f"{mark} ({n} pieces)" for mark, n in pieces.items() if n > 1]
    if not unknown:
        return []
    return [
        f"{len(unknown)} of {len(pieces)} marks of the chat template of {ref} are no single token of {model.name}, "
        f"which reads them as ordinary text: {', '.join(unknown)}."
    ]
