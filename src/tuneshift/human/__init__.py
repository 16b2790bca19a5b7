"""People: recordings of their brains, their reading times, and prompts they wrote."""

from tuneshift.human.dataset import DataSet, Source
from tuneshift.human.own_files import check_file
from tuneshift.human.prompts.prompts import Prompt, PromptSet
from tuneshift.human.reading_times.own_reading_times import write_reading_times
from tuneshift.human.reading_times.reading_corpora import import_reading_times
from tuneshift.human.reading_times.reading_times import ReadingTimes
from tuneshift.human.recordings.brain_score import read_assembly, write_assembly
from tuneshift.human.recordings.own_recording_table import write_recording_table
from tuneshift.human.recordings.recording import Recording, WordTrack
from tuneshift.human.recordings.recording_checks import checked
from tuneshift.human.recordings.scan_times import repetition_time_of
from tuneshift.human.recordings.series import SeriesRecipe, import_series, read_recipe
from tuneshift.human.registry import DATA_SETS, data_checksum, load_data

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
