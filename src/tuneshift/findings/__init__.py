"""Findings: which sentences answer a study's questions, in which order and in which words."""

from tuneshift.findings.choosing import findings_of
from tuneshift.findings.finding import Bar, Finding, Findings

__all__ = ["Bar", "Finding", "Findings", "findings_of"]
