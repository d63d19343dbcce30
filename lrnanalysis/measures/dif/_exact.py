"""Exact conditional bound of a common odds ratio whose estimate is infinite."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

from lrnanalysis.measures._checks import FloatArray

__all__ = ["lower_log_odds"]


def lower_log_odds(right: FloatArray, wrong: FloatArray, level: float) -> float:
    """Lower confidence bound of the logarithm of an infinite common odds ratio.

    Given the margins of all strata, the bound is the odds ratio at which the table observed, the
    most extreme there is, has the probability `level` (Gart 1970, doi:10.1093/biomet/57.3.471;
    R's ``mantelhaen.test(exact = TRUE)``).

    Parameters
    ----------
    right, wrong : array, shape (2, strata)
        Persons of both groups; in every stratum nobody of the first is wrong or nobody of the
        second right.
    level : float
        One-sided level.

    Examples
    --------
    >>> right, wrong = np.array([[3.0], [0.0]]), np.array([[0.0], [3.0]])
    >>> round(lower_log_odds(right, wrong, 0.025), 4)
    -0.4339
    """
    # Right answers of the first group, by how many fewer they could be with the same margins.
    most = np.minimum(right[0], wrong[1]).astype(np.intp)
    starts = np.concatenate([[0], np.cumsum(most + 1)[:-1]])
    fewer = np.arange(int((most + 1).sum())) - np.repeat(starts, most + 1)
    weights = np.zeros(len(fewer))
    for count, sign in ((right[0], -1), (wrong[0], 1), (right[1], 1), (wrong[1], -1)):
        weights -= special.gammaln(np.repeat(count, most + 1) + sign * fewer + 1)
        weights += special.gammaln(np.repeat(count, most + 1) + 1)

    def excess(log_odds: float) -> float:
        observed = -np.logaddexp.reduceat(weights - fewer * log_odds, starts).sum()
        return float(observed - np.log(level))

    low, high = -1.0, 1.0
    while excess(low) > 0:
        low *= 2
    while excess(high) < 0:
        high *= 2
    return float(optimize.brentq(excess, low, high))
