"""A damaged netCDF or HDF5 file ends in a sentence: no hang, no memory for what is not there, no letter lost."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from scan_files import signals, write_recipe
from test_own_recordings import sound

from tuneshift.errors import BadInput
from tuneshift.human import check_file, load_data
from tuneshift.human.recordings.series import import_series

HEAP = b"GCOL\x01\0\0\0"
READ = "import sys, tuneshift.human as h; print(*(h.check_file(path)[0] for path in sys.argv[1:]), sep=chr(10))"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.nc"
    sound(text=("stimulus", [f"été {n}" for n in range(6)])).to_netcdf(path, engine="h5netcdf")
    return path


def changed(path: Path, before: bytes, after: bytes) -> Path:
    raw = path.read_bytes()
    assert before in raw
    path.write_bytes(raw.replace(before, after))
    return path


def refused(path: Path, sentence: str) -> None:
    """By check and reader alike, in one line."""
    (problem,) = check_file(path)
    assert sentence in problem
    assert "\n" not in problem
    with pytest.raises(BadInput) as caught:
        load_data(path)
    assert str(caught.value) == problem


def test_a_heap_of_strings_that_never_ends_is_refused_and_not_read_for_ever(path: Path) -> None:
    """The library once looked for the next string at the place of this one; the test would hang, so another reads."""
    raw = bytearray(path.read_bytes())
    first = raw.index(HEAP) + 16
    paths = []
    for number, (which, length) in enumerate([(0, 0), (1, 2**63), (1, 5000)]):
        raw[first : first + 16] = which.to_bytes(8, "little") + length.to_bytes(8, "little")
        paths.append(path.with_name(f"damaged_{number}.nc"))
        paths[-1].write_bytes(raw)
    told = subprocess.run([sys.executable, "-c", READ, *paths], capture_output=True, text=True, timeout=300)
    assert told.stdout.splitlines() == [
        f"{damaged} is no netCDF file, or a damaged one (its strings are damaged)." for damaged in paths
    ]
    assert not told.stderr


def test_a_heap_that_nothing_refers_to_spoils_no_file(path: Path) -> None:
    """Space that a file gave up may hold anything; another process finds that all strings can be read."""
    raw = path.read_bytes()
    path.write_bytes(raw + bytes(64) + HEAP + (4096).to_bytes(8, "little") + bytes(4080))
    assert check_file(path) == []


@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_that_a_header_promises_and_the_file_cannot_hold_are_refused_at_once(
    tmp_path: Path, compressed: bool
) -> None:
    path = tmp_path / "mine.nc"
    with h5py.File(path, "w") as held:
        keys = {"compression": "gzip"} if compressed else {}
        held.create_dataset("responses", shape=(2**22, 2**20), dtype="f8", chunks=(64, 64), **keys)
    refused(path, "`responses` says that it has 35,184,372,088,832 bytes, more than a file of")
    path.rename(tmp_path / "a_1.h5")
    with pytest.raises(BadInput, match="`responses` says that it has 35,184,372,088,832 bytes"):
        import_series(write_recipe(tmp_path, series="{participant}_{passage}.h5"))


def test_a_dimension_without_a_variable_may_be_of_any_length(tmp_path: Path) -> None:
    """It is a number and takes no memory, though HDF5 keeps it as an array that was never written."""
    path = tmp_path / "mine.nc"
    sound().to_netcdf(path, engine="h5netcdf")
    with h5py.File(path, "a") as held:
        held.create_dataset("long", shape=(2**40,), dtype=">f4", chunks=(64,))
        held["long"].make_scale("This is a netCDF dimension but not a netCDF variable.             9")
    assert check_file(path) == []


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_an_array_of_numpy_that_cannot_be_there_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    raw = io.BytesIO()
    np.save(raw, signals(1))
    header = {"descr": "<f8", "fortran_order": False, "shape": (9999999999, 999)}
    absurd = io.BytesIO()
    np.lib.format.write_array_header_1_0(absurd, header)
    path, damaged = tmp_path / f"a_1{suffix}", absurd.getvalue() + raw.getvalue()[128:]
    if suffix == ".npy":
        path.write_bytes(damaged)
    else:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("scans.npy", damaged)
    with pytest.raises(BadInput, match=r"its header says .9999999999, 999. numbers, more than the file can hold"):
        import_series(write_recipe(tmp_path, series="{participant}_{passage}" + suffix))


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_a_letter_that_is_no_utf8_is_refused_with_its_variable_and_row(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "mine.nc"
    dataset = sound(text=("stimulus", [f"été {n}" for n in range(6)]))
    dataset.to_netcdf(path, engine=engine)  # type: ignore[call-overload]
    assert check_file(path) == []
    refused(changed(path, "été 3".encode(), b"\xe9t\xe9 3.."), "mine.nc, `text` of row 4: ")
    lost = dataset.assign(passage=("stimulus", [*"aabcd", "e\ufffd"]))
    lost.to_netcdf(path, engine=engine)  # type: ignore[call-overload]
    refused(path, "`passage` of row 6: 'e\ufffd' holds U+FFFD")


def test_attributes_are_utf8_too(path: Path) -> None:
    with h5py.File(path, "a") as held:
        held.attrs["unit"] = np.bytes_("µV".encode())  # as netCDF-C writes it, with a mark that says ASCII
    read = load_data(path)
    assert getattr(read, "unit", None) == "µV"
    with h5py.File(path, "a") as held:
        held.attrs["unit"] = np.bytes_(b"\xb5V")
    refused(path, "mine.nc, attribute `unit`: b'\\xb5V' is no UTF-8")
    with h5py.File(path, "a") as held:
        held.attrs["unit"] = "z"
        held["text"].attrs["long_name"] = np.bytes_(b"\xe9crit")
    refused(path, "mine.nc, attribute `long_name` of `text`: ")


def test_the_classic_format_holds_the_same_and_lost_letters_of_its_attributes_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "mine.nc"
    sound().assign_attrs(unit="µV").to_netcdf(path, engine="scipy")
    assert check_file(path) == []
    refused(changed(path, "µV".encode(), b"\xb5V."), "attribute `unit`: ")


def test_suffixes_in_any_case_and_gzip_change_nothing(path: Path) -> None:
    whole = load_data(path)
    for name, raw in (("MINE.NC", path.read_bytes()), ("mine.Nc.GZ", gzip.compress(path.read_bytes()))):
        other = path.with_name(name)
        other.write_bytes(raw)
        xr.testing.assert_identical(load_data(other).data, whole.data)  # type: ignore[union-attr]
    other.write_bytes(raw[:-20])
    refused(other, "is no netCDF file, or a damaged one (Compressed file ended")
    other.write_bytes(b"")
    refused(other, "(it is empty)")
