"""People: recordings of their brains, their reading times, and prompts they wrote."""

from tuneshift.human.brain_score import read_assembly, write_assembly
from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.own_files import check_file
from tuneshift.human.own_reading_times import write_reading_times
from tuneshift.human.own_recording_table import write_recording_table
from tuneshift.human.prompts import Prompt, PromptSet
from tuneshift.human.reading_corpora import import_reading_times
from tuneshift.human.reading_times import ReadingTimes
from tuneshift.human.recording import Recording, WordTrack
from tuneshift.human.recording_checks import checked
from tuneshift.human.registry import DATA_SETS, data_checksum, load_data
from tuneshift.human.scan_times import repetition_time_of
from tuneshift.human.series import SeriesRecipe, import_series, read_recipe

__all__ = [
    "DATA_SETS",
    "DataSet",
    "Prompt",
    "PromptSet",
    "ReadingTimes",
    "Recording",
    "SeriesRecipe",
    "Source",
    "WordTrack",
    "check_file",
    "checked",
    "data_checksum",
    "import_reading_times",
    "import_series",
    "load_data",
    "read_assembly",
    "read_recipe",
    "repetition_time_of",
    "write_assembly",
    "write_reading_times",
    "write_recording_table",
]
