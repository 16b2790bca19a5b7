"""Which architectures are known, and what is said of one that is not."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from transformers import PretrainedConfig

from tuneshift.errors import BadInput, nearest
from tuneshift.models.anatomy.anatomy import Anatomy
from tuneshift.models.anatomy.experts import EXPERTS
from tuneshift.models.anatomy.families import FAMILIES
from tuneshift.models.anatomy.llama_like import LLAMA_LIKE
from tuneshift.models.recurrent import HYBRID, RECURRENT

ENTRY_POINT_GROUP = "tuneshift.architectures"

Builder = Callable[[PretrainedConfig], Anatomy]

_FAMILIES: dict[str, Builder] = {**FAMILIES, **LLAMA_LIKE, **EXPERTS}


def anatomy_of(config: PretrainedConfig) -> Anatomy:
    """Return the anatomy of a model's configuration.

    Raises BadInput for an architecture that is not known, saying what to add and where, and for one without attention
    in every block.
    """
    text = config.get_text_config()
    for model_type in (text.model_type, config.model_type):
        build = _FAMILIES.get(model_type) or _of_another_package(model_type)
        if build is not None:
            return build(text)
    raise BadInput(_unknown(text.model_type))


def known_architectures() -> tuple[str, ...]:
    """Return the model types whose anatomy is known, without those of other packages."""
    return tuple(sorted(_FAMILIES))


def register_anatomy(model_type: str, build: Builder) -> None:
    """Teach anatomy a new architecture: `build(config)` returns the `Anatomy` of configurations of that type."""
    _FAMILIES[model_type] = build


def _of_another_package(model_type: str) -> Builder | None:
    """Return the builder that a package registered under this model type; BadInput where it cannot be loaded."""
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=model_type):
        try:
            build: Builder = entry.load()
        except Exception as error:
            raise BadInput(f"architecture {model_type!r} of {entry.value} cannot be used: {error}") from error
        return build
    return None


def _unknown(model_type: str) -> str:
    if model_type in RECURRENT:
        return (
            f"architecture {model_type!r} is recurrent: it has no attention heads, and no feed-forward layers as heads "
            "and concepts know them; hidden states, surprisal and attribution can be measured."
        )
    if model_type in HYBRID:
        return (
            f"architecture {model_type!r} has attention in some of its layers only, which heads and concepts cannot "
            "read; hidden states, surprisal and attribution can be measured."
        )
    return (
        f"architecture {model_type!r} is not known{nearest(model_type, _FAMILIES)}: write a function that returns its "
        "Anatomy (names of query, key, norm, down projection and embeddings), and give it to "
        f"`tuneshift.models.anatomy.register_anatomy` or to an entry point in the group `{ENTRY_POINT_GROUP}` "
        "(docs/extend/architecture.md); docs/architectures.md lists what is known."
    )
