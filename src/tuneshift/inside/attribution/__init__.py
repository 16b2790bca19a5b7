"""Prompt attribution: gradients, levels, importance density, instruction scores."""
