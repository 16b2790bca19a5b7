"""Studies: configuration, jobs, executors, the store, and results."""

from tuneshift.study.config import Study, load_study
from tuneshift.study.measurements import register
from tuneshift.study.plan import plan
from tuneshift.study.results import StudyCell, StudyResults
from tuneshift.study.running import run

__all__ = ["Study", "StudyCell", "StudyResults", "load_study", "plan", "register", "run"]
