"""Natural Stories: self-paced reading times of ten stories (Futrell et al. 2021).

The alignment of words and times deserves care. The corpus's authors announced on 2025-05-12 that the times of the
original release stood one word out of step, and corrected the repository (commit 4700daa). That commit changed the
times of single participants (`processed_RTs.tsv`); the table of means over participants that is read here
(`processed_wordinfo.tsv`) did not change, and outside story 3 it has been the same since 2016. The means themselves
say that they are still early by one word: the surprisal and the length of a word predict the time filed under the
word *before* it (r = .29, .25) better than the one after it (.20, .15), which no reader can do. So three releases are
offered: "published" (default: the table as it stands, which every published score of these means uses), "realigned"
(each word with the time filed under the word before it) and "2018" (as "published", with the second misalignment of
story 3 that was mended on 2020-11-11).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.text.sentences import mark_sentences

RELEASES = {
    "published": "means as published (repository of 2025-05-12; this table unchanged since 2021-10-01)",
    "realigned": "means as published, moved one word later (our realignment)",
    "2018": "means as published before 2020-11-11 (story 3 out of step from word 231)",
}
_STORY_3_SLIP = 230  # until 2020-11-11 the times of story 3 stood one further word late after this word
_WARNINGS = {
    "published": (
        "natural_stories: times are the published means; they stand one word early (a word's surprisal predicts the "
        "time filed under the word before it), as all scores published on these means; release 'realigned' mends it."
    ),
    "realigned": "natural_stories: times moved one word later than published; the first word of a story has none.",
    "2018": "natural_stories: the release of 2018, kept to show what its misalignment of story 3 does to a score.",
}
_PLACE = "natural_stories"
_WORDS = f"{_PLACE}/naturalstories_RTS_all_stories.tok"
_TIMES = f"{_PLACE}/naturalstories_RTS_processed_wordinfo.tsv"
_URL = (
    "https://raw.githubusercontent.com/languageMIT/naturalstories/4700daad696e942f5aba23c957a7423d0de66612/"
    "naturalstories_RTS/"
)


def read(file: Callable[[str], Path], release: str = "published") -> ReadingTimes:
    """Return 10,256 words of 10 stories with the mean self-paced reading time over participants (ms).

    `release` is "published", "realigned" or "2018" (see the top of this file); a word without a time has NaN.

    Stories are ordered by number and words by place, not as strings. Raises BadInput with the first place where the
    text and the times do not name the same word.
    """
    if release not in RELEASES:
        raise BadInput(f"natural_stories has no release {release!r}; it has {', '.join(RELEASES)}.")
    text = _table(file(_WORDS), ["word", "zone", "item"])
    times = _table(file(_TIMES), ["word", "zone", "item", "nItem", "meanItemRT"])
    both = text.merge(times, on=["item", "zone"], how="outer", suffixes=("", "_timed"), validate="one_to_one")
    both = both.sort_values(["item", "zone"], ignore_index=True)
    differs = both["word"].fillna("") != both["word_timed"].fillna("")
    if differs.any():
        first = both[differs].iloc[0]
        raise BadInput(
            f"natural_stories: text and times part at story {first['item']}, word {first['zone']}: "
            f"{first['word']!r} in {_WORDS}, {first['word_timed']!r} in {_TIMES}."
        )
    words = pd.DataFrame(
        {
            "document": both["item"].astype(int).astype(str),
            "position": both.groupby("item").cumcount(),
            "word": both["word"],
            "time": both["meanItemRT"].astype(float),
            "n": both["nItem"].astype(int),
        }
    )
    words = _released(words, release)
    return ReadingTimes(
        name="natural_stories" if release == "published" else f"natural_stories:{release}",
        words=mark_sentences(words),
        release=RELEASES[release],
        ceiling=None,
        ceiling_source=(
            "unknown: the release used here has item means only; 0.858 is published for Futrell2018 (Brain-Score)"
        ),
        warnings=(_WARNINGS[release],),
    )


def _released(words: pd.DataFrame, release: str) -> pd.DataFrame:
    """Put the times where `release` has them; `n` moves with its mean."""
    if release == "published":
        return words
    before = words.groupby("document", sort=False)[["time", "n"]].shift(1)
    late = pd.Series(True, index=words.index)
    if release == "2018":
        late = (words["document"] == "3") & (words["position"] >= _STORY_3_SLIP)
    out = words.copy()
    out["time"] = words["time"].where(~late, before["time"])
    out["n"] = words["n"].where(~late, before["n"]).fillna(0).astype(int)
    return out


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    table = pd.read_csv(path, sep="\t", keep_default_na=False, quoting=3)
    missing = [column for column in columns if column not in table]
    if missing:
        raise BadInput(f"{path} has no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}.")
    return table[columns]


DATA_SET = DataSet(
    name="natural_stories",
    kind="reading",
    citation=(
        "Futrell, Gibson, Tily, Blank, Vishnevetsky, Piantadosi & Fedorenko (2021). The Natural Stories corpus: a "
        "reading-time corpus of English texts containing rare syntactic constructions. "
        "Language Resources and Evaluation 55, 63-77."
    ),
    licence="CC BY-NC-SA 4.0",
    sources=(
        Source(
            _WORDS,
            _URL + "all_stories.tok",
            "sha256:0e4e9bd4708aaa01d8bea342696bb83cedff679c09184545483f6f3f4ba8aca3",
        ),
        Source(
            _TIMES,
            _URL + "processed_wordinfo.tsv",
            "sha256:047d2a0b84eff99d90535d1517f7fa7d466b81fbd60e990f2f08caac04d8aa56",
        ),
    ),
    reader=read,
    bibtex="""@article{futrell2021natural,
  title = {The Natural Stories corpus: a reading-time corpus of English texts containing rare syntactic constructions},
  author = {Futrell, Richard and Gibson, Edward and Tily, Harry J. and Blank, Idan and Vishnevetsky, Anastasia and
            Piantadosi, Steven T. and Fedorenko, Evelina},
  journal = {Language Resources and Evaluation}, volume = {55}, pages = {63--77}, year = {2021}
}""",
    notes="10 stories, 10,256 words, mean self-paced reading times; releases: published (default), realigned, 2018.",
    releases=tuple(RELEASES),
)
