"""Scans, words and confounds from other people's folders become the recording that was put into them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import xarray as xr
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tuneshift.errors import BadInput
from tuneshift.human import Recording, load_data
from tuneshift.human.recordings.series import import_series
from tuneshift.human.recordings.series.confounds import without_confounds
from tuneshift.numerics.haemodynamics import high_pass

TR, N = 1.5, 40
WORDS = "word,onset,offset\nOnce,2.0,2.4\nupon,2.4,2.8\na,2.8,2.9\ntime,2.9,3.5\n"


def recipe(folder: Path, /, **changes: Any) -> Path:
    """A recipe over files that are already in the folder; a change of None leaves the key out."""
    keys = {
        "name": "mine",
        "series": "{participant}_{passage}.npy",
        "words": "{passage}.csv",
        "repetition_time": TR,
    } | changes
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in keys.items() if value is not None}))
    return path


def signals(seed: int, n_targets: int = 3, n_scans: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 5, (n_scans, n_targets))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two participants, two passages; participant b was not there for the second."""
    for name in ("story 1", "story 10", "story 2"):
        (tmp_path / f"{name}.csv").write_text(WORDS)
    np.save(tmp_path / "a_story 2.npy", signals(1))
    np.save(tmp_path / "a_story 10.npy", signals(2, n_scans=30))
    np.save(tmp_path / "b_story 2.npy", signals(3, n_targets=2))
    return tmp_path


def test_alice_imported_from_its_raw_files_is_the_data_set(real_data: Path, tmp_path: Path) -> None:
    path = recipe(
        tmp_path,
        name="alice2016",
        series=str(real_data / "alice2016/alice_data_shared/6mm/{participant}-timecourses.txt"),
        words={
            "file": str(real_data / "alice2016/alice_stim_shared/DownTheRabbitHoleFinal_exp120_pad_1.TextGrid"),
            "tier": "word",
            "printed": str(real_data / "alice2016/text/alice_ch1_sentences.txt"),
        },
        passage="chapter 1",
        repetition_time=2,
        first_scan=20,
        regions=["LATL", "RATL", "LPTL", "LIPL", "LPreM", "LIFG"],
        high_pass=128,
    )
    mine, known = import_series(path), load_data("alice2016")
    assert isinstance(known, Recording)
    assert np.abs(mine.data.values - known.data.values).max() < 1e-5
    xr.testing.assert_identical(mine.data, known.data)
    assert mine.words is not None
    assert known.words is not None
    assert mine.words.words == known.words.words
    np.testing.assert_array_equal(mine.words.onset, known.words.onset)
    assert mine.dropped == ("participant s33 was left out: none of 6 targets varies",)
    again = load_data(mine.to_netcdf(tmp_path / "alice.nc"))
    assert isinstance(again, Recording)
    xr.testing.assert_identical(again.data, known.data)


def test_motion_is_regressed_out_of_alice(real_data: Path, tmp_path: Path) -> None:
    """The ten first volumes, which the scans lack, are skipped in the authors' motion parameters."""
    keys = {
        "series": str(real_data / "alice2016/alice_data_shared/6mm/{participant}-timecourses.txt"),
        "words": str(real_data / "alice2016/alice_stim_shared/DownTheRabbitHoleFinal_exp120_pad_1.TextGrid"),
        "repetition_time": 2, "first_scan": 20, "participants": ["s18"],
    }  # fmt: skip
    motion = {"file": str(real_data / "alice2016/alice_data_shared/{participant}-rp*.txt"), "skip": 10}
    cleaned = import_series(recipe(tmp_path, confounds=motion, **keys)).data.values
    raw = import_series(recipe(tmp_path, **keys)).data.values
    parameters = np.loadtxt(next((real_data / "alice2016/alice_data_shared").glob("s18-rp*.txt")))[10:]
    design = np.column_stack([np.ones(len(raw)), parameters])
    by_hand = raw - design @ np.linalg.lstsq(design, raw, rcond=None)[0] + raw.mean(axis=0)
    np.testing.assert_allclose(cleaned, by_hand, atol=1e-6)
    with pytest.raises(BadInput, match="has 372 rows, but there are 362 scans; set `skip`"):
        import_series(recipe(tmp_path, confounds=motion["file"], **keys))


