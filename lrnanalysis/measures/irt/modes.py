"""Abilities at which derivatives of log-likelihoods vanish, for many persons at once."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.models import Layout

__all__ = ["Direct", "Tabulated", "Target", "solve", "tabulate"]

#: Distance of the abilities at which curves of the test are tabulated. Cubics between them err by
#: less than 1e-8 of ability as long as slopes stay below 8.
_STEP = 0.01

#: Largest move of an ability at a time.
_REACH = 3.0

#: Move after which an ability counts as found: by a scoring step, which leaves a part of its own
#: length, and by a secant, which leaves about its length times that of the move before.
_SMALL, _SMALL_SECANT = 1e-7, 1e-5

#: Most evaluations, and those after which only bisection goes on: the whole range takes about 40.
_ROUNDS, _PLENTY = 80, 30


class Target:
    """What is maximised: the likelihood alone, weighted, or with a normal prior.

    Parameters
    ----------
    prior : (mean, SD) or None
        Of ability.
    weighted : bool
        Whether the likelihood is weighted as by Warm (1989).
    """

    def __init__(self, prior: FloatArray | None, weighted: bool) -> None:
        self._prior = prior
        self._weighted = weighted

    def slope(
        self, own: FloatArray, information: FloatArray, skewness: FloatArray, theta: FloatArray
    ) -> FloatArray:
        """Derivative of its logarithm, from that of the likelihood."""
        if self._weighted:
            own = own + skewness / np.maximum(2 * information, 1e-300)
        if self._prior is not None:
            own = own - (theta - self._prior[0]) / self._prior[1] ** 2
        return own

    def curvature(self, information: FloatArray) -> FloatArray:
        """Expected information with that of the prior."""
        more = 0.0 if self._prior is None else 1 / float(self._prior[1]) ** 2
        return information + more


class _Persons(Protocol):
    """Derivatives for some persons at an ability each."""

    def slopes(
        self, persons: IntArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Derivative of the target, its expected curvature, and the former's rounding error."""
        ...


def tabulate(layout: Layout, raw: FloatArray, bound: float) -> FloatArray:
    """Curves of items of one scalar: expected slope, information, skewness.

    Returns
    -------
    array, shape (3, items, abilities)
        At abilities a little beyond ±bound.
    """
    theta = _nodes(bound)
    found = np.empty((3, len(layout.models), len(theta)))
    for block in layout.blocks:
        slopes, information, skewness = block.by_theta(raw, theta)
        found[0, block.items] = -slopes[:, 0]
        found[1, block.items], found[2, block.items] = information, skewness
    return found


def _nodes(bound: float) -> FloatArray:
    count = int(np.ceil(bound / _STEP)) + 2
    return _STEP * np.arange(-count, count + 1, dtype=np.float64)


