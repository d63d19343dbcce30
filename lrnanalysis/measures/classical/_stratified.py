"""Reliability of a total over strata of items, from their covariances."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrnanalysis.measures._checks import FloatArray, label_text
from lrnanalysis.measures.classical._covariance_structure import error_variance, total_variance

__all__ = ["Stratum", "across_strata", "strata_of", "weight_note", "why_not_stratified"]


class Stratum(NamedTuple):
    """Items that are alike.

    Attributes
    ----------
    label : str
        Name of the stratum.
    items : int
        Number of items that vary.
    variance, error : float
        Variance of the sum of the items [points²], and how much of it is error; the error is NaN
        where one item is alone and no reliability is given.
    given : bool
        Whether the reliability is given, and not the items' alpha.
    """

    label: str
    items: int
    variance: float
    error: float
    given: bool

    @property
    def reliability(self) -> float:
        """1 − error / variance; NaN without variance."""
        return 1 - self.error / self.variance if self.variance > 0 else np.nan


def strata_of(
    covariance: FloatArray,
    stratum: npt.NDArray[np.intp],
    names: Sequence[Hashable],
    given: FloatArray | None = None,
) -> list[Stratum]:
    """The strata that have items, in the order of their names.

    Parameters
    ----------
    covariance : array, shape (items, items)
        Covariances [points²].
    stratum : array of int, shape (items,)
        Position of each item's stratum in `names`.
    names : sequence, shape (strata,)
        The strata.
    given : array, shape (strata,), optional
        Reliabilities that are known, NaN where the items' alpha is to be taken.
    """
    found = []
    for code in np.unique(stratum):
        own = stratum == code
        block = covariance[np.ix_(own, own)]
        variance = float(block.sum())
        known = np.nan if given is None else float(given[code])
        error = error_variance(block) if np.isnan(known) else variance * (1 - known)
        found.append(
            Stratum(label_text(names[code]), len(block), variance, error, not np.isnan(known))
        )
    return found


def across_strata(covariance: FloatArray, strata: Sequence[Stratum]) -> float:
    """1 − Σ errors of the strata / variance of the total."""
    return 1 - sum(one.error for one in strata) / total_variance(covariance)


def why_not_stratified(strata: Sequence[Stratum]) -> str:
    """The strata of one item, whose reliability is not known; empty where there is none."""
    lone = [one.label for one in strata if np.isnan(one.error)]
    if not lone:
        return ""
    return (
        f"one item is alone in stratum {', '.join(lone)} and has no alpha: pass its reliability to "
        "stratified_alpha (reliabilities=), or strata= that put it with items that are like it"
    )


def weight_note(highest: FloatArray) -> str:
    """Why alpha is no bound worth having, where items are worth different numbers of points."""
    low, high = float(highest.min()), float(highest.max())
    if low == high:
        return ""
    return (
        f"items are worth {low:g} to {high:g} points: alpha is a lower bound of the reliability, "
        "the lower the more they differ; see stratified_alpha"
    )
