"""Every warning that lrnanalysis gives on purpose, and when.

A warning points at the line of the caller's own code, however deep in the package it arises, so
that it names the cell that needs a look. All of them are `LrnWarning`:
``warnings.simplefilter("error", lrnanalysis.LrnWarning)`` turns them into errors.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

__all__ = ["ConvergenceWarning", "DataWarning", "LrnWarning", "RuleWarning", "warn"]

_PACKAGE = str(Path(__file__).parent)


class LrnWarning(UserWarning):
    """Base of all warnings of this package: filter it to filter them all."""


class DataWarning(LrnWarning):
    """The data look wrong: negative times, placeholders, points without a maximum.

    The result is computed all the same; the message says what became of such rows.
    """


class ConvergenceWarning(LrnWarning):
    """An estimate did not converge, or the data do not determine it: do not interpret it."""


class RuleWarning(LrnWarning):
    """A rule was applied outside the conditions for which it is usually recommended."""


def warn(message: str, category: type[LrnWarning]) -> None:
    """Warn at the line outside this package that led here."""
    level = 2  # the caller of this function
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)