class Tabulated:
    """Persons with the same items, their likelihoods through one scalar.

    Parameters
    ----------
    s : array, shape (persons,)
        The scalar: sum of the slopes of the scores taken.
    curves : array, shape (3, abilities)
        Sums over the items of the curves that `tabulate` gives.
    bound : float
        As for `tabulate`.
    target : Target
        What is maximised.
    """

    def __init__(self, s: FloatArray, curves: FloatArray, bound: float, target: Target) -> None:
        theta = _nodes(bound)
        expected, information, skewness = curves
        self._s = s
        self._low = theta[0]
        self._slope = target.slope(-expected, information, skewness, theta)
        self._curvature = target.curvature(information)
        self._noise = 1e-12 * float(np.abs(expected).max())

    def slopes(
        self, persons: IntArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """See `_Persons`."""
        u = (theta - self._low) * (1 / _STEP)
        first = u.astype(np.intp)
        f = u - first
        g, h = f - 1, f - 2
        gh, ff = g * h, f * (f + 1)
        weights = (f * gh / -6, (f + 1) * gh / 2, ff * h / -2, ff * g / 6)
        slope, curvature = self._s[persons], np.zeros(len(theta))
        for place, weight in enumerate(weights, start=-1):
            slope = slope + weight * self._slope[first + place]
            curvature += weight * self._curvature[first + place]
        return slope, curvature, np.full(len(theta), self._noise)


class Direct:
    """Any persons, their likelihoods item by item.

    Parameters
    ----------
    layout : Layout
        Items.
    raw : array
        Their parameters.
    scores : array, shape (persons, items)
        From 0, NaN where missing.
    target : Target
        What is maximised.
    """

    def __init__(self, layout: Layout, raw: FloatArray, scores: FloatArray, target: Target) -> None:
        self._layout = layout
        self._raw = raw
        self._there = ~np.isnan(scores.T)
        self._scores: IntArray = np.where(self._there, scores.T, 0).astype(np.intp)
        self._target = target

    def slopes(
        self, persons: IntArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """See `_Persons`."""
        own, information, skewness, size = np.zeros((4, len(theta)))
        for block in self._layout.blocks:
            at = np.ix_(block.items, persons)
            there = self._there[at]
            slopes, informed, skewed = block.by_theta(self._raw, theta)
            chosen = np.take_along_axis(slopes, self._scores[at][:, None], axis=1)[:, 0] * there
            own += chosen.sum(axis=0)
            size += np.abs(chosen).sum(axis=0)
            information += (informed * there).sum(axis=0)
            skewness += (skewed * there).sum(axis=0)
        slope = self._target.slope(own, information, skewness, theta)
        return slope, self._target.curvature(information), 1e-12 * size


def solve(persons: _Persons, begin: FloatArray, bound: float) -> tuple[FloatArray, FloatArray]:
    """Find where the derivative vanishes, next to where the search begins.

    Scoring steps first, secants from then on, between bounds that close in, so that a root is
    never lost.

    Parameters
    ----------
    persons : Tabulated or Direct
        The persons.
    begin : array, shape (persons,)
        Where to begin.
    bound : float
        Abilities are sought between −bound and bound.

    Returns
    -------
    (abilities, curvatures)
        An ability is ±∞ where what is maximised still rises at the bound.
    """
    found = np.clip(begin, -bound, bound)
    curved = np.zeros(len(found))
    active: IntArray = np.arange(len(found))
    theta = found.copy()
    low, high = np.full(len(theta), -np.inf), np.full(len(theta), np.inf)
    last, before = np.full(len(theta), np.nan), np.full(len(theta), np.nan)
    for round_ in range(_ROUNDS):
        slope, curvature, noise = persons.slopes(active, theta)
        # Still rising at a bound, or as good as level: there is no root before infinity.
        over = (np.abs(theta) >= bound) & (np.sign(theta) * slope >= -noise)
        low = np.where(slope >= 0, np.maximum(low, theta), low)
        high = np.where(slope <= 0, np.minimum(high, theta), high)
        with np.errstate(invalid="ignore", divide="ignore"):
            secant = (before - slope) / (theta - last)
            # A secant far from the expected curvature has met a bend, or rounding.
            fair = (secant > 0.02 * curvature) & (secant < 5 * curvature)
        move = slope / np.maximum(np.where(fair, secant, curvature), 1e-12)
        new = np.clip(theta + np.clip(move, -_REACH, _REACH), -bound, bound)
        with np.errstate(invalid="ignore"):
            lost = (new < low) | (new > high) | (round_ >= _PLENTY)
            new = np.where(lost, (np.maximum(low, -bound) + np.minimum(high, bound)) / 2, new)
        done = over | (np.abs(new - theta) < np.where(fair, _SMALL_SECANT, _SMALL))
        found[active[done]] = np.where(over, np.sign(theta) * np.inf, new)[done]
        curved[active[done]] = curvature[done]
        if done.all():
            return found, curved
        kept = ~done
        active, last, before = active[kept], theta[kept], slope[kept]
        theta, low, high = new[kept], low[kept], high[kept]
    found[active], curved[active] = theta, curvature[kept]
    return found, curved
