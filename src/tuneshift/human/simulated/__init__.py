"""Simulated people: responses and reading times made by a program, with a planted truth."""
