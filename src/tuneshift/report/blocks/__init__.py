"""Blocks: what sections are built of, the figures that come back, words for numbers, and choosing rows."""
