"""The authors' MATLAB files are read as they describe them; a file that holds anything else is refused with words.

The real files cannot travel with the tests: small ones of the same structure are written here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS, Recording, load_data
from tuneshift.human.datasets.wehbe2014 import Counts, read
from tuneshift.human.recordings.recording_checks import recording_problems

COUNTS = Counts(words=12, scans=(8, 7))  # two runs: 2 scans of rest, reading, rest
WORDS = ["Harriet", "had", "@never@", "+", "believed", "it.", "She", "ran,", "and", "+", "ran", "home."]
STARTS = np.array([4, 4.5, 5, 5.5, 6, 6.5, 20, 20.5, 21, 21.5, 22, 22.5])
NAMES = ["Precentral_L", "Frontal_Inf_Tri_L", "not_labelled"]


def matlab(number: int, n_voxels: int) -> dict[str, Any]:
    """What a subject's file holds, with MATLAB's nesting: an array of structs, cells of strings."""
    rng = np.random.default_rng(number)
    words = np.zeros((1, 12), dtype=[("text", "O"), ("start", "O"), ("length", "O")])
    for i, (word, start) in enumerate(zip(WORDS, STARTS, strict=True)):
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = word
        words[0, i] = (cell, float(start), 0.5)
    names = np.empty((1, len(NAMES)), dtype=object)
    names[0, :] = NAMES
    coordinates = rng.permutation(60)[:n_voxels]
    return {
        "data": rng.normal(900, 30, (15, n_voxels)),
        "time": np.column_stack([2.0 * np.arange(15), np.repeat([1, 2], [8, 7])]),
        "words": words,
        "meta": {
            "subject": number,
            "nTRs": 15,
            "nvoxels": n_voxels,
            "colToCoord": np.column_stack([coordinates % 5 + 1, coordinates // 5 % 4 + 1, coordinates // 20 + 1]),
            "colToROInum": np.arange(n_voxels)[None] % 3,
            "ROInumToName": names,
            "voxel_size": [3, 3, 3],
            "matrix": np.array([[-3.0, 0, 0, 81], [0, 3, 0, -115], [0, 0, 3, -73], [0, 0, 0, 1]]),
        },
    }


def saved(folder: Path, *held: dict[str, Any]) -> Callable[[str], Path]:
    for number, variables in enumerate(held, start=1):
        savemat(folder / f"subject_{number}.mat", variables)
    return lambda path: folder / Path(path).name


def load(folder: Path, *held: dict[str, Any]) -> Recording:
    return read(saved(folder, *held), COUNTS, tuple(range(1, len(held) + 1)))


def test_scans_of_reading_voxels_and_words_come_out_as_they_went_in(tmp_path: Path) -> None:
    held = [matlab(1, 4), matlab(2, 3)]
    recording = load(tmp_path, *held)
    reading = [2, 3, 10, 11]  # 4, 6 and 20, 22 s; a scan at 24 s would come after the last word
    assert recording.data["time"].values.tolist() == [4.0, 6.0, 20.0, 22.0]
    np.testing.assert_array_equal(recording.data.values, np.hstack([h["data"][reading] for h in held]))
    assert recording.data["passage"].values.tolist() == ["run 1", "run 1", "run 2", "run 2"]
    assert recording.participants == ("subject_1", "subject_2")
    assert recording.data["region"].values[:4].tolist() == [
        "not labelled", "Precentral_L", "Frontal_Inf_Tri_L", "not labelled",
    ]  # fmt: skip
    x, y, z = held[0]["meta"]["colToCoord"][0]
    mni = [float(recording.data[f"mni_{axis}"].values[0]) for axis in "xyz"]
    assert mni == [81 - 3 * x, 3 * y - 115, 3 * z - 73]
    assert recording.data["target_name"].values[0] == f"subject_1 {x},{y},{z}"
    words = recording.words
    assert words is not None
    assert words.words == tuple(w.replace("@", "") for w in WORDS if w != "+")
    assert words.onset.tolist() == [4, 4.5, 5, 6, 6.5, 20, 20.5, 21, 22, 22.5]
    assert (words.offset - words.onset == 0.5).all()
    assert words.passage == ("run 1",) * 5 + ("run 2",) * 5
    assert recording.dropped[0].startswith("11 scans of rest")
    assert recording.dropped[1].startswith("2 fixation crosses")
    assert not [problem for problem in recording_problems(recording) if problem.fatal]


def changed(**changes: Any) -> dict[str, Any]:
    held = matlab(1, 4)
    for name, value in changes.items():
        if name in held["meta"]:
            held["meta"][name] = value
        else:
            held[name] = value
    return held


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (changed(words=matlab(1, 4)["words"][:, :10]), r"has 10 words, where 12 are known"),
        (changed(data=np.ones((14, 4))), r"has 14 rows of data, where 15 are known"),
        (changed(data=np.ones((15, 5))), r"has 4 voxels with coordinates, where 5 are known"),
        (changed(colToROInum=[1, 2, 3]), r"has 3 voxels with a region, where 4 are known"),
        (changed(time=np.column_stack([2.0 * np.arange(15), np.ones(15)])), r"has \(15,\) scans a run, where \(8, 7\)"),
        (changed(time=np.column_stack([-2.0 * np.arange(15), np.repeat([1, 2], [8, 7])])), "go back in time"),
        (changed(colToROInum=[1, 2, 3, 9]), "region number 9 of 3 names"),
        (changed(colToCoord=np.full((4, 3), 500)), "outside any brain in MNI space"),
        (changed(matrix=np.eye(3)), "is not laid out as the authors describe"),
        (changed(meta={"subject": 1}), "is not laid out as the authors describe"),
    ],
)
def test_a_file_that_holds_anything_else_is_refused(tmp_path: Path, held: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        load(tmp_path, held)


def test_participants_who_read_other_words_are_refused_at_the_first(tmp_path: Path) -> None:
    other = matlab(2, 3)
    other["words"][0, 4]["text"] = "doubted"
    with pytest.raises(BadInput, match=r"word 5 of .*subject_2\.mat is 'doubted', of the first file 'believed'"):
        load(tmp_path, matlab(1, 4), other)
    late = matlab(2, 3)
    late["words"][0, 4]["start"] = 6.25
    with pytest.raises(BadInput, match=r"word 5 of .* is at 6.25 s, of the first file at 6 s"):
        load(tmp_path, matlab(1, 4), late)


def test_what_is_no_matlab_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "subject_1.mat").write_bytes(b"<html>404 not found</html>" * 20)
    with pytest.raises(BadInput, match=r"subject_1\.mat is no MATLAB file, or a damaged one"):
        read(lambda path: tmp_path / Path(path).name, COUNTS, (1,))


def test_the_data_set_looks_for_eight_files_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wehbe2014").mkdir()
    saved(tmp_path / "wehbe2014", *(matlab(number, 3) for number in range(1, 9)))
    monkeypatch.setenv("TUNESHIFT_DATA", str(tmp_path))
    assert DATA_SETS["wehbe2014"].is_here()
    with pytest.raises(BadInput, match="has 12 words, where 5176 are known"):
        load_data("wehbe2014")
