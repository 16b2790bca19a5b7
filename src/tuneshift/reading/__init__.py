"""Reading alignment: surprisal against reading times."""

from tuneshift.reading.alignment import ReadingAlignment, reading_alignment
from tuneshift.reading.served import ServedModel
from tuneshift.reading.surprisal_file import SurprisalFile

__all__ = ["ReadingAlignment", "ServedModel", "SurprisalFile", "reading_alignment"]
