"""Pereira2018: people read sentences of short passages; two experiments in one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneshift.human.brain_score_release import LICENCE, Counts, read_release, source
from tuneshift.human.dataset import DataSet
from tuneshift.human.recordings.recording import Recording

SOURCE = source("Pereira2018_language", "f8434b4022f5b2c862f0ff2854d5b3f5f2a7fb96")
PRESENTATIONS, NEUROIDS, PARTICIPANTS = 627, 13_553, 10


def experiment(n_sentences: int) -> DataSet:
    """Return the data set of the experiment with 243 or 384 sentences."""
    name = f"pereira2018_{n_sentences}"
    known = Counts(PRESENTATIONS, NEUROIDS, PARTICIPANTS, selected=n_sentences)

    def read(file: Callable[[str], Path], counts: Counts = known) -> Recording:
        """Return (sentences, voxels) of the language system of those participants who did this experiment."""
        chosen = {"experiment": f"{n_sentences}sentences"}
        return read_release(file, SOURCE, name, counts, select=chosen)

    return DataSet(
        name=name,
        kind="brain",
        citation=(
            "Pereira, Lou, Pritchett, Ritter, Gershman, Kanwisher, Botvinick & Fedorenko (2018). Toward a universal "
            "decoder of linguistic meaning from brain activation. Nature Communications 9, 963."
        ),
        licence=LICENCE,
        sources=(SOURCE,),
        reader=read,
        cache="pereira2018",
        bibtex="""@article{pereira2018toward,
  title = {Toward a universal decoder of linguistic meaning from brain activation},
  author = {Pereira, Francisco and Lou, Bin and Pritchett, Brianna and Ritter, Samuel and Gershman, Samuel J. and
            Kanwisher, Nancy and Botvinick, Matthew and Fedorenko, Evelina},
  journal = {Nature Communications}, volume = {9}, pages = {963}, year = {2018}
}""",
        notes=(
            f"The experiment with {n_sentences} sentences; the file holds {PRESENTATIONS} sentences x "
            f"{NEUROIDS:,} voxels of {PARTICIPANTS} participants, not all of whom did both. Passages are held out "
            "whole; several passages share a topic (coordinate `passage_category`)."
        ),
    )
