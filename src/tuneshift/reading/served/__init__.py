"""Surprisals from a server: a model that runs elsewhere and gives the log probabilities of what it is sent."""

from tuneshift.reading.served.served_model import ServedModel

__all__ = ["ServedModel"]
