"""Measures: pure functions, arrays or frames in, labelled pandas out."""
