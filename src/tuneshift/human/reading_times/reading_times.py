"""ReadingTimes: how long people looked at each word of a text."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tuneshift.notebook import facts, notes


@dataclass(frozen=True)
class ReadingTimes:
    """Words in reading order with their mean reading times.

    `words`: one row a word, index 0..n-1 in reading order, columns `document` (string), `position` (int, 0-based within
    the document), `word` (string, as shown, with punctuation), `sentence` (int, within the document),
    `sentence_initial`, `sentence_final` (bool), `time` (float, ms, mean over participants; NaN where none was kept),
    `n` (int, participants behind the mean) and, where known, `log_frequency` (float, natural log of occurrences per
    million words), `length` (float, where it is not the number of characters) and `include` (bool, whether the word is
    scored; one that is not is read all the same, and stands before the next). Brain responses to words (EEG
    amplitudes) stand in `time` too, and `unit` says so. `by_participant`: None, or one row a word and participant,
    columns `row` (index into `words`), `participant`, `time`. `ceiling`: split-half reliability of the means, None
    where it cannot be computed; `release` names the data release; `notes` say what an import took and left out.
    """

    name: str
    words: pd.DataFrame
    release: str
    by_participant: pd.DataFrame | None = None
    ceiling: float | None = None
    ceiling_source: str = "unknown"
    unit: str = "ms"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        n_readers = 0 if self.by_participant is None else self.by_participant["participant"].nunique()
        rows = {
            "words": f"{len(self.words):,} in {self.words['document'].nunique()} documents",
            "mean time": f"{self.words['time'].mean():.4g} {self.unit}",
            "times by reader": f"{n_readers} readers" if n_readers else "none",
            "ceiling": f"{self.ceiling:.3f} ({self.ceiling_source})" if self.ceiling is not None else "unknown",
            "release": self.release,
        }
        return facts(self.name, rows) + notes((*self.warnings, *self.notes))

    @property
    def documents(self) -> dict[str, list[str]]:
        """Document name -> its words in order."""
        return {str(name): part["word"].tolist() for name, part in self.words.groupby("document", sort=False)}
