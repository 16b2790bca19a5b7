"""tuneshift: what did instruction tuning change in a language model?"""
