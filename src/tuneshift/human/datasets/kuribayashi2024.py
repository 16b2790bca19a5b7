"""Natural Stories as Kuribayashi, Oseki & Baldwin (2024) annotated it: the words of their published regressions.

The times are the means over participants of Natural Stories (release "published", see `natural_stories`), without the
124 words whose mean lies more than 3 standard deviations from the grand mean. Frequencies are theirs: the log of the
geometric mean of the counts of a word's SentencePiece pieces in English Wikipedia.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.reading_times.reading_times import ReadingTimes

_TABLE = "kuribayashi2024/NS_averaged_rt_annotated.csv"
_COLUMNS = ["article", "zone", "word", "time", "log_gmean_freq", "is_first", "is_last", "sent_id", "tokenN_in_sent"]


def read(file: Callable[[str], Path]) -> ReadingTimes:
    """Return 10,256 words of 10 stories; 124 of them have no time (n = 0), since the authors left them out.

    `token_in_sentence` counts a sentence's tokens with its punctuation, as the authors' regressions do. Stories are
    ordered by number. Raises BadInput where a column is missing.
    """
    table = pd.read_csv(file(_TABLE), keep_default_na=False, escapechar="\\")
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise BadInput(f"{_TABLE} has no column {', '.join(missing)}.")
    table = table.sort_values(["article", "zone"], ignore_index=True)
    timed = table["time"] > 0
    sentence = table["sent_id"] - table.groupby("article")["sent_id"].transform("min")
    words = pd.DataFrame(
        {
            "document": table["article"].astype(int).astype(str),
            "position": table["zone"].astype(int) - 1,
            "word": table["word"].astype(str),
            "sentence": sentence.astype(int),
            "sentence_initial": table["is_first"].astype(bool),
            "sentence_final": table["is_last"].astype(bool),
            "time": table["time"].astype(float).where(timed),
            "n": pd.array([None if kept else 0 for kept in timed], dtype="Int64"),
            "log_frequency": table["log_gmean_freq"].astype(float),
            "token_in_sentence": table["tokenN_in_sent"].astype(int),
        }
    )
    return ReadingTimes(
        name="kuribayashi2024",
        words=words,
        release="means of Natural Stories as published, outliers left out by Kuribayashi et al. (2024)",
        ceiling_source="unknown: item means only; 0.858 is published for Futrell2018 (Brain-Score)",
    )


DATA_SET = DataSet(
    name="kuribayashi2024",
    kind="reading",
    citation=(
        "Kuribayashi, Oseki & Baldwin (2024). Psychometric predictive power of large language models. "
        "Findings of NAACL 2024, 1983-2005. Times: Futrell et al. (2021), Language Resources and Evaluation 55, 63-77."
    ),
    licence="MIT (annotation); CC BY-NC-SA 4.0 (times and text)",
    sources=(
        Source(
            _TABLE,
            "https://raw.githubusercontent.com/kuribayashi4/llm-cognitive-modeling/"
            "c0dbcc502c4095555ef63b2ce9d44f110a667724/data/NS/all.txt.annotation.filtered.averaged_rt.csv",
            "sha256:e5fb6b7e3e9884cc81f88c26b6cad9b25e9b551d66524b08bddf1feadb515664",
        ),
    ),
    reader=read,
    bibtex="""@inproceedings{kuribayashi2024psychometric,
  title = {Psychometric predictive power of large language models},
  author = {Kuribayashi, Tatsuki and Oseki, Yohei and Baldwin, Timothy},
  booktitle = {Findings of NAACL}, pages = {1983--2005}, year = {2024}
}""",
    notes="Natural Stories with the annotation of the published regressions; with it, their 26 models' surprisals.",
)
