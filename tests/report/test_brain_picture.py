"""Scores with MNI coordinates are drawn on a glass brain; without nilearn the report says what to install."""

from __future__ import annotations

import base64
import builtins
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

from tuneshift.human import Recording, load_data
from tuneshift.report.blocks.section import Image, Paragraph
from tuneshift.report.page.page import render
from tuneshift.report.sections.brain_picture import CUBE, drawn, glass_brains, places
from tuneshift.study import StudyResults, load_study, run


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """The model measured on 4 simulated participants of 40 voxels, which get places: left for temporal ones."""
    folder = tmp_path_factory.mktemp("placed")
    recording = load_data("simulated_brain")
    assert isinstance(recording, Recording)
    data = recording.data[:, :160]
    rng = np.random.default_rng(0)
    spot = rng.uniform((-60, -80, -20), (60, 50, 50), (40, 3))
    where = {f"mni_{axis}": ("target", np.tile(spot[:, i], 4)) for i, axis in enumerate("xyz")}
    Recording("placed", data.assign_coords(where)).to_netcdf(folder / "placed.nc")
    text = yaml.safe_dump(
        {
            "name": "placed",
            "models": ["fable-2m"],
            "measurements": [{"kind": "brain", "data": str(folder / "placed.nc"), "folds": 3}],
        }
    )
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return run(load_study(folder / "study.yaml"), out=folder / "out")


def _blocks(study: StudyResults) -> list[Any]:
    return list(glass_brains(("placed", "grouped", "ridge"), [(cell, cell.result) for cell in study.cells]))


def test_the_report_holds_a_picture_with_its_words(study: StudyResults) -> None:
    pytest.importorskip("nilearn")
    (picture,) = _blocks(study)
    assert isinstance(picture, Image)
    assert picture.model == "fable-2m"
    assert "Pearson r of fable-2m at 40 places" in picture.description
    png = base64.b64decode(picture.source.removeprefix("data:image/png;base64,"))
    image = pytest.importorskip("matplotlib.image").imread(io.BytesIO(png))
    assert image.shape[1] > 2 * image.shape[0] > 400
    coloured = np.ptp(image[..., :3], axis=2) > 0.15
    assert 0.002 < coloured.mean() < 0.2  # markers and a colour bar on grey outlines
    page = render(study)
    assert f'<img src="{picture.source}"' in page
    assert "img-src data:" in page


def test_the_stored_result_knows_where_its_voxels_are(study: StudyResults) -> None:
    (cell,) = study.cells
    scores = cell.result.arrays["r_nested"]
    assert {"mni_x", "mni_y", "mni_z"} <= set(scores.coords)
    assert {"mni_x", "mni_y", "mni_z"} <= set(cell.result.arrays["r"].coords)
    found = places(scores)
    assert (np.diff(found.scores) >= 0).all()
    first = scores.values.reshape(4, 40).mean(axis=0)  # every participant has the same 40 places
    assert np.allclose(np.sort(first), found.scores)


def test_people_count_alike_and_what_has_no_place_is_left_out() -> None:
    coords = {
        "participant": ("target", ["a", "a", "b", "a", "b", "b"]),
        "region": ("target", ["one"] * 3 + ["two"] * 3),
        "mni_x": ("target", [-40.0, -39.5, -40.2, 20.0, np.nan, 20.1]),
        "mni_y": ("target", [0.0, 0.1, 0.2, 8.0, 8.0, 8.0]),
        "mni_z": ("target", [4.0, 4.1, 3.9, 0.0, 0.0, 0.0]),
    }
    found = places(xr.DataArray([0.1, 0.3, 0.4, 0.5, 0.9, np.nan], dims=("target",), coords=coords))
    assert np.allclose(found.scores, [0.3, 0.5])  # the mean of a's two voxels, .2, and b's .4; then a's alone
    assert np.abs(found.coordinates - [[-40, 0, 4], [20, 8, 0]]).max() < CUBE / 2
    assert found.regions == ("one", "two")


def test_a_recording_without_coordinates_has_no_picture(study: StudyResults) -> None:
    (cell,) = study.cells
    result = cell.result
    bare = {"r_nested": result.arrays["r_nested"].drop_vars(["mni_x", "mni_y", "mni_z"])}

    assert not list(glass_brains(("placed", "grouped", "ridge"), [(cell, replace(result, arrays=bare))]))
    assert not list(glass_brains(("placed", "shuffled", "ridge"), [(cell, result)]))


def test_without_nilearn_one_sentence_says_what_to_install(
    study: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "nilearn":
            raise ImportError("No module named 'nilearn'")
        return known(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    (said,) = _blocks(study)
    assert isinstance(said, Paragraph)
    assert "pip install 'tuneshift[surface]'" in said.text
    page = render(study)
    assert "tuneshift[surface]" in page
    assert "<img" not in page.partition("<script")[0]


def test_the_picture_is_drawn_without_the_network(study: StudyResults, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nilearn")

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the picture asked for the network")

    monkeypatch.setattr("socket.socket.connect", refused)
    (cell,) = study.cells
    assert drawn(places(cell.result.arrays["r_nested"]), 0.4, "Pearson r").startswith("data:image/png")
