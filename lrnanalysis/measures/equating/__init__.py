"""Equating: scores on one form that are equivalent to scores on another.

Linear and equipercentile equating for equivalent groups, a single group, and groups with a common
anchor test (NEAT).
"""

from lrnanalysis.measures.equating._equate import Equating, equate

__all__ = ["Equating", "equate"]
