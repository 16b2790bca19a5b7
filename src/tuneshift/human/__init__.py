"""People: recordings of their brains, their reading times, and prompts they wrote."""

from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.prompts import Prompt, PromptSet
from tuneshift.human.reading_times import ReadingTimes
from tuneshift.human.recording import Recording, WordTrack
from tuneshift.human.registry import DATA_SETS, load_data

__all__ = [
    "DATA_SETS",
    "DataSet",
    "Prompt",
    "PromptSet",
    "ReadingTimes",
    "Recording",
    "Source",
    "WordTrack",
    "load_data",
]
