"""The Rasch model by conditional likelihood: item difficulties given the persons' sums.

Given a person's sum r over the items f that it was given, the probability of the answers is
exp(Σ x_i d_i) / γ_r(f), γ the elementary symmetric functions of exp(d_i): ability drops out, and
with it any assumption about its distribution (Rasch 1960; Andersen, E. B. (1972).
doi:10.1111/j.2517-6161.1972.tb00887.x). Newton's method, on the sums of each form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray

__all__ = ["ConditionalMaximum", "maximise_conditional"]

#: Items of one form beyond which the functions of all pairs do not fit into memory.
_MOST = 250


@dataclass(frozen=True, eq=False)
class ConditionalMaximum:
    """The maximum of the conditional likelihood.

    Attributes
    ----------
    intercepts : array, shape (items,)
        Minus the difficulties; they sum to 0.
    information : array, shape (items, items)
        Observed information of all intercepts; their common level is not identified.
    loglik, distance, gradient_norm : float
        Log-likelihood; expected gain up to the maximum; largest derivative.
    iterations : int
        Steps.
    converged : bool
        Whether the maximum was reached.
    """

    intercepts: FloatArray
    information: FloatArray
    loglik: float
    distance: float
    gradient_norm: float
    iterations: int
    converged: bool


def maximise_conditional(
    right: FloatArray,
    forms: list[tuple[BoolArray, FloatArray]],
    *,
    tolerance: float,
    max_iter: int,
) -> ConditionalMaximum:
    """Estimate the items.

    Parameters
    ----------
    right : array, shape (items,)
        Persons with the score 1.
    forms : list of (array of bool, array)
        Per form, its items, and persons by sum (0 … number of items).
    tolerance : float
        Largest error of a parameter at the end [standard errors].
    max_iter : int
        Most steps.

    Examples
    --------
    >>> found = maximise_conditional(
    ...     np.array([30.0, 10.0]), [(np.array([True, True]), np.array([0.0, 40.0, 0.0]))],
    ...     tolerance=1e-6, max_iter=50)
    >>> bool(np.isclose(found.intercepts[0] - found.intercepts[1], np.log(3)))
    True
    """
    for given, _ in forms:
        if given.sum() > _MOST:
            raise MeasureError(
                f"conditional likelihood of {int(given.sum())} items: it takes at most {_MOST}; "
                'use method="MML"'
            )
    d = np.zeros(len(right))
    loglik, gradient, information = _evaluate(d, right, forms)
    gain = np.inf
    iteration = 0
    while iteration < max_iter:
        iteration += 1
        # The common level is free: a constant in every entry fixes it without changing the rest.
        anchored = information + np.trace(information) / len(d) ** 2
        try:
            step = linalg.cho_solve(linalg.cho_factor(anchored), gradient)
        except linalg.LinAlgError:
            break
        gain = 0.5 * float(step @ gradient)
        if gain < 0.5 * tolerance**2 or np.abs(d).max() > 25:
            break
        new = d
        for _ in range(30):
            new = d + step - (d + step).mean()
            result = _evaluate(new, right, forms)
            if result[0] >= loglik - 1e-10 * abs(loglik):
                break
            step = step / 2
        d, (loglik, gradient, information) = new, result
    converged = gain < 0.5 * tolerance**2 and float(np.abs(d).max()) <= 25
    worst = float(np.abs(gradient).max())
    return ConditionalMaximum(d, information, loglik, gain, worst, iteration, converged)


def _evaluate(
    d: FloatArray, right: FloatArray, forms: list[tuple[BoolArray, FloatArray]]
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, gradient and information."""
    loglik, gradient = float(right @ d), right.copy()
    information = np.zeros((len(d), len(d)))
    for given, persons in forms:
        items = np.flatnonzero(given)
        e = np.exp(d[items])
        k = len(items)
        whole = _symmetric(e, np.zeros((1, 0), dtype=np.intp))[0]
        one = _symmetric(e, np.arange(k)[:, None])
        first, second = np.triu_indices(k, 1)
        two = _symmetric(e, np.column_stack([first, second]))
        loglik -= float(persons @ np.log(whole))
        weight = persons / whole
        # A right answer leaves the sum r − 1 to the others, two of them r − 2.
        alone = e[:, None] * one[:, :k]
        share = alone @ weight[1:]
        both = e[first] * e[second] * (two[:, : k - 1] @ weight[2:])
        gradient[items] -= share
        part = np.zeros((k, k))
        part[first, second] = part[second, first] = both
        part[range(k), range(k)] = share
        part -= (alone / whole[1:] * persons[1:]) @ (alone / whole[1:]).T
        information[np.ix_(items, items)] += part
    return loglik, gradient, information


def _symmetric(e: FloatArray, without: np.ndarray) -> FloatArray:
    """Elementary symmetric functions of `e`, each row without some of its entries."""
    found = np.zeros((len(without), len(e) + 1))
    found[:, 0] = 1.0
    left_out = np.zeros((len(without), len(e)), dtype=bool)
    np.put_along_axis(left_out, without, True, axis=1)
    for place, value in enumerate(e):
        factor = np.where(left_out[:, place], 0.0, value)[:, None]
        found[:, 1 : place + 2] += factor * found[:, : place + 1]
    return found
