"""Findings: which sentences answer a study's questions, in which order and in which words."""

from tuneshift.findings.choosing import Findings, findings_of
from tuneshift.findings.finding import Bar, Finding

__all__ = ["Bar", "Finding", "Findings", "findings_of"]
