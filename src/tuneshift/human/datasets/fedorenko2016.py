"""Fedorenko2016: electrodes on the cortex of people who read sentences word by word (Fedorenko et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneshift.human.brain_score_release import LICENCE, Counts, read_release, source
from tuneshift.human.dataset import DataSet
from tuneshift.human.recordings.recording import Recording

SOURCE = source("Fedorenko2016_language", "2966b6d78e972a72068aa6907377483f427e8d9a")
COUNTS = Counts(presentations=416, neuroids=97, participants=5)


def read(file: Callable[[str], Path], counts: Counts = COUNTS) -> Recording:
    """Return (words, electrodes): a passage is a sentence of eight words, which are read in order."""
    return read_release(file, SOURCE, "fedorenko2016", counts, unit="high gamma")


DATA_SET = DataSet(
    name="fedorenko2016",
    kind="brain",
    citation=(
        "Fedorenko, Scott, Brunner, Coon, Pritchett, Schalk & Kanwisher (2016). Neural correlate of the construction "
        "of sentence meaning. PNAS 113, E6256-E6262."
    ),
    licence=LICENCE,
    sources=(SOURCE,),
    reader=read,
    bibtex="""@article{fedorenko2016neural,
  title = {Neural correlate of the construction of sentence meaning},
  author = {Fedorenko, Evelina and Scott, Terri L. and Brunner, Peter and Coon, William G. and Pritchett, Brianna and
            Schalk, Gerwin and Kanwisher, Nancy},
  journal = {Proceedings of the National Academy of Sciences}, volume = {113}, number = {41},
  pages = {E6256--E6262}, year = {2016}
}""",
    notes="52 sentences of 8 words (capitals, as shown) x 97 language-responsive electrodes of 5 participants.",
)
