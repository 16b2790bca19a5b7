"""The report: one HTML file that opens anywhere, from what a study measured."""

from tuneshift.report.page.page import write_report

__all__ = ["write_report"]
