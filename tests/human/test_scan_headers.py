"""What headers of scans say of time and place is taken in its unit, or refused with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scan_files import AFFINE, TR, N, write_cifti, write_image, write_recipe, write_surface

from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.human.series import import_series


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(5).normal(500, 9, (2, 3, 2, N)).astype(np.float32)


def imported(folder: Path, /, **changes: Any) -> Recording:
    keys: dict[str, Any] = {"series": "{participant}_bold.nii", "repetition_time": None}
    return import_series(write_recipe(folder, **keys | changes))


def refused(folder: Path, sentence: str, /, **changes: Any) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        imported(folder, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("tr", "unit"), [(1.5, "sec"), (1500, "msec"), (1.5e6, "usec")])
def test_the_unit_of_a_header_is_respected(tmp_path: Path, values: np.ndarray, tr: float, unit: str) -> None:
    write_image(tmp_path / "a_bold.nii", values, tr=tr, unit=unit)
    for wanted in (None, TR):
        recording = imported(tmp_path, repetition_time=wanted)
        assert recording.repetition_time == pytest.approx(TR)
        np.testing.assert_allclose(recording.data["time"].values, TR * np.arange(N), atol=1e-4)
        assert recording.dropped == ()


def test_milliseconds_that_are_called_seconds_are_refused_with_what_they_would_be(real_data: Path) -> None:
    case = real_data.parent / "cases/files/tr_milliseconds/n_ms_sec.yaml"
    if not case.is_file():
        pytest.skip("the folder of cases is not beside that of the data")
    with pytest.raises(BadInput, match=r"gives a repetition time of 2000 sec.* if these are milliseconds, it is 2 s"):
        import_series(case)


@pytest.mark.parametrize(
    ("tr", "unit", "sentence"),
    [
        (1500, "sec", r"of 1500 sec, which cannot be .*\(0.2 to 10 s\); if these are milliseconds, it is 1.5 s"),
        (1.5e6, "sec", "if these are microseconds, it is 1.5 s"),
        (1500, "unknown", "of 1500 without a unit, which cannot be"),
        (1.5, "msec", "of 1.5 msec, which cannot be"),
        (1500, "usec", "of 1500 usec, which cannot be"),
        (1.5, "hz", "of 1.5 hz, which cannot be"),
        (0.1, "sec", "of 0.1 sec, which cannot be"),
        (12, "sec", "of 12 sec, which cannot be"),
        (-2, "sec", "of -2 sec, which cannot be"),
        (np.nan, "sec", "of nan sec, which cannot be"),
        (np.inf, "sec", "of inf sec, which cannot be"),
        (0, "sec", "give `repetition_time` .seconds.; the files of scans do not say it"),
        (0, "unknown", "give `repetition_time` .seconds.; the files of scans do not say it"),
        (1, "unknown", "do not say it: the header's repetition time of 1 without a unit says nothing"),
    ],
)
def test_a_time_that_cannot_be_that_of_scans_is_refused(
    tmp_path: Path, values: np.ndarray, tr: float, unit: str, sentence: str
) -> None:
    write_image(tmp_path / "a_bold.nii", values, tr=tr, unit=unit)
    refused(tmp_path, sentence)


@pytest.mark.parametrize(
    ("tr", "unit", "told"),
    [
        (1500, "sec", "a_bold.nii: the header's repetition time of 1500 sec was taken as 1.5 s, as the recipe says"),
        (1500, "unknown", "of 1500 without a unit was taken as 1.5 s, as the recipe says"),
        (1.5, "msec", "of 1.5 msec was taken as 1.5 s, as the recipe says"),
        (1.5, "hz", "of 1.5 hz was taken as 1.5 s, as the recipe says"),
        (-2, "sec", "of -2 sec was taken as 1.5 s, as the recipe says"),
        (1, "unknown", "of 1 without a unit says nothing"),
        (1.5, "unknown", "of 1.5 without a unit is taken as seconds"),
        (0, "sec", ""),
    ],
)
def test_the_recipe_says_what_a_spoilt_header_cannot_and_the_result_says_so(
    tmp_path: Path, values: np.ndarray, tr: float, unit: str, told: str
) -> None:
    write_image(tmp_path / "a_bold.nii", values, tr=tr, unit=unit)
    recording = imported(tmp_path, repetition_time=TR)
    assert recording.repetition_time == TR
    assert told in " ".join(recording.dropped)
    assert bool(recording.dropped) == bool(told)


@pytest.mark.parametrize(("tr", "unit"), [(2, "sec"), (2000, "sec"), (2000, "msec"), (2, "unknown"), (0.1, "sec")])
def test_a_recipe_and_a_header_that_disagree_are_refused(
    tmp_path: Path, values: np.ndarray, tr: float, unit: str
) -> None:
    write_image(tmp_path / "a_bold.nii", values, tr=tr, unit=unit)
    refused(tmp_path, "a_bold.nii.* correct the one that is wrong", repetition_time=TR)


@pytest.mark.parametrize("wanted", [1500, 0.0015, 11, 0.1, float("inf")])
def test_the_time_of_a_recipe_is_checked_like_that_of_a_header(
    tmp_path: Path, values: np.ndarray, wanted: float
) -> None:
    np.save(tmp_path / "a_1.npy", values.reshape(-1, N).T)
    refused(tmp_path, "`repetition_time`: .* cannot be", repetition_time=wanted, series="{participant}_{passage}.npy")


def test_files_that_disagree_on_the_time_are_refused_also_within_a_passage(tmp_path: Path, values: np.ndarray) -> None:
    write_image(tmp_path / "a_bold.nii", values)
    write_image(tmp_path / "a_right.nii", values, tr=2)
    refused(tmp_path, "a_right.nii has .* 2 s, the first file .a_bold.nii. says 1.5 s", series=[
        "{participant}_bold.nii", "{participant}_right.nii"])  # fmt: skip


def test_times_of_surfaces_and_grayordinates_are_held_against_the_recipe(tmp_path: Path) -> None:
    scans = np.random.default_rng(1).normal(size=(N, 10))
    write_surface(tmp_path / "a.func.gii", scans, TimeStep="2000")
    write_cifti(tmp_path / "a.dtseries.nii", scans, step=2.0)
    write_cifti(tmp_path / "b.dtseries.nii", scans, step=2.0, unit="HERTZ")
    refused(tmp_path, "of 2000 without a unit, which cannot be", series="{participant}.func.gii")
    refused(tmp_path, "of 2 hz, which cannot be", series="{participant}.dtseries.nii", participants=["b"])
    for series in ("{participant}.func.gii", "{participant}.dtseries.nii"):
        refused(tmp_path, "correct the one that is wrong", series=series, repetition_time=1.0, participants=["a"])
        found = imported(tmp_path, series=series, repetition_time=2, participants=["a"])
        assert found.repetition_time == 2


def test_a_last_word_far_behind_the_last_scan_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    """Half the repetition time, or words in another unit: the first words still fall among the scans."""
    write_image(tmp_path / "a_bold.nii", values, tr=0.75)
    rows = [f"word{n},{3 * n},{3 * n + 1}" for n in range(19)]  # to 55 s; scans of 1.5 s go to 60 s
    (tmp_path / "words.csv").write_text("\n".join(["word,onset,offset", *rows, ""]))
    refused(tmp_path, r"its words end from 1 to 55 s, its scans go from 0 to 29.25 s: the last word comes long after")
    write_image(tmp_path / "a_bold.nii", values)
    assert imported(tmp_path).dropped == ()
    milliseconds = [f"word{n},{300 * n},{300 * n + 200}" for n in range(190)]
    (tmp_path / "words.csv").write_text("\n".join(["word,onset,offset", "Once,0,1", *milliseconds[1:]]))
    refused(tmp_path, "the last word comes long after them. Is the repetition time right")


def test_scans_that_go_on_long_after_the_last_word_are_said(tmp_path: Path, values: np.ndarray) -> None:
    write_image(tmp_path / "a_bold.nii", values, tr=8)
    assert "35 of 40 scans lie more than 32 s after the last word; is the repetition time right (8 s)?" in " ".join(
        imported(tmp_path).dropped
    )


def test_an_image_that_is_no_series_of_scans_is_named_as_what_it_is(tmp_path: Path, values: np.ndarray) -> None:
    write_image(tmp_path / "a_bold.nii", values[..., 0])
    refused(tmp_path, r"has 4 dimensions \(x, y, z, time\), not 3")
    write_image(tmp_path / "a_bold.nii", values[..., :1])
    refused(tmp_path, "has 1 scans; a time series needs two and more")
    write_image(tmp_path / "a_bold.nii", values[..., None])  # as AFNI writes it
    assert imported(tmp_path).data.shape == (N, 12)
    write_image(tmp_path / "a_bold.nii", values.astype(np.complex64))
    refused(tmp_path, "holds complex64 and no plain numbers")


def test_a_unit_that_the_standard_does_not_know_is_none(tmp_path: Path, values: np.ndarray) -> None:
    """It once ended in a KeyError of nibabel's."""
    write_image(tmp_path / "a_bold.nii", values, xyzt_units=5 | 8)
    assert "of 1.5 without a unit is taken as seconds" in " ".join(imported(tmp_path).dropped)


