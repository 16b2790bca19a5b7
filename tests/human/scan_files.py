"""Scans, words and recipes as tests write them: small files of every kind, with headers that can be spoilt."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import yaml
from nibabel import cifti2

TR, N = 1.5, 40
WORDS = "word,onset,offset\nOnce,2.0,2.4\nupon,2.4,2.8\na,2.8,2.9\ntime,2.9,3.5\n"
AFFINE = np.array([[-3.0, 0, 0, 60], [0, 3, 0, -80], [0, 0, 3, -50], [0, 0, 0, 1]])


def write_recipe(folder: Path, /, **changes: Any) -> Path:
    """A recipe over files that are already in the folder; a change of None leaves the key out."""
    keys = {"name": "mine", "series": "{participant}_{passage}.npy", "words": "words.csv", "repetition_time": TR}
    keys |= changes
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in keys.items() if value is not None}))
    if not (folder / "words.csv").exists():
        (folder / "words.csv").write_text(WORDS)
    return path


def signals(seed: int, n_targets: int = 3, n_scans: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 5, (n_scans, n_targets))


def write_image(
    path: Path, values: np.ndarray, affine: np.ndarray = AFFINE, tr: float = TR, unit: str = "sec", **codes: Any
) -> Path:
    """Save values (x, y, z[, time]) as NIfTI; `codes` are further fields of the header."""
    held = nibabel.Nifti1Image(values, affine)
    if values.ndim >= 4:
        held.header["pixdim"][4] = tr
        held.header.set_xyzt_units("mm", unit)
    raw = bytearray(held.to_bytes())
    header = nibabel.Nifti1Header(bytes(raw[:348]))
    for name, value in codes.items():
        header[name] = value
    raw[:348] = header.binaryblock
    path.write_bytes(gzip.compress(raw) if path.name.lower().endswith(".gz") else raw)
    return path


def write_surface(path: Path, values: np.ndarray, **meta: str) -> Path:
    """Save values (time, vertices) as GIFTI, one array a scan."""
    held = nibabel.gifti.GiftiMetaData(meta)
    arrays = [
        nibabel.gifti.GiftiDataArray(row.astype(np.float32), intent="NIFTI_INTENT_TIME_SERIES", meta=held)
        for row in values
    ]
    path.write_bytes(nibabel.gifti.GiftiImage(darrays=arrays, meta=held).to_bytes())
    return path


def write_surface_labels(path: Path, labels: np.ndarray, names: dict[int, str], **meta: str) -> Path:
    table = nibabel.gifti.GiftiLabelTable()
    for key, name in names.items():
        label = nibabel.gifti.GiftiLabel(key)
        label.label = name
        table.labels.append(label)
    array = nibabel.gifti.GiftiDataArray(labels.astype(np.int32), intent="NIFTI_INTENT_LABEL")
    held = nibabel.gifti.GiftiImage(darrays=[array], labeltable=table, meta=nibabel.gifti.GiftiMetaData(meta))
    path.write_bytes(held.to_bytes())
    return path


def brain_models() -> cifti2.BrainModelAxis:
    """Five vertices of the left cortex (of eight), three of the right, two voxels of the thalamus."""
    left = cifti2.BrainModelAxis.from_surface([0, 2, 3, 5, 7], 8, name="CORTEX_LEFT")
    right = cifti2.BrainModelAxis.from_surface([1, 4, 6], 8, name="CORTEX_RIGHT")
    thalamus = np.zeros((3, 3, 3), dtype=bool)
    thalamus[1, 1, :2] = True
    return left + right + cifti2.BrainModelAxis.from_mask(thalamus, affine=AFFINE, name="THALAMUS_LEFT")


def write_cifti(path: Path, values: np.ndarray, columns: Any = None, step: float = TR, unit: str = "SECOND") -> Path:
    """Save values (time, grayordinates or parcels) as a CIFTI series."""
    rows = cifti2.SeriesAxis(0, step, len(values), unit)
    return save_cifti(path, values, rows, columns or brain_models())


def write_parcellation(path: Path, labels: np.ndarray, names: dict[int, str], columns: Any = None) -> Path:
    rows = cifti2.LabelAxis(["map"], {key: (name, (0, 0, 0, 1)) for key, name in names.items()})
    return save_cifti(path, labels[None], rows, columns or brain_models())


def save_cifti(path: Path, values: np.ndarray, rows: Any, columns: Any) -> Path:
    held = cifti2.Cifti2Image(values.astype(np.float32), header=(rows, columns))
    held.update_headers()
    nibabel.save(held, path)
    return path
