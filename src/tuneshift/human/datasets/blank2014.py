"""Blank2014: fMRI of people who listen to stories; 12 functional regions a participant (Blank et al. 2014)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneshift.human.brain_score_release import LICENCE, Counts, read_release, source
from tuneshift.human.dataset import DataSet
from tuneshift.human.recordings.recording import Recording

SOURCE = source("Blank2014_fROI", "af1e868821b897cb1684e4c8dcd33977121ef552")
COUNTS = Counts(presentations=1_317, neuroids=60, participants=5)


def read(file: Callable[[str], Path], counts: Counts = COUNTS) -> Recording:
    """Return (parts of sentences, regions): one row for every two seconds of a story, moved by 4 s by its makers.

    A passage is a story; parts of it stand in the order they were heard. A region is NaN for stories that its
    participant did not hear.
    """
    notes = {"timing": "each row is the scan 4 s after its words (Brain-Score's alignment); no response is convolved"}
    return read_release(file, SOURCE, "blank2014", counts, notes=notes)


DATA_SET = DataSet(
    name="blank2014",
    kind="brain",
    citation=(
        "Blank, Kanwisher & Fedorenko (2014). A functional dissociation between language and multiple-demand systems "
        "revealed in patterns of BOLD signal fluctuations. Journal of Neurophysiology 112, 1105-1118."
    ),
    licence=LICENCE,
    sources=(SOURCE,),
    reader=read,
    bibtex="""@article{blank2014functional,
  title = {A functional dissociation between language and multiple-demand systems revealed in patterns of {BOLD}
           signal fluctuations},
  author = {Blank, Idan and Kanwisher, Nancy and Fedorenko, Evelina},
  journal = {Journal of Neurophysiology}, volume = {112}, number = {5}, pages = {1105--1118}, year = {2014}
}""",
    notes="1,317 parts of 8 stories x 60 regions of 5 participants; neighbouring rows are 2 s apart and alike.",
)
