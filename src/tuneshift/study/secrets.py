"""What must not be written beside results: values of a study that are, or look like, keys and passwords."""

from __future__ import annotations

import re
from collections.abc import Mapping

NOT_WRITTEN = "(a secret, not written)"

_NAMES = re.compile(r"key|token|secret|passw|pwd|credential|auth|cookie|session|private", re.IGNORECASE)
_VALUES = re.compile(
    r"\b(sk|pk|hf|ghp|gho|ghs|glpat|xox[abpr]|api_org)[-_][A-Za-z0-9_-]{8,}"  # prefixes that makers of keys chose
    r"|\bAKIA[0-9A-Z]{12,}|\beyJ[A-Za-z0-9_-]{16,}"  # cloud access keys, JSON web tokens
    r"|://[^/\s:@]*:[^/\s@]+@"  # a password in an address
    r"|-----BEGIN"
)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables with the values of those that are called or look like secrets left out."""
    return {
        name: NOT_WRITTEN if _NAMES.search(name) or _VALUES.search(value) else value
        for name, value in environment.items()
    }
