"""Anatomy: where an architecture keeps the weights that paper 2 looks at, and how they are laid out.

A family is added by one entry in `families`; from outside the package by `register_anatomy`, or for all users of
another package by an entry point in the group `tuneshift.architectures`.
"""

from tuneshift.models.anatomy.anatomy import Anatomy, Layout, Read, TensorNames
from tuneshift.models.anatomy.known import ENTRY_POINT_GROUP, Builder, anatomy_of, known_architectures, register_anatomy

__all__ = [
    "ENTRY_POINT_GROUP",
    "Anatomy",
    "Builder",
    "Layout",
    "Read",
    "TensorNames",
    "anatomy_of",
    "known_architectures",
    "register_anatomy",
]
