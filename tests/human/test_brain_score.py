"""Brain-Score assemblies are read as the recordings they hold, written, and refused where they are not what is known.

The real files cannot travel with the tests, so each is written here on a small scale: the same dimensions, coordinate
names and types, and the same peculiarities (participants who skipped an experiment, parts of stories out of order).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from own_data import assert_same, recordings

from tuneshift.errors import BadInput
from tuneshift.human import DATA_SETS, DataSet, Recording, check_file, load_data, read_assembly, write_assembly
from tuneshift.human.brain_score_release import Counts
from tuneshift.human.datasets import blank2014, fedorenko2016, tuckute2024
from tuneshift.human.recordings.brain_score import to_assembly


def save(path: Path, data: np.ndarray, presentation: dict[str, list], neuroid: dict[str, list]) -> Path:
    """Write an assembly as Brain-Score's packaging does: one variable `data`, flat coordinates, NETCDF4."""
    coords = {name: ("presentation", values) for name, values in presentation.items()}
    coords |= {name: ("neuroid", values) for name, values in neuroid.items()}
    assembly = xr.DataArray(data, dims=("presentation", "neuroid"), coords=coords)
    dataset = assembly.to_dataset(name="data")
    for name in dataset.variables:
        if dataset[name].dtype.kind == "U":
            dataset[name] = dataset[name].astype(object)
    dataset.attrs["identifier"] = path.stem
    dataset.to_netcdf(path, engine="h5netcdf")
    return path


