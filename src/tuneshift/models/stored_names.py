"""What a tensor of the state dict is called in files, where the two differ."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tuneshift.errors import BadInput

_OTHER_PARTS = ("vision", "audio", "visual")


@dataclass(frozen=True)
class Stored:
    """The names under which files hold one tensor: one, or one for each expert, which stand one above the other."""

    names: tuple[str, ...]
    stacked: bool = False


@dataclass(frozen=True)
class _Alias:
    """A pattern of a name in the state dict, and what files call it; `{e}` counts the experts that files keep apart."""

    pattern: re.Pattern[str]
    stored: str


_ALIASES = tuple(
    _Alias(re.compile(pattern), stored)
    for pattern, stored in (
        # GPT-NeoX: transformers 5 renames it in memory, and writes the old name again.
        (r"^lm_head\.weight$", "embed_out.weight"),
        # T5: both stacks share one matrix, which some files keep under the name of either.
        (r"^shared\.weight$", "encoder.embed_tokens.weight"),
        (r"^shared\.weight$", "decoder.embed_tokens.weight"),
        # Experts are one tensor in memory. Files hold each by itself, or all under an older name.
        (r"\.experts\.down_proj$", ".experts.{e}.down_proj.weight"),
        (r"\.mlp\.experts\.down_proj$", ".block_sparse_moe.experts.{e}.w2.weight"),
        (r"\.mlp\.experts\.down_proj$", ".mlp.experts.{e}.w2.weight"),
        (r"\.experts\.down_proj$", ".output_linear.weight"),
    )
)


def stored(name: str, known: Collection[str]) -> Stored | None:
    """Return where a tensor of the state dict is among the names of a checkpoint, None where it is not.

    Names may lack their first part ("transformer.") or have more before it ("language_model."), be older than those of
    this transformers, or be split into experts. Raises BadInput where several tensors could be meant.
    """
    found = _one(name, known)
    if found is not None:
        return Stored((found,))
    for alias in _ALIASES:
        other, changed = alias.pattern.subn(alias.stored, name)
        if not changed:
            continue
        if "{e}" in other:
            experts = _counted(other, known)
            if experts:
                return Stored(experts, stacked=True)
        elif (found := _one(other, known)) is not None:
            return Stored((found,))
    return None


def _counted(name: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the names of expert 0, 1, ... up to the first that is not there."""
    names: list[str] = []
    while (found := _one(name.replace("{e}", str(len(names))), known)) is not None:
        names.append(found)
    return tuple(names)


def _one(name: str, known: Collection[str]) -> str | None:
    if name in known:
        return name
    core = name.partition(".")[2] if name.count(".") > 1 else name
    found = [
        stored
        for stored in known
        if (stored == core or stored.endswith((f".{name}", f".{core}")))
        and not any(part in stored for part in _OTHER_PARTS)
    ]
    if len(found) > 1:
        raise BadInput(_ambiguous(name, found))
    return found[0] if found else None


def _ambiguous(name: str, found: Sequence[str]) -> str:
    return f"the checkpoint has several tensors that could be {name!r} ({', '.join(found[:3])}); rename them."
