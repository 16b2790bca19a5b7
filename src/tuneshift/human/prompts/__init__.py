"""Prompts: what models are asked, with the marks of their instructions."""
