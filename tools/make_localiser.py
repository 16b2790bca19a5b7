"""Make the non-words of the language localiser again: `python tools/make_localiser.py [--out FILE]`.

Each sentence of the file gets a string of as many non-words with as many letters: pronounceable syllables (onsets and
vowels of English, at the end a coda), none of which is a word in use.
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

import yaml
from wordfreq import zipf_frequency

from tuneshift.human.embedded_data import FOLDER

SEED = 0
SHORTEST = 3  # letters: every string of two is an abbreviation somewhere
RAREST = {3: 2.3, 4: 1.2}  # zipf frequency of strings that are nobody's words: 2.3 is one in five million words
ONSETS = (*"bdfghjklmnprstvwz", *re.findall("..", "blbrclcrdrflfrglgrplprskslsmsnspstswtrtwchshth"))
VOWELS = (*"aeiou", *"aeiou", *re.findall("..", "aieaeeoaooou"))  # single ones twice as often
CODAS = (*"bdfgklmnprstx", *re.findall("..", "ckftldlflklmlpltmpndnkntptrbrdrkrmrnrprtskspstshth"))


def letters(sentence: str) -> list[int]:
    """Lengths of a sentence's words, those under three letters filled up at the cost of the longest."""
    lengths = [len(word) for word in sentence.split()]
    while min(lengths) < SHORTEST:
        lengths[lengths.index(min(lengths))] += 1
        lengths[lengths.index(max(lengths))] -= 1
    return lengths


def non_word(length: int, rng: random.Random, used: set[str]) -> str:
    """Return a string of so many letters that is pronounceable, new, and no English word."""
    while True:
        made = rng.choice(ONSETS) + rng.choice(VOWELS)
        while len(made) < length - 2:
            made += rng.choice(ONSETS) + rng.choice(VOWELS)
        made += rng.choice(CODAS) if len(made) < length else ""
        known = zipf_frequency(made, "en", wordlist="large") > RAREST.get(length, 0.0)
        if len(made) == length and not known and made not in used:
            used.add(made)
            return made


def main(argv: list[str] | None = None) -> None:
    """Write the file with its sentences as they are and new non-words."""
    path = FOLDER / "language_localiser.yaml"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=path)
    out = parser.parse_args(argv).out
    text = path.read_text(encoding="utf-8").partition("non_words:")[0]
    rng, used = random.Random(SEED), set[str]()
    strings = [
        " ".join(non_word(length, rng, used) for length in letters(sentence))
        for sentence in yaml.safe_load(text)["sentences"]
    ]
    out.write_text(text + "non_words:\n" + "".join(f"  - {string}\n" for string in strings), encoding="utf-8")


if __name__ == "__main__":
    main()
