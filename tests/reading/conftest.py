"""Shared by the tests of reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from planted import Planted, plant
from served_fable import FableServer

from tuneshift.models import LanguageModel


@pytest.fixture(scope="session")
def planted() -> Planted:
    return plant()


@pytest.fixture
def serve(fable_2m: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start servers of fable-2m, by dialect and options of `FableServer`; no proxy and no key is in the way."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "TUNESHIFT_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    started: list[FableServer] = []

    def start(dialect: str = "echo", **options: Any) -> FableServer:
        started.append(FableServer(fable_2m, dialect, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()
