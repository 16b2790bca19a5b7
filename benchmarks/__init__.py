"""Benchmarks: each file times one thing side by side with what people use now, in one run, as ratios of medians."""
