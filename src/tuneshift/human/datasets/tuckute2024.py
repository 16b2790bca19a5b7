"""Tuckute2024: the mean response of five people's language networks to 1,000 lone sentences (Tuckute et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneshift.human.brain_score_release import LICENCE, Counts, read_release, source
from tuneshift.human.dataset import DataSet
from tuneshift.human.recordings.recording import Recording

SOURCE = source("Tuckute2024_language", "5c8fc7f3e24cc1af5f5296459377b638b6492641")
COUNTS = Counts(presentations=1_000, neuroids=1, participants=1)


def read(file: Callable[[str], Path], counts: Counts = COUNTS) -> Recording:
    """Return (sentences, 1): every sentence is its own passage; the one target is a mean over participants."""
    notes = {"participants": "the one target is the mean of five participants, so no noise ceiling can be computed"}
    return read_release(file, SOURCE, "tuckute2024", counts, unit="z", notes=notes)


DATA_SET = DataSet(
    name="tuckute2024",
    kind="brain",
    citation=(
        "Tuckute, Sathe, Srikant, Taliaferro, Wang, Schrimpf, Kay & Fedorenko (2024). Driving and suppressing the "
        "human language network using large language models. Nature Human Behaviour 8, 544-561."
    ),
    licence=LICENCE,
    sources=(SOURCE,),
    reader=read,
    bibtex="""@article{tuckute2024driving,
  title = {Driving and suppressing the human language network using large language models},
  author = {Tuckute, Greta and Sathe, Aalok and Srikant, Shashank and Taliaferro, Maya and Wang, Mingye and
            Schrimpf, Martin and Kay, Kendrick and Fedorenko, Evelina},
  journal = {Nature Human Behaviour}, volume = {8}, pages = {544--561}, year = {2024}
}""",
    notes="1,000 lone sentences x the mean of 5 participants' left-hemisphere language network, z-scored.",
)
