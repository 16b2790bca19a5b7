"""OpenAI-compatible servers: asked patiently, with the key from the environment, and never twice the same thing."""

from tuneshift.endpoint.kept import KeptAnswers
from tuneshift.endpoint.service import Busy, Refused, Service, checked_address

__all__ = ["Busy", "KeptAnswers", "Refused", "Service", "checked_address"]
