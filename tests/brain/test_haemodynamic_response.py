"""A response that is fitted finds what comes late, by delays in seconds, whatever the repetition time."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from time_series import driven, heard

from tuneshift.brain import BrainAlignment, brain_alignment
from tuneshift.brain.encoding import Encoding
from tuneshift.brain.nuisance import nuisance_features
from tuneshift.brain.partition import partition
from tuneshift.brain.stimulus_features import Response, row_features
from tuneshift.brain.targets import target_blocks
from tuneshift.human import Recording
from tuneshift.models import LanguageModel


@pytest.fixture(scope="module")
def quick() -> tuple[Recording, np.ndarray]:
    """Scans every 0.72 s; what the words drive peaks 5 s later."""
    recording = heard(1000, (1000,), repetition_time=0.72, n_participants=2)
    assert recording.words is not None
    said = np.random.default_rng(1).standard_normal((len(recording.words.words), 3))
    return driven(recording, said, strength=2.0), said


def score(recording: Recording, said: np.ndarray, response: Response) -> float:
    cut = partition(recording, "contiguous")
    encoding = Encoding(recording.data, target_blocks(recording.data, "heard")[0], cut)
    return float(np.nanmean(encoding.scores(row_features(said, recording, response))))


def test_at_a_short_repetition_time_delays_in_seconds_find_what_four_scans_miss(
    quick: tuple[Recording, np.ndarray],
) -> None:
    recording, said = quick
    four_scans = score(recording, said, Response("fir", (0.72, 2.88)))
    default = score(recording, said, Response("fir"))
    longer = score(recording, said, Response("fir", (2.0, 12.0)))
    canonical = score(recording, said, Response())
    assert four_scans < 0.35
    assert default > four_scans + 0.25
    assert longer > default
    assert longer == pytest.approx(canonical, abs=0.08)


def test_the_surface_is_given_the_same_response_as_the_model(quick: tuple[Recording, np.ndarray]) -> None:
    """Else a model would be said to explain what a freer response explains."""
    recording, _ = quick
    assert (
        nuisance_features(recording, Response("fir", (2.0, 9.0))).shape[1] == 10 * nuisance_features(recording).shape[1]
    )


def test_the_delays_that_were_fitted_are_told(fable_2m: LanguageModel) -> None:
    result = brain_alignment(fable_2m, heard(n_participants=2), response="fir", delays=(3.0, 9.0))
    assert result.details["delays_seconds"] == [3.0, 5.0, 7.0, 9.0]
    assert result.details["gap_seconds"] == 32.0
    canonical = brain_alignment(fable_2m, heard(n_participants=2))
    assert "delays_seconds" not in canonical.details


@pytest.mark.parametrize("delays", [(8.0, 2.0), (-1.0, 8.0), (2.0, 40.0)])
def test_delays_that_make_no_sense_are_refused(delays: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="give the first and the last delay in seconds, from 0 to 32"):
        BrainAlignment(data="x", response="fir", delays=delays)
