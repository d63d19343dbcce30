"""Responses: from a persons × items matrix to score numbers, forms and packed bytes."""
