"""A name for the settings of a measurement that was made in several ways, so that its numbers are told apart."""

from __future__ import annotations

import pandas as pd

from tuneshift.vocabulary.selecting import groups

_SAME = ("measurement", "dataset", "split", "mapping", "metric")


def setting_labels(rows: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Return, by (measurement, dataset, split, mapping, metric, specification), the settings that differ.

    Numbers that have one specification only have no label. `specification` is a measurement in a few words: its kind,
    its data and every setting that is not the default.
    """
    found: dict[tuple[str, ...], str] = {}
    for key, part in groups(rows, *_SAME):
        every = [str(value) for value in dict.fromkeys(part["specification"].astype("string").fillna(""))]
        if len(every) < 2:
            continue
        words = [said.split() for said in every]
        shared = set(words[0]).intersection(*words[1:])
        for said, mine in zip(every, words, strict=True):
            own = [word for word in mine if word not in shared]
            found[(*key, said)] = " ".join(own) or "default settings"
    return found
