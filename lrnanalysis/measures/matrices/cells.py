"""The kinds of cell that a persons × items matrix knows."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = [
    "CELL_DTYPE",
    "CELL_KINDS",
    "NOT_ADMINISTERED",
    "NOT_REACHED",
    "OMITTED",
    "PARTIAL",
    "RIGHT",
    "UNMARKED",
    "WRONG",
]

#: Names of the kinds, in the order of their codes.
CELL_KINDS = (
    "right",
    "wrong",
    "partial",
    "omitted",
    "not reached",
    "unmarked",
    "not administered",
)

#: dtype of a column of kinds.
CELL_DTYPE = pd.CategoricalDtype(pd.Index(CELL_KINDS, dtype="str"))

RIGHT, WRONG, PARTIAL, OMITTED, NOT_REACHED, UNMARKED, NOT_ADMINISTERED = (
    np.int8(code) for code in range(7)
)
