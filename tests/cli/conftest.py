"""Commands run in this process, as `tuneshift` would run them: status, standard output, standard error."""

from __future__ import annotations

import sys
import warnings

import pytest
from typed_commands import Command, Done

from tuneshift.cli import main


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("TUNESHIFT_DEBUG", "")

    def run(*words: str) -> Done:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["tuneshift", *words])
        with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run
