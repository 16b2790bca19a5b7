"""Recordings: brain responses to stimuli, as people bring them and as they are published."""
