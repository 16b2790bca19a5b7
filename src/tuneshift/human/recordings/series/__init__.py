"""Importing time series of one's own: files of scans, word times and confounds become one Recording."""

from tuneshift.human.recordings.series.importing import import_series
from tuneshift.human.recordings.series.recipe import SeriesRecipe, read_recipe

__all__ = ["SeriesRecipe", "import_series", "read_recipe"]
