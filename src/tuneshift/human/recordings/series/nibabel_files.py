"""Images opened by nibabel, whatever case or compression their suffix tells, and read to their last byte."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np

from tuneshift.errors import BadInput, MissingExtra
from tuneshift.files.plain_files import LARGEST_RATIO, is_compressed, opened, rest_of

CIFTI = range(3000, 3100)  # NIfTI-2 intent codes of CIFTI files
_NIFTI_1, _NIFTI_2 = 348, 540  # bytes of a header, its first number


def load_volume(path: Path) -> tuple[Any, np.ndarray]:
    """Return a NIfTI or CIFTI image of a file and its numbers, float32, in the shape of the header.

    Raises BadInput where the file is no such image, is damaged, or holds fewer or more numbers than its header says.
    """
    nibabel = _nibabel()
    try:
        stream = opened(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read as an image ({error.strerror}).") from error
    with stream:
        try:
            image = _kind(nibabel, stream).from_stream(stream)
            shape, dtype = tuple(map(int, image.shape)), np.dtype(image.get_data_dtype())
        except Exception as error:  # nibabel raises its own errors, zlib's, and those of XML parsers
            raise BadInput(f"{path} cannot be read as an image ({_told(error)}).") from error
        if dtype.kind not in "fiu":
            raise BadInput(f"{path} holds {dtype} and no plain numbers; save the image as float32.")
        return image, _numbers(path, image, stream, shape, dtype)


def load_surface(path: Path) -> Any:
    """Return the GIFTI image of a file; raises BadInput where it is none, damaged, or lacks announced arrays."""
    nibabel = _nibabel()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Actual # of data arrays")
            with opened(path) as stream:
                return nibabel.gifti.GiftiImage.from_bytes(stream.read())
    except Exception as error:
        raise BadInput(f"{path} cannot be read as an image ({_told(error)}).") from error


def is_cifti(image: Any) -> bool:
    """Whether an image of `load_volume` is a CIFTI file."""
    return type(image).__name__ == "Cifti2Image"


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise MissingExtra("nibabel", "surface") from error
    return nibabel


def _kind(nibabel: Any, stream: IO[bytes]) -> Any:
    head = stream.read(_NIFTI_2)
    stream.seek(0)
    for order in ("little", "big"):
        length = int.from_bytes(head[:4], order)
        if length == _NIFTI_1:
            return nibabel.Nifti1Image
        if length == _NIFTI_2:
            cifti = int.from_bytes(head[504:508], order) in CIFTI
            return nibabel.Cifti2Image if cifti else nibabel.Nifti2Image
    raise ValueError("it does not begin with the header of a NIfTI file")


def _numbers(path: Path, image: Any, stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    promised, begin = math.prod(shape) * dtype.itemsize, int(image.dataobj.offset)
    compressed = is_compressed(path)
    there = path.stat().st_size * (LARGEST_RATIO if compressed else 1)
    if promised + begin > there:  # before anything is reserved for what is not there
        raise BadInput(
            f"{path} is cut off or damaged: its header says {promised:,} bytes of numbers {shape}, more than it holds."
        )
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numbers beyond float32 are infinite, and counted so
            values = np.array(image.dataobj, dtype=np.float32)
        stream.seek(begin + promised)
        more = rest_of(stream)
    except Exception as error:  # a cut-off file: EOFError, OSError, zlib.error
        raise BadInput(f"{path} is cut off or damaged ({_told(error)}).") from error
    if more >= promised / max(shape[0] if is_cifti(image) else shape[-1], 1):  # padding is shorter than a scan
        raise BadInput(
            f"{path} holds {more:,} bytes more than the {shape} numbers that its header says: one of them is damaged."
        )
    return values


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
