"""SurprisalFile: word surprisals read from a file, standing where a model stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.models import LanguageModel
from tuneshift.models.surprisal import n_logits
from tuneshift.models.surprisal_forms import Form
from tuneshift.progress import Progress, silent
from tuneshift.reading.sanity import Sanity, sanity
from tuneshift.reading.served import ServedModel
from tuneshift.reading.surprisal_formats import Unit, read_surprisals


@dataclass(frozen=True)
class SurprisalFile:
    """Surprisals that somebody else computed, for a model that cannot be loaded here.

    `path` is a JSON or CSV file, `unit` the unit of its numbers. Whether they are corrected for word boundaries only
    their author knows, so results carry the mapping "given".
    """

    name: str
    path: Path
    unit: Unit = "bits"

    @property
    def revision(self) -> str:
        """What stands for the model's revision: the file's sha256 and unit; BadInput where it cannot be read."""
        try:
            return f"{hashlib.sha256(Path(self.path).read_bytes()).hexdigest()} in {self.unit}"
        except OSError as error:
            raise BadInput(f"the surprisals {self.path} cannot be read ({error.strerror}).") from error


Source = LanguageModel | SurprisalFile | ServedModel


@dataclass(frozen=True)
class Surprisals:
    """Surprisals (n_words,) in bits by mapping, and, of a model that is loaded here, whether it reads at all.

    `said`: how a file was read, where that is not plainly what it holds.
    """

    by_mapping: dict[str, np.ndarray]
    sanity: Sanity | None = None
    said: tuple[str, ...] = ()


def surprisals_of(
    source: LanguageModel | SurprisalFile,
    times: ReadingTimes,
    *,
    form: Form = "plain",
    instruction: str | None = None,
    progress: Progress = silent,
) -> Surprisals:
    """Return the surprisals (n_words,) in bits of the words of `times`, by mapping.

    A model gives "corrected" (for word boundaries) and "plain" (the bare sum), in another form than the bare text
    "corrected chat", "plain chat" and so on; a file what it holds, as "given". Raises BadInput where file and text
    part, with the first place, and for a form that a file cannot have.
    """
    if isinstance(source, SurprisalFile):
        if form != "plain":
            raise BadInput(f"{source.name}: form {form!r} needs a model; a file of surprisals has only its own form.")
        given = read_surprisals(Path(source.path), times, source.unit)
        return Surprisals({"given": given.values}, said=given.said)
    documents = list(times.documents.values())
    table = source.surprisals(documents, form=form, instruction=instruction, progress=progress)
    _require_same_words(table, times, source.name)
    read = "" if form == "plain" else f" {form}"
    plain = table["surprisal_plain"].to_numpy(float)
    return Surprisals(
        {f"corrected{read}": table["surprisal"].to_numpy(float), f"plain{read}": plain},
        sanity(plain, table["n_tokens"].to_numpy(float), n_logits(source.torch_model)),
    )


def _require_same_words(table: pd.DataFrame, times: ReadingTimes, where: str) -> None:
    if len(table) != len(times.words):
        raise BadInput(f"{where} gives {len(table)} surprisals for {len(times.words)} words of {times.name}.")
    differs = np.flatnonzero(table["word"].to_numpy() != times.words["word"].to_numpy())
    if len(differs):
        at = times.words.iloc[differs[0]]
        raise BadInput(
            f"{where} and {times.name} part at document {at['document']}, word {at['position'] + 1}: "
            f"{table['word'].iloc[differs[0]]!r} and {at['word']!r}."
        )
