"""The pictures of the inside show what the measurement found, and say what they leave out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from browser import Page

from tuneshift.report.blocks.figures import Figure
from tuneshift.report.blocks.section import Picture, SmallTable
from tuneshift.report.page.contents import contents
from tuneshift.report.sections.internals_pictures import browsers
from tuneshift.result import Result
from tuneshift.study import StudyResults


@dataclass
class FakeCell:
    model: str
    base_model: str | None = "base"
    fingerprint: str = ""
    measurement: str = "internals"
    settings: dict[str, Any] = field(default_factory=dict)


def stored(results: StudyResults) -> Result:
    return next(cell.result for cell in results.cells if cell.measurement == "internals")


@pytest.fixture(scope="module")
def blocks(results: StudyResults) -> dict[str, Any]:
    section = next(section for section in contents(results).sections if section.key == "weights")
    return {block.key: block for block in section.blocks if isinstance(block, Figure | Picture)} | {
        block.caption: block for block in section.blocks if isinstance(block, SmallTable)
    }


def test_the_browser_of_heads_holds_every_stored_pair_and_score(results: StudyResults, blocks: dict[str, Any]) -> None:
    [entry] = blocks["heads"].data
    result = stored(results)
    overlap = result.arrays["head_overlap"]
    for layer in overlap["layer"].values:
        for head in overlap["head"].values:
            assert entry["score"]["change"][layer - 1][head] == pytest.approx(
                float(overlap.sel(layer=layer, head=head)), abs=1e-5
            )
            for side in ("base", "tuned"):
                assert (
                    entry["pairs"][side][f"{layer}.{head}"] == result.details["heads"]["pairs"][side][layer - 1][head]
                )
    assert entry["label"] == "fable-2m-instruct against fable-2m"


def test_the_browser_of_concepts_holds_the_words_of_every_stored_component(
    results: StudyResults, blocks: dict[str, Any]
) -> None:
    [entry] = blocks["concepts"].data
    found = {(one["side"], one["layer"], one["component"]): one for one in entry["components"]}
    components = stored(results).details["concepts"]["components"]
    assert len(found) == len(components)
    for one in components:
        shown = found[one["side"], one["layer"], one["component"]]
        assert shown["top"] == one["words_top"][:15]
        assert shown["bottom"] == one["words_bottom"][:15]
        assert shown["share"] == one["share"]


def test_rotation_is_drawn_beside_its_random_null(results: StudyResults, blocks: dict[str, Any]) -> None:
    figure = blocks["weights-rotation"]
    result = stored(results)
    angles = result.arrays["principal_angles"]
    first = [trace for trace in figure.data if trace["xaxis"] == "x" and trace.get("fill") != "toself"]
    curve = next(trace for trace in first if "null" not in trace["meta"])
    assert curve["x"] == angles["layer"].values.tolist()
    assert curve["y"] == pytest.approx(angles.mean("angle").values.tolist())
    null = next(trace for trace in first if "null" in trace["meta"])
    expected = result.value(metric="rotation_deg", target="random rotation")
    assert set(null["y"]) == {expected}
    assert figure.layout["panels"]["titles"] == [
        "mean principal angle",
        "largest principal angle",
        "matched components",
    ]


def test_hidden_states_are_drawn_from_the_embedding_to_the_last_layer(
    results: StudyResults, blocks: dict[str, Any]
) -> None:
    curves = [trace for trace in blocks["weights-states"].data if trace.get("fill") != "toself"]
    for curve, metric in zip(curves, ("state_cka", "state_cosine", "state_change"), strict=True):
        assert curve["x"] == [0, 1, 2, 3, 4]
        assert curve["y"] == [stored(results).value(metric=metric, layer=layer) for layer in range(5)]


def test_the_words_of_the_difference_stand_in_a_table(results: StudyResults, blocks: dict[str, Any]) -> None:
    table = next(block for caption, block in blocks.items() if "logit lens" in caption)
    lens = stored(results).details["lens"]
    assert [row[0] for row in table.rows] == [str(one["layer"]) for one in lens]
    for row, one in zip(table.rows, lens, strict=True):
        assert [told.rpartition(" ")[0] for told in row[1].split(", ")] == [word for word, _ in one["raised"]]


def test_a_heavy_study_shows_fewer_pairs_of_every_head_before_it_leaves_out_models(results: StudyResults) -> None:
    cells = [(FakeCell(f"m{i}"), stored(results)) for i in range(4)]
    whole = {picture.key: picture for picture in browsers(cells)}
    assert "light" not in whole["heads"].caption
    for key, picture in whole.items():
        size = len(json.dumps(picture.data, ensure_ascii=False, separators=(",", ":")))
        lighter = {one.key: one for one in browsers(cells, int(size * 0.7))}[key]
        assert "To keep the page light it shows at most" in lighter.caption
        assert [entry["label"] for entry in lighter.data] == [entry["label"] for entry in picture.data]
        least = {one.key: one for one in browsers(cells, size // 16)}.get(key)
        assert least is None or ("left out" in least.caption and "m3 against base" in least.caption)


def test_results_without_details_give_no_picture() -> None:
    assert list(browsers([(FakeCell("m"), Result.from_rows([]))])) == []


def test_a_head_is_chosen_with_a_click_and_shows_its_pairs_before_and_after(page: Page, results: StudyResults) -> None:
    page.scroll_through("weights")
    head = page.driver.find_element("css selector", ".head[data-layer='3'][data-head='2']")
    page.js("arguments[0].scrollIntoView({ block: 'center' })", head)
    head.click()
    pairs = stored(results).details["heads"]["pairs"]
    for place, side in enumerate(("base", "tuned")):
        shown = page.js(
            "return [...document.querySelectorAll('.head-panel ol')[arguments[0]].children].map((li) => [...li.querySelectorAll('.word')].map((w) => w.textContent))",
            place,
        )
        assert shown == pairs[side][2][2]


def test_a_word_is_searched_in_heads_and_concepts(page: Page, results: StudyResults) -> None:
    page.scroll_through("weights")
    word = stored(results).details["heads"]["pairs"]["base"][0][0][0][0]
    heads, concepts = page.driver.find_elements("css selector", "#weights input[type=search]")
    heads.send_keys(word)
    page.wait(lambda: page.js("return document.querySelector('.head.hit')"), "heads are marked")
    assert "looks for" in page.driver.find_element("css selector", ".head.hit").get_attribute("aria-label")
    wanted = stored(results).details["concepts"]["components"][3]["words_top"][0]
    concepts.send_keys(wanted)
    page.wait(lambda: page.js("return document.querySelector('.card mark')"), "components are found")
    cards = page.js("return [...document.querySelectorAll('.card')].map((card) => card.textContent.toLowerCase())")
    assert all(wanted.lower() in card for card in cards)