def test_passages_follow_each_other_on_one_clock_and_what_was_not_heard_is_missing(folder: Path) -> None:
    recording = import_series(recipe(folder, first_scan=0.5))
    times, passage = recording.data["time"].values, recording.data["passage"].values
    assert list(dict.fromkeys(passage)) == ["story 2", "story 10"]  # numbers, not strings
    np.testing.assert_allclose(times[:N], 0.5 + TR * np.arange(N))
    np.testing.assert_allclose(np.diff(times[N:]), TR)
    assert times[N] - times[N - 1] >= 60
    np.testing.assert_array_equal(recording.data.values[:N, :3], signals(1))
    np.testing.assert_array_equal(recording.data.values[N:, :3], signals(2, n_scans=30))
    np.testing.assert_array_equal(recording.data.values[:N, 3:], signals(3, n_targets=2))
    assert np.isnan(recording.data.values[N:, 3:]).all()
    assert recording.data["target_name"].values.tolist() == ["a 1", "a 2", "a 3", "b 1", "b 2"]
    words = recording.words
    assert words is not None
    assert words.passage == ("story 2",) * 4 + ("story 10",) * 4
    np.testing.assert_allclose(words.onset[4:] - times[N], words.onset[:4] - times[0])


def test_runs_labelled_as_they_came_are_numbered_within_each_participant(folder: Path) -> None:
    for number in (1, 2):
        (folder / f"section{number}.csv").write_text(WORDS)
    for name, labels in (("c", (9, 10)), ("d", (15, 16))):
        for seed, label in enumerate(labels):
            np.save(folder / f"{name}_run-{label}.npy", signals(seed))
    keys: dict[str, Any] = {"series": "{participant}_run-{passage}.npy", "words": "section{passage}.csv"}
    recording = import_series(recipe(folder, renumber=True, **keys))
    assert list(dict.fromkeys(recording.data["passage"].values)) == ["1", "2"]
    np.testing.assert_array_equal(recording.data.values, np.vstack([np.hstack([signals(i)] * 2) for i in (0, 1)]))
    bad(folder, r"there is no file .*section9\.csv", **keys)


def test_discarding_scans_moves_no_scan_in_time(folder: Path) -> None:
    whole, cut = import_series(recipe(folder)), import_series(recipe(folder, discard=4))
    np.testing.assert_allclose(cut.data["time"].values[: N - 4], whole.data["time"].values[4:N])
    np.testing.assert_array_equal(cut.data.values[: N - 4], whole.data.values[4:N])


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".h5", ".csv", ".tsv", ".txt"])
def test_every_kind_of_file_gives_the_same_numbers(tmp_path: Path, suffix: str) -> None:
    import h5py

    (tmp_path / "1.csv").write_text(WORDS)
    values, path = signals(0), tmp_path / f"a_scans{suffix}"
    if suffix == ".npz":
        np.savez(path, scans=values, other=np.ones(3))
    elif suffix == ".npy":
        np.save(path, values)
    elif suffix == ".h5":
        with h5py.File(path, "w") as held:
            held["scans"] = values
    else:
        between = {".csv": ",", ".tsv": "\t", ".txt": "  "}[suffix]
        rows = [between.join(map(repr, row.tolist())) for row in values]
        path.write_text("\n".join([between.join(["IFG", '"PTL"', "ATL"]), *rows]) + "\n")
    array = {"array": "scans"} if suffix in (".npz", ".h5") else {}
    recording = import_series(recipe(tmp_path, series="{participant}_scans" + suffix, **array))
    np.testing.assert_array_equal(recording.data.values, values)
    if suffix in (".csv", ".tsv", ".txt"):
        assert recording.data["region"].values.tolist() == ["IFG", "PTL", "ATL"]


AFFINE = np.array([[-3.0, 0, 0, 60], [0, 3, 0, -80], [0, 0, 3, -50], [0, 0, 0, 1]])


def image(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE, tr: float = TR) -> Path:
    """Save values (x, y, z[, time]) as NIfTI."""
    held = nibabel.Nifti1Image(values, affine)
    if values.ndim == 4:
        held.header.set_zooms((3, 3, 3, tr))
        held.header.set_xyzt_units("mm", "sec")
    nibabel.save(held, path)
    return path