def pereira(path: Path, small: int = 4, large: int = 6) -> Path:
    """Two experiments of passages of two sentences; participant 215 did only the first, 366 only the second."""
    rows = [("243sentences", n) for n in range(small)] + [("384sentences", n) for n in range(large)]
    who = ["018"] * 2 + ["215"] * 2 + ["366"]
    data = np.random.default_rng(0).standard_normal((len(rows), len(who)))
    data[small:, 2:4] = np.nan
    data[:small, 4] = np.nan
    data[:small, 1] = np.nan  # a voxel of 018 that the first experiment lacks
    return save(
        path,
        data,
        {
            "experiment": [e for e, _ in rows],
            "stimulus_num": [n for _, n in rows],
            "stimulus_id": [f"{e}.{n}" for e, n in rows],
            "sentence": [f"Sentence {n} of {e}." for e, n in rows],
            "stimulus": [f"Sentence {n} of {e}." for e, n in rows],
            "passage_index": [n // 2 + 1 for _, n in rows],
            "passage_label": [["an ant", "a bee", "a cat"][n // 2] for _, n in rows],
            "passage_category": ["animals"] * len(rows),
            "story": [f"{e}.animals" for e, _ in rows],
        },
        {
            "subject": who,
            "voxel_num": [0, 1, 0, 1, 0],
            "neuroid_id": ["018.0", "018.1", "215.0", "215.1", "366.0"],
            "atlas": ["language"] * 5,
            "filter_strategy": ["HminusE", "HminusE", "", "FIXminusH", "HminusE"],
            "roi": ["LH_IFG", "LH_MFG", "LH_IFG", "LH_IFG", "LH_MFG"],
            "col_to_coord_1": [40, 41, 40, 42, 43],
        },
    )


def read_with(data_set: DataSet, path: Path, counts: Counts) -> Recording:
    reader: Callable[..., Recording] = data_set.reader  # type: ignore[assignment]
    return reader(lambda _: path, counts=counts)


def test_an_experiment_of_pereira_keeps_its_own_participants_and_counts_the_others(tmp_path: Path) -> None:
    path = pereira(tmp_path / "assy.nc")
    first = read_with(DATA_SETS["pereira2018_243"], path, Counts(10, 5, 3, selected=4))
    second = read_with(DATA_SETS["pereira2018_384"], path, Counts(10, 5, 3, selected=6))
    assert first.participants == ("018", "215")
    assert second.participants == ("018", "366")
    assert first.data.shape == (4, 3)
    assert second.data.shape == (6, 3)
    assert np.isfinite(first.data.values).all()
    assert first.dropped == (
        "1 of 2 targets of participant 018 were left out: no response in experiment 243sentences",
        "participant 366 was left out: none of 1 targets has a response in experiment 243sentences",
    )
    assert first.data["text"].values.tolist() == [f"Sentence {n} of 243sentences." for n in range(4)]
    assert first.data["passage"].values.tolist() == ["an ant", "an ant", "a bee", "a bee"]
    assert first.data["target_name"].values.tolist() == ["018.0", "215.0", "215.1"]
    assert first.data["region"].values.tolist() == ["LH_IFG", "LH_IFG", "LH_IFG"]
    assert first.data["filter_strategy"].values.tolist() == ["HminusE", "", "FIXminusH"]
    raw = xr.load_dataset(path, engine="h5netcdf")["data"].values
    np.testing.assert_array_equal(first.data.values, raw[:4, [0, 2, 3]])
    np.testing.assert_array_equal(second.data.values, raw[4:, [0, 1, 4]])


def test_counts_other_than_the_known_ones_are_refused_with_both_numbers(tmp_path: Path) -> None:
    path = pereira(tmp_path / "assy.nc")
    for counts, words in (
        (Counts(11, 5, 3), "has 10 presentations, where 11 are known"),
        (Counts(10, 6, 3), "has 5 neuroids, where 6 are known"),
        (Counts(10, 5, 9), "has 3 participants, where 9 are known"),
        (Counts(10, 5, 3, selected=243), "has 4 presentations of this experiment, where 243 are known"),
    ):
        with pytest.raises(BadInput, match=words):
            read_with(DATA_SETS["pereira2018_243"], path, counts)


def blank(path: Path) -> Path:
    """Two stories whose parts stand out of order; participant 090 did not hear the second."""
    parts = [("Boar", 0, 1, "journey to "), ("Aqua", 0, 0, "Once upon a "), ("Boar", 0, 0, "If you were to "),
             ("Boar", 1, 0, "It is in "), ("Aqua", 0, 1, "time there was ")]  # fmt: skip
    data = np.arange(20.0).reshape(5, 4)
    data[[1, 4], 2:] = np.nan
    return save(
        path,
        data,
        {
            "stimulus_id": [f"{s}.{n}.{p}" for s, n, p, _ in parts],
            "story": [s for s, *_ in parts],
            "sentence_number_in_story": [n for _, n, _, _ in parts],
            "part_number_in_sentence": [p for _, _, p, _ in parts],
            "stimulus_sentence": [t for *_, t in parts],
            "stimulus": [t for *_, t in parts],
        },
        {
            "fROI_area": ["01_LH_PostTemp", "03_LH_IFG"] * 2,
            "subject_id": ["061", "061", "090", "090"],
            "neuroid_id": ["061.01_LH_PostTemp", "061.03_LH_IFG", "090.01_LH_PostTemp", "090.03_LH_IFG"],
        },
    )


def test_parts_of_a_story_of_blank_stand_in_the_order_they_were_heard(tmp_path: Path) -> None:
    recording = read_with(blank2014.DATA_SET, blank(tmp_path / "assy.nc"), Counts(5, 4, 2))
    assert recording.data["text"].values.tolist() == [
        "If you were to", "journey to", "It is in", "Once upon a", "time there was",
    ]  # fmt: skip
    assert recording.data["passage"].values.tolist() == ["Boar"] * 3 + ["Aqua"] * 2
    assert recording.data.values[:, 0].tolist() == [8, 0, 12, 4, 16]
    assert np.isnan(recording.data.values[3:, 2:]).all()  # kept: those regions are scored on what they have
    assert recording.data["region"].values.tolist() == ["01_LH_PostTemp", "03_LH_IFG"] * 2
    assert recording.dropped == ()


def test_every_sentence_of_tuckute_is_a_passage_of_its_own(tmp_path: Path) -> None:
    path = save(
        tmp_path / "assy.nc",
        np.array([[0.1], [1.2], [-0.3]]),
        {"stimulus_id": ["7", "9", "8"], "stimulus": ["A b.", "C d.", "E f."], "cond": ["T", "D", "S"]},
        {"neuroid_id": [1], "subject_UID": ["848-853-865-875-876"], "roi": ["lang_LH_netw"]},
    )
    recording = read_with(tuckute2024.DATA_SET, path, Counts(3, 1, 1))
    assert recording.data["passage"].values.tolist() == ["7", "9", "8"]
    assert recording.participants == ("848-853-865-875-876",)
    assert recording.data["target_name"].values.tolist() == ["1"]
    assert recording.unit == "z"
    assert "no noise ceiling" in recording.notes["participants"]


def test_a_sentence_of_fedorenko_is_a_passage_of_words(tmp_path: Path) -> None:
    words = ["ALEX", "WAS", "TIRED", "HE", "SLEPT", "WELL"]
    path = save(
        tmp_path / "assy.nc",
        np.arange(18.0).reshape(6, 3),
        {"stimulus_id": list(range(6)), "stimulus": words, "word": words, "word_num": [0, 1, 2, 0, 1, 2],
         "sentence_id": [0, 0, 0, 1, 1, 1]},
        {"electrode": [0, 1, 2], "neuroid_id": [0, 1, 2], "subject_UID": [1, 1, 2]},
    )  # fmt: skip
    recording = read_with(fedorenko2016.DATA_SET, path, Counts(6, 3, 2))
    assert recording.data["passage"].values.tolist() == ["0", "0", "0", "1", "1", "1"]
    assert recording.data["text"].values.tolist() == words
    assert recording.participants == ("1", "2")


def test_a_small_file_in_the_data_folder_is_refused_by_its_sha1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brain_score").mkdir()
    path = pereira(tmp_path / "brain_score" / "assy_Pereira2018_language.nc")
    monkeypatch.setenv("TUNESHIFT_DATA", str(tmp_path))
    with pytest.raises(BadInput, match=r"has sha1 .*, not f8434b4022f5\.\.\.: the file is damaged or another release"):
        load_data("pereira2018_243")
    true = replace(
        DATA_SETS["pereira2018_243"],
        sources=(replace(DATA_SETS["pereira2018_243"].sources[0], known_hash="sha1:" + sha1(path)),),
    )
    with pytest.raises(BadInput, match="has 10 presentations, where 627 are known"):
        true.load()


def sha1(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recording=recordings(time_series=False))
def test_a_recording_written_as_an_assembly_is_read_back(tmp_path: Path, recording: Recording) -> None:
    values = recording.data.values
    values[0] = np.arange(values.shape[1])  # a target without any response would be left out
    read = read_assembly(write_assembly(recording, tmp_path / "assy.nc"))
    assert_same(replace(read, data=read.data.drop_vars("stimulus_id")), recording)
    again = load_data(tmp_path / "assy.nc")  # an assembly is known by its dimensions
    assert isinstance(again, Recording)
    assert_same(again, read)


def test_an_assembly_has_the_coordinates_that_brain_score_asks_for(tmp_path: Path) -> None:
    recording = load_data("simulated_brain")
    assert isinstance(recording, Recording)
    assembly = to_assembly(recording)
    assert assembly.dims == ("presentation", "neuroid")
    assert {"stimulus", "stimulus_id", "passage_label", "subject", "neuroid_id"} <= set(map(str, assembly.coords))
    assert len(set(assembly["stimulus_id"].values)) == assembly.sizes["presentation"]
    stored = xr.load_dataset(write_assembly(recording, tmp_path / "assy.nc"), engine="h5netcdf")
    np.testing.assert_array_equal(stored["data"].values, recording.data.values)


def test_brain_scores_own_loader_opens_what_is_written(tmp_path: Path) -> None:
    """Its loader is `xr.open_dataarray`: one variable, everything else a coordinate along presentation or neuroid."""
    recording = load_data("simulated_brain")
    assert isinstance(recording, Recording)
    with xr.open_dataarray(write_assembly(recording, tmp_path / "assy.nc"), engine="h5netcdf") as assembly:
        assert assembly.dims == ("presentation", "neuroid")
        along = {name: assembly[name].dims for name in ("stimulus", "stimulus_id", "subject", "neuroid_id")}
        assert along == {
            "stimulus": ("presentation",), "stimulus_id": ("presentation",),
            "subject": ("neuroid",), "neuroid_id": ("neuroid",),
        }  # fmt: skip


def test_an_assembly_in_the_classic_format_is_read_too(tmp_path: Path) -> None:
    new = blank(tmp_path / "new.nc")
    dataset = xr.load_dataset(new, engine="h5netcdf")
    dataset.attrs = {}
    dataset.to_netcdf(tmp_path / "old.nc", engine="scipy", format="NETCDF3_CLASSIC")
    assert (tmp_path / "old.nc").read_bytes()[:3] == b"CDF"
    assert_same(replace(read_assembly(tmp_path / "old.nc"), name="new"), replace(read_assembly(new), name="new"))


def test_what_is_no_assembly_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "assy.nc"
    data = np.ones((2, 2))
    save(path, data, {"stimulus": ["a", "b"]}, {"neuroid_id": [1, 2]})
    with pytest.raises(
        BadInput, match=r"none of the coordinates subject, subject_id, .* along neuroid; it has neuroid"
    ):
        read_assembly(path)
    save(path, data, {"story": ["a", "b"]}, {"subject": [1, 2]})
    with pytest.raises(BadInput, match="none of the coordinates stimulus, sentence"):
        read_assembly(path)
    save(path, data * np.nan, {"stimulus": ["a", "b"]}, {"subject": [1, 2]})
    with pytest.raises(BadInput, match="holds no response at all"):
        read_assembly(path)
    save(path, data, {"stimulus": ["a", "b"], "experiment": ["x", "y"]}, {"subject": [1, 2]})
    with pytest.raises(BadInput, match="no presentation whose experiment is 'z'; there are x, y"):
        read_assembly(path, select={"experiment": "z"})
    with pytest.raises(BadInput, match="no coordinate 'run' along presentation"):
        read_assembly(path, select={"run": "1"})
    xr.Dataset({"data": (("presentation", "neuroid", "time_bin"), np.ones((2, 2, 3)))}).to_netcdf(path)
    assert "a dimension 'time_bin' of length 3" in check_file(path)[0]
    xr.Dataset({"data": ("presentation", [1.0])}).to_netcdf(path)
    with pytest.raises(BadInput, match="is no Brain-Score assembly"):
        read_assembly(path)
