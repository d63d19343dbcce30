"""Likelihood of one group's responses, ability integrated out."""