@pytest.fixture
def brain(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """One participant's image of 4 x 3 x 2 voxels; two of them lie outside the brain and are zero."""
    (tmp_path / "1.csv").write_text(WORDS)
    values = np.random.default_rng(5).normal(500, 9, (4, 3, 2, N)).astype(np.float32)
    values[0, 0] = 0
    image(tmp_path / "a_bold.nii.gz", values)
    return tmp_path, values


def test_voxels_of_an_image_come_with_their_places_and_repetition_time(brain: tuple[Path, np.ndarray]) -> None:
    folder, values = brain
    recording = import_series(
        recipe(folder, series="{participant}_bold.nii.gz", words="1.csv", repetition_time=None, space="mni")
    )
    inside = np.argwhere(values.std(axis=3) > 0)
    assert recording.data.shape == (N, 22)
    assert recording.repetition_time == pytest.approx(TR)
    np.testing.assert_allclose(recording.data.values, np.stack([values[tuple(v)] for v in inside], axis=1))
    mni = np.column_stack([recording.data[f"mni_{axis}"].values for axis in "xyz"])
    np.testing.assert_allclose(mni, inside @ AFFINE[:3, :3].T + AFFINE[:3, 3])
    assert recording.dropped == ("2 voxels of participant a were left out: they never vary (no mask given)",)


def test_a_mask_chooses_voxels_and_an_atlas_averages_them(brain: tuple[Path, np.ndarray]) -> None:
    folder, values = brain
    labels = np.zeros((4, 3, 2), dtype=np.int16)
    labels[1], labels[2] = 7, 12
    image(folder / "atlas.nii", labels)
    (folder / "names.csv").write_text("number,name\n7,LIFG\n12,LPTL\n")
    keys = {"series": "{participant}_bold.nii.gz", "words": "1.csv"}
    by_region = import_series(recipe(folder, atlas="atlas.nii", region_names="names.csv", **keys))
    assert by_region.data["region"].values.tolist() == ["LIFG", "LPTL"]
    assert by_region.data["n_voxels"].values.tolist() == [6, 6]
    np.testing.assert_allclose(
        by_region.data.values, np.stack([values[i].reshape(6, N).mean(axis=0) for i in (1, 2)], axis=1), rtol=1e-6
    )
    masked = import_series(recipe(folder, mask="atlas.nii", **keys))
    np.testing.assert_allclose(masked.data.values, values[1:3].reshape(12, N).T)


def test_hemispheres_of_a_surface_stand_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(WORDS)
    rng = np.random.default_rng(1)
    hemispheres = {side: rng.normal(size=(N, n)).astype(np.float32) for side, n in (("L", 5), ("R", 4))}
    for side, values in hemispheres.items():
        scans = [nibabel.gifti.GiftiDataArray(row, intent="NIFTI_INTENT_TIME_SERIES") for row in values]
        nibabel.save(nibabel.gifti.GiftiImage(darrays=scans), tmp_path / f"a_{side}.func.gii")
        table = nibabel.gifti.GiftiLabelTable()
        for key, name in ((0, "???"), (3, f"{side}_IFG")):
            label = nibabel.gifti.GiftiLabel(key)
            label.label = name
            table.labels.append(label)
        labels = np.zeros(values.shape[1], dtype=np.int32)
        labels[:2] = 3
        array = nibabel.gifti.GiftiDataArray(labels, intent="NIFTI_INTENT_LABEL")
        nibabel.save(nibabel.gifti.GiftiImage(darrays=[array], labeltable=table), tmp_path / f"{side}.label.gii")
    keys = {"series": ["{participant}_L.func.gii", "{participant}_R.func.gii"], "words": "1.csv"}
    whole = import_series(recipe(tmp_path, **keys))
    np.testing.assert_array_equal(whole.data.values, np.hstack(list(hemispheres.values())).astype(float))
    regions = import_series(recipe(tmp_path, atlas=["L.label.gii", "R.label.gii"], **keys))
    assert regions.data["region"].values.tolist() == ["L_IFG", "R_IFG"]
    np.testing.assert_allclose(
        regions.data.values, np.stack([h[:, :2].mean(axis=1) for h in hemispheres.values()], axis=1), rtol=1e-6
    )
    with pytest.raises(BadInput, match="gives 1 `atlas` for 2 patterns"):
        import_series(recipe(tmp_path, atlas="L.label.gii", **keys))


@pytest.mark.parametrize("gone", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["array", "voxels", "mask", "atlas"])
def test_scans_that_were_scrubbed_are_missing_and_nobody_is_left_out(tmp_path: Path, kind: str, gone: float) -> None:
    """One scan of one run without numbers once removed its participant."""
    rng = np.random.default_rng(8)
    (tmp_path / "1.csv").write_text(WORDS)
    image(tmp_path / "labels.nii", np.arange(1, 5, dtype=np.int16).reshape(2, 2, 1))
    runs = {}
    for run in ("run1", "run2"):
        (tmp_path / f"{run}.csv").write_text(WORDS)
        values = rng.normal(100, 5, (2, 2, 1, 50)).astype(np.float32)
        if run == "run2":
            values[..., 7] = gone
        runs[run] = values.reshape(4, 50).T
        np.save(tmp_path / f"a_{run}.npy", runs[run])
        image(tmp_path / f"a_{run}_bold.nii", values)
    keys = {} if kind == "array" else {"series": "{participant}_{passage}_bold.nii"}
    chosen = {kind: "labels.nii"} if kind in ("mask", "atlas") else {}
    recording = import_series(recipe(tmp_path, **keys, **chosen))
    told = " ".join(recording.dropped)
    expected = np.vstack(list(runs.values()))
    np.testing.assert_allclose(recording.data.values, np.where(np.isfinite(expected), expected, np.nan), rtol=1e-6)
    assert "1 of 100 scans of participant a hold no numbers and are missing" in told
    assert ("infinite and count as missing" in told) == np.isinf(gone)
    assert "left out" not in told


def test_a_participant_who_was_scrubbed_in_most_scans_keeps_the_others(folder: Path) -> None:
    values = signals(1)
    values[5:35] = np.nan
    np.save(folder / "a_story 2.npy", values)
    recording = import_series(recipe(folder, passages=["story 2"], participants=["a"]))
    np.testing.assert_array_equal(recording.data.values, values)
    assert recording.dropped == ("30 of 40 scans of participant a hold no numbers and are missing",)


def test_scans_that_are_discarded_may_hold_anything(folder: Path) -> None:
    values = signals(1)
    values[:4] = np.nan
    values[:4, 1] = np.inf
    np.save(folder / "a_story 2.npy", values)
    recording = import_series(recipe(folder, discard=4, passages=["story 2"], participants=["a"]))
    np.testing.assert_array_equal(recording.data.values, values[4:])
    assert recording.dropped == ()


@pytest.mark.parametrize("cutoff", [None, 40.0])
def test_missing_scans_count_for_nothing_where_the_others_are_cleaned(folder: Path, cutoff: float | None) -> None:
    """Confounds and z-scores of the scans that are there are those of a fit to these scans alone."""
    rng = np.random.default_rng(3)
    motion = rng.normal(size=(N, 2))
    values = signals(1) + motion @ rng.normal(0, 20, (2, 3))
    values[[6, 20]] = np.nan
    values[30, 1] = np.nan
    np.save(folder / "a_story 2.npy", values)
    np.savetxt(folder / "a_motion.txt", motion)
    keys: dict[str, Any] = {"passages": ["story 2"], "participants": ["a"], "confounds": "{participant}_motion.txt"}
    found = import_series(recipe(folder, scale="z", high_pass=cutoff, **keys)).data.values
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    n_cosines = 1 if cutoff is None else int(2 * N * TR / cutoff) + 1
    slow = np.column_stack([np.cos(np.pi * (np.arange(N) + 0.5) * k / N) for k in range(n_cosines)])
    for column in range(3):
        rows = np.isfinite(values[:, column])
        clean = high_pass(values[:, [column]], TR, cutoff)[rows, 0] if cutoff else values[rows, column]
        design = np.column_stack([slow[rows], motion[rows]])
        by_hand = clean - design @ np.linalg.lstsq(design, clean, rcond=None)[0]
        again = high_pass(found[:, [column]], TR, cutoff)[rows, 0] if cutoff else found[rows, column]
        np.testing.assert_allclose(np.corrcoef(again, by_hand)[0, 1], 1, atol=1e-9)
        np.testing.assert_allclose([found[rows, column].mean(), found[rows, column].std()], [0, 1], atol=1e-9)


def test_a_run_with_too_few_scans_for_its_confounds_is_named(folder: Path) -> None:
    values = signals(1)
    values[3:] = np.nan
    np.save(folder / "a_story 2.npy", values)
    np.savetxt(folder / "a_motion.txt", np.random.default_rng(0).normal(size=(N, 2)))
    keys: dict[str, Any] = {"passages": ["story 2"], "participants": ["a"], "confounds": "{participant}_motion.txt"}
    bad(folder, r"participant a, story 2: 2 confounds explain everything of 3 scans; choose fewer", **keys)


def test_a_voxel_that_varies_in_one_run_only_is_counted_among_those_left_out(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(100, 5, (2, 2, 1, N)).astype(np.float32)
    for run in ("run1", "run2"):
        (tmp_path / f"{run}.csv").write_text(WORDS)
        image(tmp_path / f"a_{run}_bold.nii", values)
        values = values.copy()
        values[0, 0] = 0
        values[..., 3] = np.nan  # zero elsewhere and NaN in a scrubbed scan is no change
    recording = import_series(recipe(tmp_path, series="{participant}_{passage}_bold.nii"))
    assert recording.data.shape == (2 * N, 3)
    assert recording.dropped[0] == "1 voxels of participant a were left out: they never vary (no mask given)"


finite = st.floats(-50, 50, width=32)


@settings(max_examples=60, deadline=None)
@given(
    scans=arrays(np.float64, (30, 2), elements=finite),
    confounds=arrays(np.float64, (30, 3), elements=finite),
    cutoff=st.none() | st.just(40.0),
)
def test_nothing_of_a_confound_is_left_even_after_the_high_pass(
    scans: np.ndarray, confounds: np.ndarray, cutoff: float | None
) -> None:
    cleaned = without_confounds(scans, confounds, 2.0, cutoff)
    np.testing.assert_allclose(cleaned.mean(axis=0), scans.mean(axis=0), atol=1e-6)
    if cutoff is None:
        left, moving = cleaned - cleaned.mean(axis=0), confounds - confounds.mean(axis=0)
        np.testing.assert_allclose(moving.T @ left, 0, atol=1e-4)
        np.testing.assert_allclose(without_confounds(cleaned, confounds, 2.0, None), cleaned, atol=1e-6)
    else:
        slow = np.column_stack([np.cos(np.pi * (np.arange(30) + 0.5) * k / 30) for k in range(4)])
        moving = high_pass(confounds, 2.0, cutoff)
        size = np.linalg.norm(moving, axis=0)
        moving = moving[:, size > 1e-8 * np.abs(confounds).max(axis=0)]  # else nothing but rounding is left of it
        design = np.column_stack([slow, moving])
        design = design / np.linalg.norm(design, axis=0)  # a confound counts by its shape, however small its unit
        residuals = scans - design @ np.linalg.lstsq(design, scans, rcond=1e-10)[0]
        np.testing.assert_allclose(high_pass(cleaned, 2.0, cutoff), residuals, atol=1e-4)


def test_a_planted_confound_is_taken_out_by_name(folder: Path) -> None:
    rng = np.random.default_rng(9)
    motion, clean = rng.normal(size=(N, 2)), signals(1)
    np.save(folder / "a_story 2.npy", clean + motion @ np.array([[30.0, -20, 5], [4, 3, 2]]))
    lines = ["trans_x\tcsf\ttrans_y_derivative"]
    lines += [f"{x!r}\t{rng.normal()!r}\t{'n/a' if i == 0 else repr(y)}" for i, (x, y) in enumerate(motion.tolist())]
    (folder / "a_story 2_confounds.tsv").write_text("\n".join(lines))
    confounds = {"file": "{participant}_{passage}_confounds.tsv", "columns": ["trans_*"]}
    keys = {"participants": ["a"], "passages": ["story 2"]}
    cleaned = import_series(recipe(folder, confounds=confounds, **keys))
    r = np.corrcoef(np.hstack([cleaned.data.values, motion]).T)[:3, 3:]
    assert np.abs(r[:, 0]).max() < 1e-9
    assert np.abs(r[:, 1]).max() < 0.05  # the first value of the derivative is missing
    assert "trans_*" in cleaned.notes["confounds"]
    with pytest.raises(BadInput, match=r"has no column rot_\*; it has trans_x, csf, trans_y_derivative"):
        import_series(recipe(folder, confounds={**confounds, "columns": ["rot_*"]}, **keys))


def test_targets_with_few_numbers_or_without_change_are_left_out_and_counted(folder: Path) -> None:
    values = signals(1, n_targets=6)
    values[3, 1] = np.nan  # a gap: kept
    values[: N // 2 + 1, 2] = np.nan  # numbers in fewer than half of the scans
    values[:, 4] = 7
    values[:, 5] = np.nan
    np.save(folder / "a_story 2.npy", values)
    recording = import_series(recipe(folder, passages=["story 2"]))
    np.testing.assert_array_equal(recording.data.values[:, :3], values[:, [0, 1, 3]])
    assert recording.dropped == (
        "1 of 6 targets of participant a were left out: they hold no number",
        "1 of 6 targets of participant a were left out: they never vary",
        "1 of 6 targets of participant a were left out: they hold numbers in fewer than half of the scans",
        "1 responses of participant a are missing in 1 of 3 targets, which were kept: they hold numbers in at least "
        "half of the scans",
    )


def test_z_scores_are_taken_within_passages(folder: Path) -> None:
    recording = import_series(recipe(folder, scale="z"))
    for passage in ("story 2", "story 10"):
        rows = recording.data.values[recording.data["passage"].values == passage][:, :3]
        np.testing.assert_allclose([rows.mean(), rows.std()], [0, 1], atol=1e-9)
    assert recording.unit == "z"


def test_words_without_times_are_refused_or_stand_between_their_neighbours(folder: Path) -> None:
    (folder / "story 2.csv").write_text("Once,once,2.0,2.4\nupon,,,\na,,,\ntime,time,3.4,3.9\n")
    columns = ["word", "aligned", "onset", "offset"]
    keys: dict[str, Any] = {"passages": ["story 2"]}
    with pytest.raises(BadInput, match=r"word 2 \('upon'\) has no times \(2 such\); set `untimed: interpolate`"):
        import_series(recipe(folder, words={"file": "{passage}.csv", "columns": columns}, **keys))
    words = {"file": "{passage}.csv", "columns": columns, "untimed": "interpolate"}
    recording = import_series(recipe(folder, words=words, **keys))
    assert recording.words is not None
    np.testing.assert_allclose(recording.words.onset, [2.0, 2.4, 2.9, 3.4])
    assert recording.dropped == (
        "story 2.csv: 2 words had no times of their own; they were placed between their neighbours",
    )


def bad(folder: Path, sentence: str, /, **changes: Any) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        import_series(recipe(folder, **changes))
    assert "\n" not in str(caught.value)


def test_each_thing_that_does_not_fit_is_said_in_one_sentence(folder: Path) -> None:
    bad(folder, r"recipe.yaml, `serie`: unknown key .did you mean 'series'.*known are name, series", serie="x")
    bad(folder, r"recipe.yaml, `repetition_time`: input should be greater than 0", repetition_time=-1)
    bad(folder, r"recipe.yaml, `series`: field required", series=None)
    bad(folder, r"recipe.yaml, `folder`: paths are relative to the recipe's own folder", folder="/")
    bad(folder, r"recipe mine: give `repetition_time` \(seconds\)", repetition_time=None)
    bad(folder, r"pattern 'sub-\{participant\}.npy' finds no file in", series="sub-{participant}.npy")
    bad(folder, r"\{run\} is neither \{participant\} nor \{passage\}", series="{run}.npy")
    bad(folder, r"for the same participant and passage", series="{participant}_*.npy")
    bad(folder, r"finds no file of participant c", participants=["a", "c"])
    bad(folder, r"no file holds passage story 7; there are story 2, story 10", passages=["story 7"])
    bad(folder, r"there is no file .*story 2\.TextGrid", words="{passage}.TextGrid")
    bad(folder, r"everybody heard the same words", words="{participant}.csv")
    bad(folder, r"has 3 columns, but the recipe names 1 `regions`", regions=["IFG"])
    bad(folder, r"has 30 scans, but the recipe discards 30 of them", discard=30)
    bad(folder, r"mask and atlas go with NIfTI and GIFTI files only", mask="mask.nii")
    bad(folder, r"story 2': its words end from .* its scans go from 500 .* on one clock", first_scan=500)
    (folder / "1.csv").write_text("word,begin\nOnce,1\n")
    bad(folder, r"1\.csv has no column `offset`|1\.csv has no column `duration`", words="1.csv")
    (folder / "1.csv").write_text("word,onset,offset\nOnce,1,2\nupon,soon,3\n")
    bad(folder, r"1\.csv, row 3: 'soon' is no time in seconds", words="1.csv")
    (folder / "1.csv").write_text("word,onset,offset\nOnce,4,5\nupon,1,3\n")
    bad(folder, r"1\.csv: word 2 \('upon', 1 s\) goes back in time", words="1.csv")
    (folder / "1.csv").write_text(WORDS)
    (folder / "text.txt").write_text("It was a dark and stormy night, and nothing else happened.")
    bad(folder, r"only 1 of 4 spoken words stand in the printed text", words={"file": "1.csv", "printed": "text.txt"})


def test_participants_of_other_lengths_are_refused_or_cut_to_the_shortest(folder: Path) -> None:
    np.save(folder / "b_story 2.npy", signals(3, n_scans=N - 2))
    bad(folder, r"'story 2': b has 38 scans, a 40; set `shortest: true`")
    recording = import_series(recipe(folder, shortest=True))
    assert (recording.data["passage"].values == "story 2").sum() == N - 2
    assert recording.dropped == (
        "participant b has no file of 1 of 2 passages (story 10): missing there",
        "2 scans of passage story 2, after the first 38, were left out: b has no more",
    )
    np.save(folder / "a_story 10.npy", signals(2, n_targets=4))
    bad(folder, r"a_story 10\.npy has 4 targets, .*a_story 2\.npy has 3")


def test_files_that_are_damaged_or_hold_objects_are_refused(folder: Path) -> None:
    path = folder / "a_story 2.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    bad(folder, r"a_story 2\.npy cannot be read as a numpy file of plain numbers")
    np.save(path, np.ones((3, 4, 5)))
    bad(folder, r"scans must be numbers \(scans, targets\), not float64 \(3, 4, 5\)")
    (folder / "a.npz").write_bytes(b"PK\x03\x04 no archive")
    bad(folder, r"a\.npz cannot be read as a numpy file", series="{participant}.npz", words="story 2.csv")
    np.savez(folder / "a.npz", x=signals(0), y=signals(1))
    keys = {"series": "{participant}.npz", "words": "story 2.csv"}
    bad(folder, r"a\.npz holds several arrays: name one of x, y", **keys)
    bad(folder, r"a\.npz holds no array 'z': name one of x, y", array="z", **keys)
    (folder / "a.hf5").write_bytes(b"nothing")
    bad(folder, r"a\.hf5 cannot be read as HDF5", series="{participant}.hf5", words="story 2.csv")
    (folder / "a.tsv").write_text("IFG\tPTL\n1\t2\n3\tx\n")
    bad(folder, r"a\.tsv, row 3, column 2: 'x' is no number", series="{participant}.tsv", words="story 2.csv")
    (folder / "a.tsv").write_text("IFG\tPTL\n1\t2\n3\n")
    bad(folder, r"a\.tsv, row 3: has 1 columns, the first 2", series="{participant}.tsv", words="story 2.csv")


def test_images_that_do_not_fit_are_refused(brain: tuple[Path, np.ndarray]) -> None:
    folder, values = brain
    keys = {"series": "{participant}_bold.nii.gz", "words": "1.csv"}
    image(folder / "small.nii", np.ones((2, 2, 2)))
    bad(folder, r"small\.nii has \(2, 2, 2\) voxels, .*\(4, 3, 2\); resample", mask="small.nii", **keys)
    image(folder / "away.nii", np.ones((4, 3, 2)), AFFINE + np.eye(4))
    bad(folder, r"away\.nii lies elsewhere than", mask="away.nii", **keys)
    image(folder / "empty.nii", np.zeros((4, 3, 2)))
    bad(folder, r"mask .*empty\.nii is zero everywhere", mask="empty.nii", **keys)
    bad(folder, r"atlas .*empty\.nii has no label above 0", atlas="empty.nii", **keys)
    bad(folder, r"has a repetition time of 1.5 s, the recipe says 2 s", **{**keys, "repetition_time": 2})
    path = folder / "a_bold.nii.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    bad(folder, r"a_bold\.nii\.gz (is cut off or damaged|cannot be read as an image)", **keys)
    image(folder / "a_flat.nii", values[..., 0])
    bad(folder, r"has 4 dimensions \(x, y, z, time\), not 3", series="{participant}_flat.nii", words="1.csv")


def test_when_no_participant_is_left_the_reason_is_given(folder: Path) -> None:
    np.save(folder / "a_story 2.npy", np.ones((N, 3)))
    bad(
        folder,
        "nothing is left to measure: participant a was left out: none of 3 targets varies",
        participants=["a"],
        passages=["story 2"],
    )


def test_the_reason_why_a_participant_has_no_usable_target_is_exact(folder: Path) -> None:
    keys: dict[str, Any] = {"participants": ["a"], "passages": ["story 2"]}
    values = np.full((N, 3), np.nan)
    np.save(folder / "a_story 2.npy", values)
    bad(folder, "participant a was left out: none of 3 targets holds a number", **keys)
    values[:, 1] = 4
    np.save(folder / "a_story 2.npy", values)
    bad(folder, "participant a was left out: of 3 targets 2 hold no number, 1 never vary", **keys)
    values[:] = np.nan
    for column in range(3):
        rows = slice(13 * column, 13 * (column + 1))
        values[rows, column] = signals(4)[rows, column]
    np.save(folder / "a_story 2.npy", values)
    bad(folder, "of 3 targets 3 hold numbers in fewer than half of the scans", **keys)


def test_a_recipe_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    for text, sentence in (
        ("a: [", "is no YAML"),
        ("- a\n", "must hold `key: value` lines"),
        ("1: 2\n", "recipe.yaml"),
    ):
        (tmp_path / "recipe.yaml").write_text(text)
        with pytest.raises(BadInput, match=sentence):
            import_series(tmp_path / "recipe.yaml")
    with pytest.raises(BadInput, match="cannot be read"):
        import_series(tmp_path / "none.yaml")


def test_the_command_line_imports_a_recipe_and_the_file_checks_out(folder: Path) -> None:
    from typer.testing import CliRunner

    from tuneshift.cli.app import app

    path = recipe(folder, unit="z")
    done = CliRunner().invoke(app, ["data", "import", str(path), "--out", str(folder / "mine.nc"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"][0]["targets"] == 5
    checked = CliRunner().invoke(app, ["data", "check", str(folder / "mine.nc"), "--json"])
    assert checked.exit_code == 0, checked.output
    recording = load_data(folder / "mine.nc")
    assert isinstance(recording, Recording)
    xr.testing.assert_identical(recording.data, import_series(path).data)
    with pytest.raises(BadInput, match=r"must end in \.nc"):
        CliRunner().invoke(
            app, ["data", "import", str(path), "--out", "mine.csv"], standalone_mode=False, catch_exceptions=False
        )


def test_nan_in_a_mask_is_outside_and_counted(brain: tuple[Path, np.ndarray]) -> None:
    """A resampled mask is NaN where its own image ended; that once counted as inside."""
    folder, values = brain
    mask = np.zeros((4, 3, 2), dtype=np.float32)
    mask[1] = 1
    mask[3] = np.nan
    image(folder / "mask.nii", mask)
    recording = import_series(recipe(folder, series="{participant}_bold.nii.gz", words="1.csv", mask="mask.nii"))
    np.testing.assert_allclose(recording.data.values, values[1].reshape(6, N).T)
    assert recording.dropped == (
        "participant a, 1: 6 voxels of mask.nii hold no finite number and were taken as outside",
    )


@pytest.mark.parametrize("what", ["mask", "atlas"])
def test_fractions_in_a_mask_or_an_atlas_are_refused_and_not_rounded(brain: tuple[Path, np.ndarray], what: str) -> None:
    folder, _ = brain
    labels = np.ones((4, 3, 2), dtype=np.float32)
    labels[2, 1, 0] = 0.4  # a probability, or two labels that were interpolated
    image(folder / "labels.nii", labels)
    keys = {"series": "{participant}_bold.nii.gz", "words": "1.csv", what: "labels.nii"}
    bad(folder, r"labels\.nii holds 0\.4 \(1 such\): a mask or atlas holds whole numbers", **keys)


def test_a_mask_with_negative_numbers_is_refused(brain: tuple[Path, np.ndarray]) -> None:
    folder, _ = brain
    image(folder / "mask.nii", -np.ones((4, 3, 2), dtype=np.float32))
    bad(folder, "has negative values", series="{participant}_bold.nii.gz", words="1.csv", mask="mask.nii")


def test_a_region_is_the_mean_of_its_finite_voxels_and_a_region_without_any_is_named(
    brain: tuple[Path, np.ndarray],
) -> None:
    folder, values = brain
    holes = values.copy()
    holes[1, 0, 0, 5] = np.nan  # one scan of one voxel
    holes[3] = np.nan
    image(folder / "a_bold.nii.gz", holes)
    labels = np.zeros((4, 3, 2), dtype=np.int16)
    labels[1], labels[2], labels[3] = 7, 12, 20
    image(folder / "atlas.nii", labels)
    recording = import_series(recipe(folder, series="{participant}_bold.nii.gz", words="1.csv", atlas="atlas.nii"))
    assert recording.data["region"].values.tolist() == ["region 7", "region 12"]
    assert recording.data["n_voxels"].values.tolist() == [6, 6]
    whole = np.delete(np.arange(N), 5)
    voxels = values[1].reshape(6, N).astype(float)
    np.testing.assert_allclose(recording.data.values[whole, 0], voxels[:, whole].mean(axis=0), rtol=1e-6)
    own = np.nanmean(holes[1].reshape(6, N), axis=1)
    around = own.mean() + (voxels[1:, 5] - own[1:]).mean()  # how bright the missing voxel is does not move the mean
    np.testing.assert_allclose(recording.data.values[5, 0], around, rtol=1e-6)
    told = " ".join(recording.dropped)
    assert "region 'region 20' was left out: none of its 6 voxels is finite" in told
    assert "6 of 18 voxels under atlas.nii are finite in fewer than half of the scans and count in no" in told
    assert "1 of 18 voxels under atlas.nii are missing in some scans" in told


def test_the_number_of_a_voxel_is_a_place_in_a_common_space_only(brain: tuple[Path, np.ndarray]) -> None:
    folder, values = brain
    image(folder / "b_bold.nii.gz", values[::-1])
    keys = {"series": "{participant}_bold.nii.gz", "words": "1.csv", "passage": "1"}
    native = import_series(recipe(folder, **keys))
    assert native.space == "native"
    assert "voxel" not in native.data.coords
    mni = import_series(recipe(folder, space="mni", **keys))
    assert mni.space == "mni"
    assert {"mni_x", "mni_y", "mni_z"} <= set(mni.data.coords)


def test_vertices_are_places_on_a_common_surface(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(WORDS)
    for name in "ab":
        scans = [
            nibabel.gifti.GiftiDataArray(row, intent="NIFTI_INTENT_TIME_SERIES") for row in signals(1).astype("f4")
        ]
        nibabel.save(nibabel.gifti.GiftiImage(darrays=scans), tmp_path / f"{name}.func.gii")
    keys = {"series": "{participant}.func.gii", "words": "1.csv"}
    assert "voxel" not in import_series(recipe(tmp_path, **keys)).data.coords
    shared = import_series(recipe(tmp_path, space="surface", **keys))
    assert shared.data["voxel"].values.tolist() == [0, 1, 2, 0, 1, 2]
    again = load_data(str(shared.to_netcdf(tmp_path / "mine.nc")))
    assert isinstance(again, Recording)
    assert again.space == "surface"
