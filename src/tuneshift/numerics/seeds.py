"""What a seed may be."""

LARGEST_SEED = 2**32 - 1
"""What all generators of random numbers take: Python's, numpy's and torch's."""
