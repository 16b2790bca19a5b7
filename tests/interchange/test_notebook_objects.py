"""What a notebook shows of each object: its facts, briefly, and text of strangers as text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tuneshift as ts
from tuneshift import notebook
from tuneshift.human import DATA_SETS, ReadingTimes, Recording
from tuneshift.models import LanguageModel
from tuneshift.result import Result

SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"
LONGEST = 60_000


class Tags(HTMLParser):
    """Collects tags and event attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def html_of(thing: Any) -> str:
    """Return the picture of an object, once it was seen to hold no script and not too much."""
    html = str(thing._repr_html_())
    seen = Tags()
    seen.feed(html)
    assert seen.tags <= {"p", "b", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "span"}
    assert seen.attributes <= {"style", "title", "border", "class"}
    assert len(html) < LONGEST
    return html


def text_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def test_a_model(fable_2m: LanguageModel) -> None:
    named = LanguageModel(SCRIPT, fable_2m.torch_model, fable_2m.tokenizer, fable_2m.revision)
    html = html_of(named)
    assert "1,787,008" in html
    assert "&lt;script&gt;" in html


def test_an_attribution_shows_every_token_on_its_ground(fable_2m: LanguageModel) -> None:
    found = ts.attribute(fable_2m, f"Tell {SCRIPT}", "Once upon a time", instruction="Tell")
    html = html_of(found)
    assert html.count("background:rgba") == len(found.prompt_tokens)
    assert "Once upon a time" in html
    assert len(set(re.findall(r"title='([\d.]+)'", html))) > 1


def test_human_data_and_data_sets() -> None:
    recording, times = ts.load_data("simulated_brain"), ts.load_data("simulated_reading")
    assert isinstance(recording, Recording)
    assert isinstance(times, ReadingTimes)
    assert "480 of 12 participants" in html_of(recording)
    assert "4,756 in 24 documents" in html_of(times)
    assert "&lt;script" in html_of(replace(recording, name=SCRIPT, dropped=(SCRIPT,)))
    assert "&lt;script" in html_of(replace(times, name=SCRIPT, warnings=(SCRIPT,)))
    for data_set in DATA_SETS.values():
        assert data_set.name in html_of(data_set)
        assert "&lt;script" in html_of(replace(data_set, notes=SCRIPT))


def test_results_of_thousands_of_rows_stay_short() -> None:
    rows = [{"model": SCRIPT, "metric": "r", "value": i / 7, "layer": i} for i in range(5000)]
    array = xr.DataArray(np.zeros((2, 3)), dims=("layer", "word"))
    html = html_of(Result.from_rows(rows, arrays={SCRIPT: array}, warnings=(SCRIPT,)))
    assert html.count("<tr") == notebook.MOST_ROWS + 1
    assert "and 4,970 more rows" in html
    assert html.count("&lt;script") == notebook.MOST_ROWS + 2


def test_a_study_and_what_it_gave(tmp_path: Path) -> None:
    study = ts.load_study(
        {
            "name": "a study",
            "notes": SCRIPT,
            "models": ["fable-2m", {"model": "fable-2m-instruct", "name": SCRIPT, "base": "fable-2m"}, "nosuch-model"],
            "measurements": [{"kind": "concepts"}],
        }
    )
    html = html_of(study)
    assert "(tuned from fable-2m)" in html
    assert "&lt;script" in html
    html = html_of(ts.run(study, out=tmp_path / "out"))
    assert "2 finished, 1 failed, 0 waiting" in text_of(html)
    assert "failed: nosuch-model" in html
    assert "&lt;script" in html


def test_empty_facts_are_left_out_and_long_ones_cut() -> None:
    html = notebook.facts("t", {"a": "", "b": None, "c": "x" * 5000})
    assert html.count("<tr>") == 1
    assert len(html) < 600


@pytest.mark.parametrize("strength", [-1.0, 0.0, 0.5, 7.0])
def test_a_ground_is_never_darker_than_full(strength: float) -> None:
    (alpha,) = re.findall(r"rgba\(214,120,40,([\d.]+)\)", notebook.shaded(["x"], [strength]))
    assert float(alpha) == min(max(strength, 0.0), 1.0)
