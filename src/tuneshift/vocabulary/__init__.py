"""The vocabulary: what every number means, declared once, and read by comparisons, findings, figures and pages."""

from tuneshift.vocabulary.metric import Kind, Metric
from tuneshift.vocabulary.vocabulary import OUR_KINDS, QUESTIONS, Vocabulary, ours

__all__ = ["OUR_KINDS", "QUESTIONS", "Kind", "Metric", "Vocabulary", "ours"]
