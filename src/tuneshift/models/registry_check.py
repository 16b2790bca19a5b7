"""What the hub says of the models in the registry: there or not, moved, gated, and whether size and base are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import get_session

from tuneshift.errors import BadInput
from tuneshift.models.registry import ModelCard

_SIZE_TOLERANCE = 0.05
"""Makers count embeddings once or twice, and round: five hundredths of difference are no other model."""
_AT_ONCE = 8
_SECONDS = 30.0

State = Literal["as described", "gated", "moved", "differs", "not found", "no answer"]
GOOD: tuple[State, ...] = ("as described", "gated")


@dataclass(frozen=True)
class CardCheck:
    """One card against the hub: `state`, what was found in words, the newest commit, and the hub's count."""

    name: str
    hub_id: str
    state: State
    found: str
    commit: str | None = None
    parameters: float | None = None


def check_cards(
    cards: Iterable[ModelCard], endpoint: str | None = None, only: str | None = None
) -> Iterator[CardCheck]:
    """Ask the hub for every card that has a hub id (or for the one named `only`), and yield what it says, in order.

    Only descriptions are asked for, no weights. Raises BadInput where the hub cannot be reached at all.
    """
    cards = list(cards)
    ids = {card.name: card.hub_id for card in cards}
    cards = [card for card in cards if card.hub_id is not None and only in (None, card.name)]
    api = HfApi(endpoint=endpoint)
    if cards:
        _reach(api)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda card: check_card(card, api, ids.get(card.tuned_from or "")), cards)


def check_card(card: ModelCard, api: HfApi, base_id: str | None = None) -> CardCheck:
    """Return what the hub says of one card; `base_id` is the hub id of the card it was tuned from."""
    assert card.hub_id is not None
    try:
        info = api.model_info(card.hub_id, revision=card.revision, timeout=_SECONDS)
    except RevisionNotFoundError:
        return CardCheck(
            card.name, card.hub_id, "not found", f"the model is there, its revision {card.revision} is not"
        )
    except GatedRepoError:
        return CardCheck(card.name, card.hub_id, "gated", _GATED)
    except RepositoryNotFoundError:
        return CardCheck(card.name, card.hub_id, "not found", "no such model, or a private one")
    except Exception as error:  # which HTTP library raises what depends on the version of huggingface_hub
        return CardCheck(card.name, card.hub_id, "no answer", " ".join(str(error).split())[:200])
    commit, counted = info.sha, float(info.safetensors.total) if info.safetensors else None
    differences = list(_differences(card, info, counted, base_id))
    if info.id != card.hub_id:
        return CardCheck(card.name, card.hub_id, "moved", "; ".join([f"now {info.id}", *differences]), commit, counted)
    if differences:
        return CardCheck(card.name, card.hub_id, "differs", "; ".join(differences), commit, counted)
    if info.gated:
        return CardCheck(card.name, card.hub_id, "gated", _GATED, commit, counted)
    said = "" if counted else "the hub does not say its size"
    return CardCheck(card.name, card.hub_id, "as described", said, commit, counted)


_GATED = "accept its licence on the hub and log in (`hf auth login`)"


def _reach(api: HfApi) -> None:
    try:
        get_session().get(api.endpoint, timeout=_SECONDS)
    except Exception as error:
        raise BadInput(
            f"the hub {api.endpoint} cannot be reached ({error}): `tuneshift models --check` needs a network."
        ) from error


def _differences(card: ModelCard, info: Any, counted: float | None, base_id: str | None) -> Iterator[str]:
    if counted and card.parameters and abs(counted / card.parameters - 1) > _SIZE_TOLERANCE:
        yield f"{counted:,.0f} parameters, the registry says {card.parameters:,.0f}"
    bases = getattr(info.card_data, "base_model", None) if info.card_data else None
    named = [bases] if isinstance(bases, str) else list(bases or ())
    if named and base_id and base_id.lower() not in [name.lower() for name in named]:
        yield f"tuned from {' and '.join(named)}, the registry says {base_id}"
    if info.disabled:
        yield "the hub has disabled it"
