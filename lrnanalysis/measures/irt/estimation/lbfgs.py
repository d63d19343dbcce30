"""Steps towards a maximum, by the information and what the gradients' changes add to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import lapack

from lrnanalysis.measures._checks import BoolArray, FloatArray

__all__ = ["Steps", "carried", "inverse"]


class Steps:
    """Steps by a metric that learns from the gradients' changes (L-BFGS).

    Parameters
    ----------
    metric : array, shape (free parameters, free parameters)
        The information, or a matrix in its place.
    held : array of bool, shape (free parameters,)
        Parameters that do not move.
    """

    _MEMORY = 12

    def __init__(self, metric: FloatArray, held: BoolArray) -> None:
        self._free = ~held
        self._solve, self.definite = _solver(metric[np.ix_(self._free, self._free)])
        self._moves: list[FloatArray] = []
        self._changes: list[FloatArray] = []
        self._last: tuple[FloatArray, FloatArray] | None = None

    def step(self, gradient: FloatArray) -> FloatArray:
        """The step at a point with the gradient (two-loop recursion)."""
        if self._last is not None and self._last[0] is gradient:
            return self._last[1]
        q = gradient[self._free].copy()
        weights = []
        for move, change in zip(reversed(self._moves), reversed(self._changes), strict=True):
            weight = (move @ q) / (move @ change)
            q -= weight * change
            weights.append(weight)
        q = self._solve(q)
        pairs = zip(self._moves, self._changes, reversed(weights), strict=True)
        for move, change, weight in pairs:
            q += move * (weight - (change @ q) / (move @ change))
        step = np.zeros(len(gradient))
        step[self._free] = q
        self._last = gradient, step
        return step

    def learn(self, move: FloatArray, change: FloatArray) -> None:
        """Take in a move, and by how much the gradient fell along it."""
        move, change = move[self._free], change[self._free]
        if move @ change > 1e-10 * np.linalg.norm(move) * np.linalg.norm(change):
            self._moves.append(move)
            self._changes.append(change)
            self._last = None
            if len(self._moves) > self._MEMORY:
                del self._moves[0], self._changes[0]


def carried(
    information: FloatArray, then: FloatArray, now: FloatArray, held: BoolArray
) -> FloatArray | None:
    """The observed information at one point as a guess at that of another.

    The complete information, as if abilities were known, is cheap everywhere. With L L' the
    complete information, L⁻¹ I L⁻ᵀ is the share of it that the responses contain, and changes
    little from point to point.

    Parameters
    ----------
    information, then : array, shape (free parameters, free parameters)
        Observed and complete information at the first point.
    now : array, shape (free parameters, free parameters)
        Complete information at the second point; other persons' may do.
    held : array of bool, shape (free parameters,)
        Parameters that do not move; their rows and columns are those of `now`.

    Returns
    -------
    array, or None
        None where a complete information is not positive definite.

    Examples
    --------
    >>> carried(np.eye(2) * 3, np.eye(2) * 4, np.eye(2) * 8, np.array([False, False]))
    array([[6., 0.],
           [0., 6.]])
    """
    own = np.ix_(~held, ~held)
    old, wrong = lapack.dpotrf(then[own], lower=True, clean=True)
    new, wrong_too = lapack.dpotrf(now[own], lower=True, clean=True)
    if wrong or wrong_too or not np.isfinite(new).all():
        return None
    move = lapack.dtrtrs(old, new.T, lower=True, trans=True)[0].T
    found = now.copy()
    found[own] = move @ information[own] @ move.T
    return found


def inverse(information: FloatArray) -> FloatArray | None:
    """Inverse of a symmetric matrix; None where it is not positive definite.

    Examples
    --------
    >>> inverse(np.array([[2.0, 0.0], [0.0, 4.0]]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    >>> inverse(-np.eye(2)) is None
    True
    """
    if not len(information):
        return information
    # NaN passes through a factorisation unnoticed.
    factor, wrong = lapack.dpotrf(information, lower=True, clean=True)
    if wrong or not np.isfinite(factor).all():
        return None
    found, _ = lapack.dpotri(factor, lower=True)
    return np.asarray(found + np.tril(found, -1).T)


def _solver(metric: FloatArray) -> tuple[Callable[[FloatArray], FloatArray], bool]:
    """Solution of metric · x = g; with a metric made definite where it is not."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(metric)), 1e-300))
    scaled = metric / scale / scale[:, None]
    factor, wrong = lapack.dpotrf(scaled, lower=True)
    if not wrong and np.diag(factor).min() > 1e-6 and np.isfinite(factor).all():
        return (lambda g: lapack.dpotrs(factor, g / scale, lower=True)[0] / scale), True
    values, vectors = np.linalg.eigh(scaled)
    values = np.maximum(np.abs(values), 1e-2)
    return (lambda g: (vectors @ ((vectors.T @ (g / scale)) / values)) / scale), False
