"""ModelCard: what is known of a model before it is loaded; the registry of cards, and the user's own rows."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tuneshift.errors import BadInput, nearest
from tuneshift.files.yaml_file import YamlText, settings_text

REGISTRY_FILE = Path(__file__).with_name("registry.yaml")
USER_FILES_VARIABLE = "TUNESHIFT_MODELS"


class ModelCard(BaseModel):
    """A row of the registry.

    `hub_id` is None for an embedded model; `revision` is a commit or tag (None: the newest); `parameters` is their
    number; `tuned_from` names the card of the base; `verified` is True only where id, size and base were checked
    against the model itself (`tuneshift models --check` does it online).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    hub_id: str | None = None
    revision: str | None = None
    parameters: float | None = Field(default=None, gt=0)
    family: str
    tuned_from: str | None = None
    instruction_tuned: bool = False
    paper1: bool = False
    notes: str = ""
    verified: bool = False

    @property
    def reference(self) -> str:
        """What `load_model` takes: the hub id, or the embedded name."""
        return self.hub_id or self.name


def model_cards() -> tuple[ModelCard, ...]:
    """Return all cards: those of the package, then the user's own (files that TUNESHIFT_MODELS names).

    A user's card replaces the package's card of the same name. Raises BadInput for a card that has a wrong shape,
    a name given twice in one file, or a base that no card describes.
    """
    paths = [Path(part) for part in os.environ.get(USER_FILES_VARIABLE, "").split(os.pathsep) if part]
    return _together(tuple((path, *_stamp(path)) for path in (REGISTRY_FILE, *paths)))


@lru_cache(maxsize=8)
def _together(files: tuple[tuple[Path, int, int], ...]) -> tuple[ModelCard, ...]:
    cards = {card.name: card for path, _, _ in files for card in read_cards(path)}
    for card in cards.values():
        if card.tuned_from is not None and card.tuned_from not in cards:
            raise BadInput(
                f"model card {card.name!r} is tuned from {card.tuned_from!r}, which no card describes"
                f"{nearest(card.tuned_from, cards)}."
            )
    return tuple(cards.values())


def find_card(reference: str) -> ModelCard | None:
    """Return the card of a name or a hub id, None for a model that no card describes."""
    cards = model_cards()
    by_name = next((card for card in cards if card.name == reference), None)
    return by_name or next((card for card in cards if card.hub_id and card.hub_id == reference), None)


def read_cards(path: Path) -> tuple[ModelCard, ...]:
    """Read the cards of one YAML file (`models:` with a list of rows); BadInput names the row that is wrong."""
    return _read_cards(path, *_stamp(path))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise BadInput(f"model cards {path} cannot be read ({error.strerror}).") from error
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=32)
def _read_cards(path: Path, modified: int, size: int) -> tuple[ModelCard, ...]:
    text = YamlText(settings_text(path, "model cards"), f"model cards {path}", "list of models")
    document: Any = text.values
    rows = document.get("models") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise BadInput(f"model cards {path}: expected `models:` with a list of rows.")
    cards: dict[str, ModelCard] = {}
    for number, row in enumerate(rows, start=1):
        card = _card(row, path, number)
        if card.name in cards:
            raise BadInput(f"model cards {path}, row {number}: {card.name!r} is given twice.")
        cards[card.name] = card
    return tuple(cards.values())


def _card(row: Any, path: Path, number: int) -> ModelCard:
    try:
        return ModelCard.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the row"
        hint = nearest(key, ModelCard.model_fields) if first["type"] == "extra_forbidden" else ""
        raise BadInput(f"model cards {path}, row {number}: {key}: {first['msg']}{hint}.") from None
