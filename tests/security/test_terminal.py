"""What models, files and servers say is printed as text: it cannot move the cursor, change titles or hide lines."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.cli.errors import explained
from tuneshift.cli.output import print_table, tell
from tuneshift.cli.printable import one_line, printable
from tuneshift.errors import BadInput

ATTACK = "fable\x1b]0;title\x07\x1b[2J\x9b31m\r\u202egnp.exe [bold]x[/] :smile:"


@given(st.text())
def test_nothing_printable_steers_a_terminal(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c in "\n\t\u200c\u200d" for c in shown)
    assert printable(shown) == shown
    assert "\n" not in one_line(text)


def test_ordinary_text_is_left_as_it_is() -> None:
    text = "naïve Übung 語 ελ 👩\u200d🔬\n\tnext"
    assert printable(text) == text


def test_tables_errors_and_notes_write_escapes_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    print_table(pd.DataFrame([{ATTACK: ATTACK}]))
    tell(ATTACK)
    captured = capsys.readouterr()
    sentence, status = explained(BadInput(ATTACK))
    assert status == 2
    for shown in (captured.out, captured.err, sentence):
        assert "\\x1b]0;title\\x07\\x1b[2J\\x9b31m" in shown
        assert "\\u202egnp.exe [bold]x[/] :smile:" in shown
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)


def test_a_progress_bar_takes_a_models_name_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from tuneshift.cli.progress import progress_bars

    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with progress_bars() as report:
        report(f"loading [/red] {ATTACK}", 0, 2)
        report(f"loading [/red] {ATTACK}", 2, 2)
