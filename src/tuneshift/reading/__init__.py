"""Reading alignment: surprisal against reading times."""

from tuneshift.reading.alignment import ReadingAlignment, reading_alignment
from tuneshift.reading.surprisal_file import SurprisalFile

__all__ = ["ReadingAlignment", "SurprisalFile", "reading_alignment"]
