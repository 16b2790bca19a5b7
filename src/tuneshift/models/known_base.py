"""Which model another one was tuned from, where that is known without being told."""

from __future__ import annotations

from tuneshift.models.embedded_models import embedded_names
from tuneshift.models.registry import find_card
from tuneshift.models.revision import local_folder
from tuneshift.models.source import base_named_by, name_of


def known_base(ref: str) -> str | None:
    """Return the name of the base of a MODEL: the one an adapter names, or the registry's; None where nobody knows.

    A folder says nothing by its name: anyone may call one as a registered model is called.
    """
    adapted = base_named_by(ref)
    if adapted is not None:
        return name_of(adapted)
    if local_folder(ref) is not None and ref not in embedded_names():
        return None
    card = find_card(ref)
    return card.tuned_from if card else None
