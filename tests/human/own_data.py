"""Recordings and reading times as hypothesis makes them, and what it means that two are the same."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from tuneshift.human import Recording, WordTrack

names = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Z"], blacklist_characters="\ufffd"), min_size=1, max_size=8
)
sentences = st.lists(names, min_size=1, max_size=4).map(" ".join)
numbers = st.floats(allow_nan=True, allow_infinity=False, width=64)


@st.composite
def recordings(draw: st.DrawFn, time_series: bool | None = None) -> Recording:
    """A sound recording: stimuli with texts, or scans with words; every optional part is sometimes absent."""
    n, v = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    series = draw(st.booleans()) if time_series is None else time_series
    values = np.array(draw(st.lists(numbers, min_size=n * v, max_size=n * v))).reshape(n, v)
    values[0, 0] = 1.5  # at least one response
    coordinates = {
        "passage": ("stimulus", np.array(draw(st.lists(names, min_size=n, max_size=n)))),
        "participant": ("target", np.array(draw(st.lists(names, min_size=v, max_size=v)))),
        "region": ("target", np.array(draw(st.lists(names | st.just(""), min_size=v, max_size=v)))),
        "target_name": ("target", np.array(draw(st.lists(names, min_size=v, max_size=v, unique=True)))),
    }
    words = None
    if series:
        coordinates["time"] = ("stimulus", draw(st.floats(-9, 9)) + 2.0 * np.arange(n))
        times = coordinates["time"][1]
        m = draw(st.integers(1, 5))
        onset = np.sort(np.array(draw(st.lists(st.floats(-20, 0), min_size=m, max_size=m)))) + times[-1] - 0.5
        words = WordTrack(
            words=tuple(f"{word}{i}" for i, word in enumerate(draw(st.lists(names, min_size=m, max_size=m)))),
            onset=onset,
            offset=onset + 0.1,
            passage=tuple(draw(st.lists(st.sampled_from(coordinates["passage"][1].tolist()), min_size=m, max_size=m))),
        )
    else:
        coordinates["text"] = ("stimulus", np.array(draw(st.lists(sentences, min_size=n, max_size=n))))
    if draw(st.booleans()):
        coordinates["voxel_x"] = ("target", np.array(draw(st.lists(st.integers(-90, 90), min_size=v, max_size=v))))
    repetition_time = 2.0 if series and draw(st.booleans()) else None
    return Recording(
        name=draw(names),
        data=xr.DataArray(values, dims=("stimulus", "target"), coords=coordinates),
        unit=draw(st.sampled_from(["z", "% signal", "µV"])),
        words=words,
        dropped=tuple(draw(st.lists(names, max_size=2))),
        repetition_time=repetition_time,
        high_pass=128.0 if repetition_time and draw(st.booleans()) else None,
        notes=draw(st.dictionaries(names, names, max_size=2)),
    )


def assert_same(mine: Recording, theirs: Recording) -> None:
    """Every number, name and word of two recordings is the same."""
    xr.testing.assert_identical(mine.data.rename(None), theirs.data.rename(None))
    for field in ("name", "unit", "dropped", "repetition_time", "high_pass", "notes"):
        assert getattr(mine, field) == getattr(theirs, field), field
    assert (mine.words is None) == (theirs.words is None)
    if mine.words is not None and theirs.words is not None:
        assert mine.words.words == theirs.words.words
        assert mine.words.passage == theirs.words.passage
        np.testing.assert_array_equal(mine.words.onset, theirs.words.onset)
        np.testing.assert_array_equal(mine.words.offset, theirs.words.offset)
