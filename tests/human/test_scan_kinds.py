"""Surfaces, grayordinates, compressed files and suffixes in capitals give the numbers that were put into them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nibabel import cifti2
from scan_files import (
    TR,
    N,
    brain_models,
    save_cifti,
    signals,
    write_cifti,
    write_image,
    write_parcellation,
    write_recipe,
    write_surface,
    write_surface_labels,
)

from tuneshift.errors import BadInput
from tuneshift.human import Recording, load_data
from tuneshift.human.recordings.series import import_series

GRAYORDINATES = np.random.default_rng(4).normal(100, 5, (N, 10)).astype(np.float32)
LABELS = np.array([1, 1, 2, 0, 2, 3, 3, 3, 9, 0])
NAMES = {0: "???", 1: "IFG", 2: "PTL", 3: "ATL", 9: "thalamus"}


def imported(folder: Path, /, **changes: Any) -> Recording:
    return import_series(write_recipe(folder, **{"repetition_time": None} | changes))


def refused(folder: Path, sentence: str, /, **changes: Any) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        imported(folder, **changes)
    assert "\n" not in str(caught.value)


@pytest.fixture
def cifti(tmp_path: Path) -> Path:
    write_cifti(tmp_path / "a.dtseries.nii", GRAYORDINATES)
    return tmp_path


SERIES = {"series": "{participant}.dtseries.nii"}


def test_grayordinates_come_with_their_structures_and_repetition_time(cifti: Path) -> None:
    recording = imported(cifti, space="surface", **SERIES)
    np.testing.assert_allclose(recording.data.values, GRAYORDINATES)
    assert recording.repetition_time == pytest.approx(TR)
    assert recording.data["voxel"].values.tolist() == list(range(10))
    structures = ["CORTEX_LEFT"] * 5 + ["CORTEX_RIGHT"] * 3 + ["THALAMUS_LEFT"] * 2
    assert recording.data["structure"].values.tolist() == structures
    again = load_data(recording.to_netcdf(cifti / "mine.nc"))
    assert isinstance(again, Recording)
    assert again.data["structure"].values.tolist() == structures


def test_a_parcellation_averages_grayordinates_and_names_them(cifti: Path) -> None:
    write_parcellation(cifti / "parcels.dlabel.nii", LABELS, NAMES)
    recording = imported(cifti, atlas="parcels.dlabel.nii", **SERIES)
    assert recording.data["region"].values.tolist() == ["IFG", "PTL", "ATL", "thalamus"]
    expected = np.stack([GRAYORDINATES[:, label == LABELS].mean(axis=1) for label in (1, 2, 3, 9)], axis=1)
    np.testing.assert_allclose(recording.data.values, expected, rtol=1e-6)


def test_a_parcellation_is_laid_on_by_structure_and_vertex_and_not_by_order(cifti: Path) -> None:
    """Files of the cortex alone, and files with the medial wall, have other numbers of grayordinates."""
    whole = cifti2.BrainModelAxis.from_surface(np.arange(8), 8, name="CORTEX_RIGHT")
    whole += cifti2.BrainModelAxis.from_surface(np.arange(8), 8, name="CORTEX_LEFT")
    right, left = np.array([0, 3, 0, 0, 3, 0, 3, 0]), np.array([1, 0, 1, 2, 0, 5, 0, 2])
    write_parcellation(cifti / "cortex.dlabel.nii", np.r_[right, left], NAMES | {5: "SMA"}, whole)
    recording = imported(cifti, atlas="cortex.dlabel.nii", **SERIES)
    assert recording.data["region"].values.tolist() == ["IFG", "PTL", "ATL", "SMA"]
    groups = [[0, 1], [2, 4], [5, 6, 7], [3]]
    expected = np.stack([GRAYORDINATES[:, group].mean(axis=1) for group in groups], axis=1)
    np.testing.assert_allclose(recording.data.values, expected, rtol=1e-6)
    assert "cortex.dlabel.nii has no number for 2 of 10 grayordinates" in " ".join(recording.dropped)


def test_labels_of_one_hemisphere_choose_its_grayordinates(cifti: Path) -> None:
    labels = np.array([0, 3, 0, 0, 3, 0, 3, 0])
    write_surface_labels(cifti / "R.label.gii", labels, NAMES, AnatomicalStructurePrimary="CortexRight")
    write_surface_labels(cifti / "unknown.label.gii", labels, NAMES)
    recording = imported(cifti, atlas="R.label.gii", **SERIES)
    np.testing.assert_allclose(recording.data.values[:, 0], GRAYORDINATES[:, 5:8].mean(axis=1), rtol=1e-6)
    refused(cifti, "unknown.label.gii does not say which surface", atlas="unknown.label.gii", **SERIES)


def test_a_mask_chooses_grayordinates(cifti: Path) -> None:
    rows = cifti2.ScalarAxis(["mask"])
    save_cifti(cifti / "mask.dscalar.nii", (LABELS == 3)[None], rows, brain_models())
    recording = imported(cifti, mask="mask.dscalar.nii", **SERIES)
    np.testing.assert_allclose(recording.data.values, GRAYORDINATES[:, 5:8])


def test_parcels_are_regions(tmp_path: Path) -> None:
    parcels = cifti2.ParcelsAxis.from_brain_models([("IFG", brain_models()[:3]), ("PTL", brain_models()[5:7])])
    write_cifti(tmp_path / "a.ptseries.nii", GRAYORDINATES[:, :2], parcels)
    recording = imported(tmp_path, series="{participant}.ptseries.nii")
    assert recording.data["region"].values.tolist() == ["IFG", "PTL"]
    np.testing.assert_allclose(recording.data.values, GRAYORDINATES[:, :2])
    refused(tmp_path, "holds parcels already", series="{participant}.ptseries.nii", mask="x.nii")


def test_a_cifti_file_that_is_no_series_or_does_not_fit_is_named_as_what_it_is(cifti: Path) -> None:
    write_parcellation(cifti / "b.dlabel.nii", LABELS, NAMES)
    refused(cifti, "b.dlabel.nii is a CIFTI file without scans .label x brainmodel", series="{participant}.dlabel.nii")
    (cifti / "c_bold.nii").write_bytes((cifti / "a.dtseries.nii").read_bytes())
    refused(cifti, "c_bold.nii is a CIFTI file: call it .dtseries.nii", series="{participant}_bold.nii")
    write_image(cifti / "d.dtseries.nii", np.ones((2, 2, 2, 5), dtype=np.float32))
    refused(cifti, "d.dtseries.nii is no CIFTI file", participants=["d"], **SERIES)
    write_image(cifti / "mask.nii", np.ones((2, 2, 2), dtype=np.int16))
    refused(cifti, "mask.nii is no CIFTI file", participants=["a"], mask="mask.nii", **SERIES)
    rows = cifti2.ScalarAxis(["one", "two"])
    save_cifti(cifti / "two.dscalar.nii", np.ones((2, 10)), rows, brain_models())
    refused(cifti, "holds 2 maps .one, two", participants=["a"], mask="two.dscalar.nii", **SERIES)


def test_labels_of_the_other_hemisphere_are_refused(tmp_path: Path) -> None:
    write_surface(tmp_path / "a.func.gii", GRAYORDINATES[:, :8], AnatomicalStructurePrimary="CortexLeft")
    write_surface_labels(tmp_path / "R.label.gii", np.ones(8), NAMES, AnatomicalStructurePrimary="CortexRight")
    keys = {"series": "{participant}.func.gii", "repetition_time": TR, "atlas": "R.label.gii"}
    refused(tmp_path, "R.label.gii is of CortexRight, .*a.func.gii of CortexLeft", **keys)


def test_a_surface_that_lacks_announced_scans_is_refused(tmp_path: Path) -> None:
    path = write_surface(tmp_path / "a.func.gii", GRAYORDINATES)
    path.write_bytes(path.read_bytes().replace(b'NumberOfDataArrays="40"', b'NumberOfDataArrays="41"'))
    refused(tmp_path, "Actual # of data arrays does not match", series="{participant}.func.gii", repetition_time=TR)
    write_surface_labels(tmp_path / "b.label.gii", np.ones(8), NAMES)
    refused(tmp_path, "holds labels and no time series", series="{participant}.label.gii", repetition_time=TR)


@pytest.mark.parametrize(
    "name",
    ["A_BOLD.NII", "A_BOLD.NII.GZ", "a_bold.nii.Gz", "A.FUNC.GII", "a.func.gii.gz", "A.DTSERIES.NII",
     "a.dtseries.nii.gz", "A.NPY", "a.npy.gz", "A.NPZ", "A.H5", "a.h5.gz", "A.CSV", "a.csv.gz", "A.TXT", "a.tsv.gz"],
)  # fmt: skip
def test_suffixes_count_in_any_case_and_compressed(tmp_path: Path, name: str) -> None:
    import h5py

    values = GRAYORDINATES[:, :8]
    packed = name.lower().endswith(".gz")
    path = tmp_path / name.lower().removesuffix(".gz")
    if ".nii" in name.lower() and "dtseries" not in name.lower():
        write_image(path, values.T.reshape(2, 2, 2, N))
    elif ".gii" in name.lower():
        write_surface(path, values)
    elif "dtseries" in name.lower():
        columns = cifti2.BrainModelAxis.from_surface(np.arange(8), 8, name="CORTEX_LEFT")
        write_cifti(path, values, columns)
    elif ".npy" in name.lower():
        np.save(path, values)
    elif ".npz" in name.lower():
        np.savez(path, values)
    elif ".h5" in name.lower():
        with h5py.File(path, "w") as held:
            held["scans"] = values
    else:
        between = {".csv": ",", ".tsv": "\t", ".txt": " "}[path.suffix]
        path.write_text("\n".join(between.join(map(repr, row.astype(float).tolist())) for row in values))
    raw = path.read_bytes()
    path.unlink()
    (tmp_path / name).write_bytes(gzip.compress(raw) if packed else raw)
    recording = imported(tmp_path, series=name, repetition_time=TR)
    np.testing.assert_allclose(recording.data.values, values)


def test_an_array_with_more_behind_it_than_its_header_says_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a_1.npy", signals(1))
    with (tmp_path / "a_1.npy").open("ab") as stream:
        stream.write(b"\0" * 24)
    refused(tmp_path, r"holds more than the \(40, 3\) numbers that its header says", repetition_time=TR)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.txt", "1,5 2,5\n3,5 4,5\n5,5 6,5\n", "row 1, column 1: '1,5' is no number; write decimals"),
        ("a.csv", "1,5;2,5\n3,5;4,5\n", "row 1, column 1: '1,5' is no number; write decimals"),
        ("a.csv", "IFG,PTL\n1_000,2\n3,4\n", "row 2, column 1: '1_000' is no number"),
        ("a.csv", "1.5,x\n2.5,1\n3.5,2\n", "row 1: holds 'x' beside '1.5'; if it is a header"),
        ("a.csv", "IFG,PTL,\n1,2,\n3,4,\n", "column 3 has no name in the header"),
        ("a.tsv", "IFG\tPTL\n1\t2\n3\n", "row 3: has 1 columns, the first 2"),
    ],
)
def test_cells_that_are_no_plain_numbers_are_refused_with_their_row(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    (tmp_path / name).write_text(text)
    refused(tmp_path, sentence, series=name, repetition_time=TR)


@pytest.mark.parametrize(
    ("name", "text", "regions"),
    [
        ("a.csv", "IFG;PTL\n1.5;2\n3;4\n5;7\n", ["IFG", "PTL"]),
        ("a.csv", "IFG\tPTL\n1.5\t2\n3\t4\n5\t7\n", ["IFG", "PTL"]),
        ("a.txt", "IFG, PTL\n1.5, 2\n3, 4\n5, 7\n", ["IFG", "PTL"]),
        ("a.csv", '"","IFG","PTL"\n"1",1.5,2\n"2",3,4\n"3",5,7\n', ["IFG", "PTL"]),  # R's write.csv
        ("a.csv", ",IFG,PTL\n0,1.5,2\n1,3,4\n2,5,7\n", ["IFG", "PTL"]),  # pandas with its index
        ("a.txt", '"IFG" "PTL"\n"1" 1.5 2\n"2" 3 4\n"3" 5 7\n', ["IFG", "PTL"]),  # R's write.table
        ("a.csv", "0,1,2\n1.5,2,0.5\n3,4,1.5\n5,7,2.5\n", ["0", "1", "2"]),  # pandas without names
        ("a.csv", "\ufeffIFG,PTL\r\n1.5,2\r\n3,4\r\n5,7\r\n", ["IFG", "PTL"]),
    ],
)
def test_tables_of_other_programs_are_read_without_their_row_names(
    tmp_path: Path, name: str, text: str, regions: list[str]
) -> None:
    (tmp_path / name).write_bytes(text.encode())
    recording = imported(tmp_path, series=name, repetition_time=TR)
    assert recording.data["region"].values.tolist() == regions
    np.testing.assert_array_equal(recording.data.values[:, :2], [[1.5, 2], [3, 4], [5, 7]])
    assert ("names of its rows, was left out" in " ".join(recording.dropped)) == ("2,3" in text.replace('"', "") or
        text.startswith((",", '"IFG"')))  # fmt: skip
