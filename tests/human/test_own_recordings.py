"""A recording of one's own is written, read back as it was, and refused in one sentence where it cannot be used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from own_data import assert_same, recordings

from tuneshift.errors import BadInput
from tuneshift.human import Recording, check_file, data_checksum, load_data, write_recording_table

own = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@own
@given(recording=recordings())
def test_netcdf_gives_back_the_recording_that_was_written(tmp_path: Path, recording: Recording) -> None:
    path = recording.to_netcdf(tmp_path / "mine.nc")
    read = load_data(str(path))
    assert isinstance(read, Recording)
    assert_same(read, recording)
    assert not [problem for problem in check_file(path) if not problem.startswith("warning: ")]


@own
@given(recording=recordings(time_series=False))
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_gives_back_the_recording_that_was_written(tmp_path: Path, suffix: str, recording: Recording) -> None:
    data = recording.data.drop_vars("voxel_x", errors="ignore")
    written = replace(recording, data=data, name="mine", dropped=(), notes={})
    read = load_data(write_recording_table(written, tmp_path / f"mine{suffix}"))
    assert isinstance(read, Recording)
    assert_same(read, written)


def sound(**changes: Any) -> xr.Dataset:
    """A dataset in the layout: 6 sentences in 5 passages, 2 participants; with changes, None leaving a thing out."""
    rng = np.random.default_rng(0)
    parts: dict[str, Any] = {
        "responses": (("stimulus", "target"), rng.standard_normal((6, 4))),
        "passage": ("stimulus", list("aabcde")),
        "text": ("stimulus", [f"Sentence {n}." for n in range(6)]),
        "participant": ("target", ["p1", "p1", "p2", "p2"]),
        "region": ("target", ["IFG", "PTL", "IFG", "PTL"]),
    }
    parts |= changes
    return xr.Dataset({k: v for k, v in parts.items() if v is not None}, attrs={"unit": "z"})


def series(**changes: Any) -> xr.Dataset:
    """A dataset of a time series: 6 scans of one story, two words."""
    parts: dict[str, Any] = {
        "text": None,
        "passage": ("stimulus", ["story"] * 6),
        "time": ("stimulus", 2.0 * np.arange(6)),
        "word": ("words", ["Once", "upon"]),
        "word_onset": ("words", [0.1, 0.5]),
        "word_offset": ("words", [0.4, 0.9]),
        "word_passage": ("words", ["story", "story"]),
    }
    return sound(**(parts | changes))


def test_a_sound_file_has_no_problem_and_targets_get_names(tmp_path: Path) -> None:
    for dataset in (sound(), series()):
        path = tmp_path / "mine.nc"
        dataset.to_netcdf(path, engine="h5netcdf")
        assert check_file(path) == []
        recording = load_data(str(path))
        assert isinstance(recording, Recording)
        assert recording.name == "mine"
        assert recording.data["target_name"].values.tolist() == ["p1 IFG", "p1 PTL", "p2 IFG", "p2 PTL"]


_VALUES = sound()["responses"].values
_INFINITE = np.array([0, 0, 0, np.inf])
_ROW_OF_NAN = np.where(np.arange(6)[:, None] == 2, np.nan, _VALUES)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (sound(responses=None, bold=(("stimulus", "target"), _VALUES)), "has no variable `responses`; it has"),
        (sound(responses=(("scan", "voxel"), _VALUES)), r"must be \(stimulus, target\), not \(scan, voxel\)"),
        (sound(participant=None), "has no `participant`"),
        (sound(participant=("stimulus", list("aaaaaa"))), r"`participant` must lie along \(target\), not \(stimulus\)"),
        (sound(text=None), "has neither `text` along `stimulus` nor `word`"),
        (sound(text=("stimulus", ["a", "b", " ", "c", "d", "e"])), "`text` is empty at stimulus 3"),
        (sound(passage=None), "warning: has no `passage`"),
        (sound(passage=("stimulus", ["a", "a", "b", "", "c", "d"])), "`passage` is empty at stimulus 4"),
        (sound(passage=("stimulus", ["a"] * 6)), "warning: has 1 passages: 5 or more"),
        (sound(participant=("target", ["p1"] * 4), region=None), "warning: holds one participant"),
        (sound(target_name=("target", ["x", "y", "x", "z"])), "must be unique, but x comes more than once"),
        (sound(responses=(("stimulus", "target"), _VALUES * [1, 0, 1, 1])), r"1 of 4 targets never vary .*p1 PTL"),
        (sound(responses=(("stimulus", "target"), _ROW_OF_NAN)), "4 responses are NaN .first: stimulus 3, target 'p1"),
        (sound(responses=(("stimulus", "target"), _VALUES * np.nan)), "holds no response at all"),
        (
            sound(responses=(("stimulus", "target"), _VALUES + np.array([0, 0, 0, np.inf]))),
            "stimulus 1, target 'p2 PTL' is inf",
        ),
        (sound(text=("stimulus", ["a", "a", "b", "c", "d", "e"])), "stimuli 1 and 2 are the same text in passage 'a'"),
        (sound().assign_attrs(unit="furlong"), "warning: unit 'furlong' is none of z, % signal"),
        (sound().assign_attrs(high_pass=128.0), "`high_pass` is given without `repetition_time`"),
        (sound().assign_attrs(repetition_time="two"), "`repetition_time` must be a positive number"),
        (sound().assign_attrs(dropped="s33"), "attribute `dropped` must be a list"),
        (series(time=None), "has `word`, but no `time`"),
        (series(time=("stimulus", [0.0, 2, 4, 3, 6, 8])), r"row 4 \(3 s\) does not come after row 3 \(4 s\)"),
        (series(time=("stimulus", [0.0, 2, np.nan, 3, 6, 8])), "`time` of row 3 is not a finite number"),
        (series(word_offset=None), "has `word`, but not word_offset"),
        (series(word_onset=("words", [0.5, 0.1])), "word 2 .'upon', 0.1 s. begins before word 1"),
        (series(word_offset=("words", [0.0, 0.9])), "word 1 .'Once'. ends before it begins"),
        (series(word=("words", ["a", "a"]), word_onset=("words", [0.1, 0.1])), "word 2 .'a'. is there twice"),
        (series(word_passage=("words", ["story", "other"])), "words belong to passage other, which no row"),
        (series(word_onset=("words", [900.0, 901.0]), word_offset=("words", [900.5, 901.5])), "no word falls within"),
        (series(word_onset=("words", ["a", "b"])), "`word_onset` must be seconds"),
    ],
)
def test_each_fault_of_a_netcdf_file_is_named(tmp_path: Path, dataset: xr.Dataset, sentence: str) -> None:
    path = tmp_path / "mine.nc"
    dataset.to_netcdf(path, engine="h5netcdf")
    problems = check_file(path)
    matching = [problem for problem in problems if pd.Series(problem).str.contains(sentence).item()]
    assert len(matching) == 1, problems
    assert "\n" not in matching[0]
    if not matching[0].startswith("warning"):
        with pytest.raises(BadInput, match=r"mine\.nc: "):
            load_data(path)


def table(**changes: Any) -> pd.DataFrame:
    rows = [
        {"stimulus": s, "passage": "abcde"[s], "text": f"Sentence {s}.", "participant": p, "region": r,
         "response": float(s + i), "unit": "z"}
        for s in range(5) for i, (p, r) in enumerate([("p1", "IFG"), ("p2", "IFG")])
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changes)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (table().drop(columns="participant").assign(subject="p1"), "no column `participant` .is it `subject`. rename"),
        (table().drop(columns="text"), "has no column `text`; it has stimulus, passage"),
        (table().assign(response=["1", "2", "three"] + ["4"] * 7), "row 4, column `response`: 'three' is no number"),
        (table().assign(text=[f"S {n}" for n in range(10)]), "row 3, column `text`: stimulus '0' has another text"),
        (table().assign(unit=["z"] * 9 + ["V"]), "row 11, column `unit`: 'V', but 'z' above"),
        (pd.concat([table(), table().iloc[:1]]), "row 12: stimulus '0' and participant 'p1' have a response above"),
        (table().assign(target="voxel"), "row 3: stimulus '0' and participant 'p2' have a response above already"),
        (table().iloc[:0], "has no row below the names"),
    ],
)
def test_each_fault_of_a_table_is_named_with_its_row(tmp_path: Path, frame: pd.DataFrame, sentence: str) -> None:
    path = tmp_path / "mine.csv"
    frame.to_csv(path, index=False)
    assert [p for p in check_file(path) if pd.Series(p).str.contains(sentence).item()], check_file(path)
    with pytest.raises(BadInput, match=sentence):
        load_data(path)


def test_a_time_series_does_not_fit_a_table(tmp_path: Path) -> None:
    path = tmp_path / "mine.nc"
    series().to_netcdf(path, engine="h5netcdf")
    recording = load_data(path)
    assert isinstance(recording, Recording)
    with pytest.raises(BadInput, match="is a time series, which a table cannot hold"):
        write_recording_table(recording, tmp_path / "mine.csv")


def test_what_is_no_file_no_netcdf_or_no_table_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no file"):
        load_data("nowhere.nc")
    with pytest.raises(BadInput, match="there is no file"):
        check_file(tmp_path / "nowhere.csv")
    (tmp_path / "junk.nc").write_bytes(b"this is no netCDF")
    (tmp_path / "junk.csv").write_bytes(b"\xff\xfe\x00junk")
    (tmp_path / "junk.parquet").write_bytes(b"PAR1")
    for name in ("junk.nc", "junk.csv", "junk.parquet"):
        assert len(check_file(tmp_path / name)) == 1
        with pytest.raises(BadInput, match=r"netCDF|cannot be read|is no UTF-16"):
            load_data(tmp_path / name)


def test_a_changed_file_has_another_checksum(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    table().to_csv(path, index=False)
    before = data_checksum(str(path))
    table(region="PTL").to_csv(path, index=False)
    assert len(before) == 64
    assert data_checksum(path) != before


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.nc"
    sound().to_netcdf(path, engine="h5netcdf")
    recording = load_data(path)
    assert isinstance(recording, Recording)
    with pytest.raises(BadInput, match="is no folder"):
        recording.to_netcdf(tmp_path / "absent" / "mine.nc")
    bad = replace(recording, data=recording.data.assign_coords(odd=("target", [object()] * 4)))
    with pytest.raises(BadInput, match="a coordinate that netCDF cannot hold"):
        bad.to_netcdf(tmp_path / "bad.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.nc"]


def test_the_command_line_lists_every_problem_and_fails_on_fatal_ones_only(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from tuneshift.cli.app import app

    path = tmp_path / "mine.nc"
    for dataset, status in ((sound(), 0), (sound(passage=None), 0), (sound(participant=None, text=None), 2)):
        dataset.to_netcdf(path, engine="h5netcdf")
        done = CliRunner().invoke(app, ["data", "check", str(path), "--json"])
        assert done.exit_code == status
        found = [row["problem"] for row in json.loads(done.stdout)["rows"]]
        assert found == (check_file(path) or ["none"])


def test_further_columns_of_a_table_are_labels_of_its_stimuli(tmp_path: Path) -> None:
    """`--group-by topic` once worked for netCDF only."""
    topic = np.repeat(["animals", "animals", "tools", "tools", "007"], 2)
    frame = table(topic=topic, year=np.repeat([1, 1, 2, 2, 3], 2), rating=range(10), time="morning")
    frame.to_csv(tmp_path / "mine.csv", index=False)
    read = load_data(tmp_path / "mine.csv")
    assert isinstance(read, Recording)
    assert read.data["topic"].values.tolist() == topic[::2].tolist()
    assert read.data["year"].values.tolist() == [1, 1, 2, 2, 3]
    assert {"rating", "time"}.isdisjoint(read.data.coords)
    assert "column `rating`, `time` was left out" in " ".join(check_file(tmp_path / "mine.csv"))
    again = load_data(write_recording_table(read, tmp_path / "again.csv"))
    assert isinstance(again, Recording)
    xr.testing.assert_identical(again.data, read.data)
