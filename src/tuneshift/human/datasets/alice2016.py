"""Alice2016: fMRI of people who listen to the first chapter of *Alice in Wonderland* (Brennan et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.recordings.recording import Recording, WordTrack
from tuneshift.human.text.textgrid import read_textgrid
from tuneshift.human.text.transcript import SpokenWord, as_printed

REPETITION_TIME = 2.0
FIRST_SCAN = 20.0  # the ten volumes before it were discarded by the authors
HIGH_PASS = 128.0
REGIONS = ("LATL", "RATL", "LPTL", "LIPL", "LPreM", "LIFG")
_SILENCE = ("", "sp", "sil")
_PLACE = "alice2016"
_TEXTGRID = "alice_stim_shared/DownTheRabbitHoleFinal_exp120_pad_1.TextGrid"
_TEXT = "text/alice_ch1_sentences.txt"
_URL = (
    "https://raw.githubusercontent.com/daandouwe/Thesis/ec54039b6ac5ad7bf8c81b91768108e5be5c1ce0/"
    "brain-data/syntax-in-rnng/"
)
_TIMECOURSES = {
    "s18": "0c286ab2c70fa71e4bc68eabaa4421ed18f54f06e8bab55cc83bb471b02fefaa",
    "s22": "e340210515ded59ea1ffe30bcc2fddd216d7c179015bf9afbfe3f8195313bb5e",
    "s23": "30c1d4a9fefa128d378b39692b54f8916518b7a256a771d609b0e4ba481a4ab1",
    "s24": "928a6ca603ffd1f8e9491efec5d2d7ee36bbc578bd580e78bfaeb660569ae672",
    "s26": "7bd4bdda8fc9e553ecfb9c3c285d32c6b50dc0780aaa4bb04f5c7205f8b27aad",
    "s28": "4a2a6bb2417060cd9764c799016018df77ec913f0854fe9ba2af7e5579d986fb",
    "s30": "85f565a3de9137c230291f74f24dd594df3fbd9230e4578a4e6c856dd017ab45",
    "s31": "b3c99e9e0636dc5679c2b27c40c51bf54d0c21423faf6c2c0b8c9e3911bbb891",
    "s33": "6fe19447cd790deb4171814e2b5d55d958997642bc479d13f7c40d03aeebd7c4",
    "s35": "1fbc985acef8b68f4594fb6d70be7d57857689d7f1516cb4526dd4801092e51f",
    "s36": "8ab0864cf176fa3bc3ef1776764db7e42e82ba4ce697aa9a68fb590795749ddc",
    "s37": "5af32f59eaf44a582265869085a9dbf4e042a391a6933e74f7d2933a5ca0ba82",
    "s38": "77c09557720d25504ce4cdde8a5c9fc4c94c74389e9f8de33d0b0f1154ee2ce5",
    "s39": "635a838c1b788b37b0cf0161a8c00a32b81b4dbe2bd0000f47010625b855150e",
    "s40": "8da36539f93677cd6d97b8c060c4ed083431e0416f674805636aecc038589ec9",
    "s41": "d320ecf3661d6c4d8d8aada90578c77a3e376184abae35ad2114f6ce56a19cef",
    "s42": "d44d44ff34784c0d2a8ced6a6782ca93014fe90a1e80dbcb808a9b93a694b4b6",
    "s43": "41ecea7dd52766c67d783540fa3696b40c6115fed2a88d328b16d6d896a0d969",
    "s44": "f251062ccf4a7ba2fe05cc12a9345ec4a38fee9b64e522d1f110248794132eee",
    "s45": "477283d63de715c2e76515fcf8d9f516835e6adc2eaea56dd9cb81d21d7fcaaa",
    "s46": "571562d39082c49ec853bc8ea80040cd2ae6f98049f6a250b4fdd7b4060e46f9",
    "s47": "44791bc9e3170f566bf41d60fedd71ef3911e052e35165d209d0463ebb11acd8",
    "s48": "3e74bc754645204e373262f0437c077c6b879c8d40c323af0e29990d1671e5bb",
    "s49": "c390fbe98d8b7de34bbd9b2216ebc517a1e68b90879c419b485671dfbaaa88d1",
    "s50": "550909cba09a7e43898351c40ae6db54f9ece0f0abb1a8bb9ed0ad96c53a5000",
    "s51": "302e2d8085810256ad829314dbcb7f81186ab3ee16172648c0c91fda742fc25d",
    "s52": "65c8812b757b7f747f6750a8d980342c02aa2059e70a5fdacbcf84bb38ddff99",
    "s53": "0a7f1db27c50c71e162976800e36836a3ee5cb9e4540816c0527d534e8af9822",
}


def _timecourse(participant: str) -> str:
    return f"{_PLACE}/alice_data_shared/6mm/{participant}-timecourses.txt"


def read(file: Callable[[str], Path]) -> Recording:
    """Return 362 scans (2 s) x 6 regions of each participant, with the words they heard.

    Row k is the scan at 20 + 2k seconds of the recording. A participant whose responses are all zero is left out and
    named in `dropped`. Words carry the case and punctuation of the printed chapter.
    """
    columns: list[np.ndarray] = []
    kept, dropped = [], []
    for participant in _TIMECOURSES:
        path = file(_timecourse(participant))
        responses = np.loadtxt(path, ndmin=2)
        if responses.shape[1] != len(REGIONS) or (columns and len(responses) != len(columns[0])):
            raise BadInput(f"{path} has {responses.shape} scans x regions, not {len(REGIONS)} regions as the others.")
        if not responses.any():
            dropped.append(f"participant {participant} was left out: every response is zero")
            continue
        columns.append(responses)
        kept.append(participant)
    data = np.concatenate(columns, axis=1)
    words = _words(file)
    return Recording(
        name="alice2016",
        data=xr.DataArray(
            data,
            dims=("stimulus", "target"),
            coords={
                "time": ("stimulus", FIRST_SCAN + REPETITION_TIME * np.arange(len(data))),
                "passage": ("stimulus", np.full(len(data), "chapter 1")),
                "participant": ("target", np.repeat(kept, len(REGIONS))),
                "region": ("target", np.tile(REGIONS, len(kept))),
                "target_name": ("target", np.array([f"{p} {r}" for p in kept for r in REGIONS])),
            },
        ),
        unit="a.u.",
        words=WordTrack(
            words=tuple(word.text for word in words),
            onset=np.array([word.onset for word in words]),
            offset=np.array([word.offset for word in words]),
            passage=("chapter 1",) * len(words),
        ),
        dropped=tuple(dropped),
        repetition_time=REPETITION_TIME,
        high_pass=HIGH_PASS,
    )


def _words(file: Callable[[str], Path]) -> list[SpokenWord]:
    textgrid = file(f"{_PLACE}/{_TEXTGRID}")
    spoken = [
        SpokenWord(interval.text.strip(), interval.start, interval.end)
        for interval in read_textgrid(textgrid, "word")
        if interval.text.strip() not in _SILENCE
    ]
    return as_printed(spoken, file(f"{_PLACE}/{_TEXT}").read_text(encoding="utf-8"), str(textgrid))


DATA_SET = DataSet(
    name="alice2016",
    kind="brain",
    citation=(
        "Brennan, Stabler, Van Wagenen, Luh & Hale (2016). Abstract linguistic structure correlates with temporal "
        "activity during naturalistic comprehension. Brain and Language 157-158, 81-94."
    ),
    licence="CC BY 4.0",
    sources=(
        *(
            Source(_timecourse(p), f"{_URL}alice_data_shared/6mm/{p}-timecourses.txt", f"sha256:{digest}")
            for p, digest in _TIMECOURSES.items()
        ),
        Source(
            f"{_PLACE}/{_TEXTGRID}",
            _URL + _TEXTGRID,
            "sha256:f42484c61db089132eaa0ed633468f04709669b89bbfbc712282c1478e2bd6b3",
        ),
        Source(
            f"{_PLACE}/{_TEXT}",
            _URL + "alice/chapters/alice.1.txt",
            "sha256:ab2d285cb8fed7887660c91c50ce7632c83aca9321d943d89799b369c2604975",
        ),
    ),
    reader=read,
    bibtex="""@article{brennan2016abstract,
  title = {Abstract linguistic structure correlates with temporal activity during naturalistic comprehension},
  author = {Brennan, Jonathan R. and Stabler, Edward P. and Van Wagenen, Sarah E. and Luh, Wen-Ming and Hale, John T.},
  journal = {Brain and Language}, volume = {157-158}, pages = {81--94}, year = {2016}
}""",
    notes="28 participants x 362 scans (2 s) x 6 regions (6 mm spheres); s33 is all zeros and left out.",
)
