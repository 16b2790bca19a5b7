"""Brain alignment: encoding models, noise ceilings and controls."""

from tuneshift.brain.alignment import BrainAlignment, brain_alignment

__all__ = ["BrainAlignment", "brain_alignment"]