def test_places_are_those_of_the_header_or_none(tmp_path: Path, values: np.ndarray) -> None:
    write_image(tmp_path / "a_bold.nii", values)
    known = imported(tmp_path, space="mni").data["mni_x"].values
    metres = AFFINE.copy()
    metres[:3] /= 1000
    write_image(tmp_path / "a_bold.nii", values, affine=metres, xyzt_units=1 | 8)
    recording = imported(tmp_path, space="mni")
    np.testing.assert_allclose(recording.data["mni_x"].values, known, atol=1e-4)
    assert "places in meter" in " ".join(recording.dropped)
    write_image(tmp_path / "a_bold.nii", values, qform_code=0, sform_code=0)
    assert "says no place of the voxels" in " ".join(imported(tmp_path).dropped)
    refused(tmp_path, "`space` is mni, but the headers say no place", space="mni")
    write_image(tmp_path / "a_bold.nii", values, srow_x=[np.nan] * 4)
    refused(tmp_path, "the affine of its header places no voxels")


def test_runs_on_other_grids_are_not_put_together_by_the_numbers_of_their_voxels(
    tmp_path: Path, values: np.ndarray
) -> None:
    write_image(tmp_path / "a_1_bold.nii", values)
    keys = {"series": "{participant}_{passage}_bold.nii"}
    for other, affine in ((values, AFFINE + np.diag([0, 0, 1, 0])), (values[:, :2], AFFINE)):
        write_image(tmp_path / "a_2_bold.nii", other, affine=affine)
        refused(tmp_path, "a_2_bold.nii has other places than .*a_1_bold.nii", **keys)


def test_a_header_that_says_fewer_scans_than_the_file_holds_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    path = write_image(tmp_path / "a_bold.nii", values)
    raw = bytearray(path.read_bytes())
    raw[48:50] = (N // 2).to_bytes(2, "little")
    path.write_bytes(raw)
    refused(tmp_path, "bytes more than the .* numbers that its header says")
    raw[48:50] = (32000).to_bytes(2, "little")
    path.write_bytes(raw)
    refused(tmp_path, "is cut off or damaged: its header says")


def test_a_flipped_byte_of_a_compressed_image_is_found_by_its_checksum(tmp_path: Path, values: np.ndarray) -> None:
    import gzip

    raw = write_image(tmp_path / "a_bold.nii", values).read_bytes()
    packed = bytearray(gzip.compress(raw, 0))
    packed[2000] ^= 4
    (tmp_path / "a_bold.nii.gz").write_bytes(packed)
    refused(tmp_path, "is cut off or damaged", series="{participant}_bold.nii.gz")
