"""Packages register data sets of their own; one that is broken is named, and all others stay usable."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from tuneshift.human import DATA_SETS, registry

GOOD = DATA_SETS["simulated_reading"]


class _Found:
    """An entry point that loads what it was given, or fails as a broken package does."""

    def __init__(self, name: str, loads: Any) -> None:
        self.name, self.value, self.loads = name, f"package:{name}", loads

    def load(self) -> Any:
        if isinstance(self.loads, Exception):
            raise self.loads
        return self.loads


def test_a_broken_package_is_named_and_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [_Found("good", GOOD), _Found("broken", ImportError("no module named x")), _Found("other", 3)]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)
    with pytest.warns(UserWarning, match="cannot be used") as warned:
        known = registry._known()
    assert set(known) == set(DATA_SETS)
    assert [str(w.message) for w in warned] == [
        "data set broken of package:broken cannot be used: no module named x",
        "data set other of package:other cannot be used: it holds no DataSet, but int.",
    ]


def test_a_registered_data_set_is_loaded_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("mine", "tuneshift.human.datasets.simulated_reading:DATA_SET", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    assert registry._known()["simulated_reading"] is GOOD
