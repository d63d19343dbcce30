"""Abilities at which derivatives of log-likelihoods vanish, for many persons at once."""

from __future__ import annotations

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.response_models.layout import Layout

__all__ = ["AbilityScore", "solve"]

#: Largest move of an ability at a time.
_REACH = 3.0

#: Move after which an ability counts as found: by a scoring step, which leaves a part of its own
#: length, and by a secant, which leaves about its length times that of the move before.
_SMALL, _SMALL_SECANT = 1e-7, 1e-5

#: Most evaluations, and those after which only bisection follows: the whole range takes about 40.
_ROUNDS, _PLENTY = 80, 30


class AbilityScore:
    """Derivative by ability of what is maximised, for some persons at an ability each.

    Parameters
    ----------
    layout : Layout
        Items.
    vector : array
        Their parameters.
    scores : array, shape (persons, items)
        From 0, NaN where missing.
    prior : array, (mean, SD), or None
        Normal prior of ability.
    weighted : bool
        Whether the likelihood is weighted as by Warm (1989).
    """

    def __init__(
        self,
        layout: Layout,
        vector: FloatArray,
        scores: FloatArray,
        prior: FloatArray | None,
        weighted: bool,
    ) -> None:
        self._layout = layout
        self._vector = vector
        self._known = ~np.isnan(scores.T)
        self._scores: IntArray = np.where(self._known, scores.T, 0).astype(np.intp)
        self._prior = prior
        self._weighted = weighted

    def slopes(
        self, persons: IntArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The derivative, its expected curvature, and the former's rounding error."""
        slope, information, skewness, size = np.zeros((4, len(theta)))
        for block in self._layout.blocks:
            at = np.ix_(block.items, persons)
            known = self._known[at]
            slopes, informed, skewed = block.model.by_ability(self._vector[block.at], theta)
            chosen = np.take_along_axis(slopes, self._scores[at][:, None], axis=1)[:, 0] * known
            slope += chosen.sum(axis=0)
            size += np.abs(chosen).sum(axis=0)
            information += (informed * known).sum(axis=0)
            skewness += (skewed * known).sum(axis=0)
        if self._weighted:
            slope += skewness / np.maximum(2 * information, 1e-300)
        if self._prior is not None:
            mean, sd = self._prior
            slope -= (theta - mean) / sd**2
            information += 1 / sd**2
        return slope, information, 1e-12 * size

    def observed_information(self, theta: FloatArray) -> FloatArray:
        """Minus the second derivative of log-likelihood and prior, of all persons."""
        found = np.zeros(len(theta))
        for block in self._layout.blocks:
            curved = block.model.curvature(self._vector[block.at], theta)
            own = np.take_along_axis(curved, self._scores[block.items][:, None], axis=1)[:, 0]
            found += (own * self._known[block.items]).sum(axis=0)
        return found if self._prior is None else found + 1 / self._prior[1] ** 2


def solve(persons: AbilityScore, begin: FloatArray, bound: float) -> tuple[FloatArray, FloatArray]:
    """Find where the derivative vanishes, next to where the search begins.

    Scoring steps first, secants from then on, between bounds that close in, so that a root is
    never lost.

    Parameters
    ----------
    persons : AbilityScore
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
            # A secant far from the expected curvature is due to an inflection, or rounding.
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
