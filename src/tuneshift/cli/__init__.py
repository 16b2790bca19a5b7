"""The command line: `tuneshift COMMAND`; exit status 0, 1 for a failed measurement, 2 for bad input."""

from tuneshift.cli.app import main

__all__ = ["main"]
