"""The graded response model: P(X ≥ k) = σ(a θ + d_k), d_1 > d_2 > ….

A score's probability is σ(u) − σ(v), u and v the logits above and below it, ∞ and −∞ at the ends;
it is computed as σ(u) σ(−v) (1 − exp(v − u)), in which nothing cancels. Samejima, F. (1969).
doi:10.1007/BF03372160.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.response_models.response_model import SPREAD, ResponseModel

__all__ = ["Graded"]


class Graded(ResponseModel):
    """GRM items with more than two scores; parameters a, d_1 … d_m."""

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return "a", *(f"d{k}" for k in range(1, self.steps + 1))

    def start_values(self, shares: FloatArray, asymptotes: Mapping[str, float]) -> FloatArray:
        above = np.cumsum(shares[::-1])[::-1][1:]
        return np.concatenate([[1.0], np.log(above / (1 - above)) * SPREAD])

    def probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        over, under, gaps = _cumulative(p, theta)
        return over[:, :-1] * under[:, 1:] * gaps

    def log_probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            z = p[:, :1, None] * theta + p[:, 1:, None]
            found = np.zeros((len(p), self.steps + 1, len(theta)))
            found[:, 1:] = np.minimum(z, 0.0) - np.log(1 + np.exp(-np.abs(z)))
            found[:, :-1] += found[:, 1:] - z
            found[:, 1:-1] += np.log(_inner_gaps(p))
            return found

    def slopes(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        above, below = _slopes(*_cumulative(p, theta))
        m = self.steps
        found = np.zeros((len(p), m + 1, m + 1, len(theta)))
        found[:, 0] = (above + below) * theta
        k = np.arange(m)
        found[:, k + 1, k + 1] = above[:, 1:]
        found[:, k + 1, k] = below[:, :-1]
        return found

    def gradient(self, p: FloatArray, theta: FloatArray, counts: FloatArray) -> FloatArray:
        above, below = _slopes(*_cumulative(p, theta))
        upward, downward = counts * above, counts * below
        by_d = upward[:, 1:].sum(axis=2) + downward[:, :-1].sum(axis=2)
        by_a = (upward + downward).sum(axis=1) @ theta
        return np.concatenate([by_a[:, None], by_d], axis=1)

    def expected_information(
        self, p: FloatArray, theta: FloatArray, persons: FloatArray
    ) -> FloatArray:
        over, under, gaps = _cumulative(p, theta)
        above, below = _slopes(over, under, gaps)
        counts = over[:, :-1] * under[:, 1:] * gaps * persons[:, None]
        return _squares(theta, counts * above**2, counts * below**2, counts * above * below)

    def observed_information(
        self, p: FloatArray, theta: FloatArray, counts: FloatArray
    ) -> FloatArray:
        over, under, gaps = _cumulative(p, theta)
        above, below = _slopes(over, under, gaps)
        tilt = under - over
        uu = above**2 - above * tilt[:, :-1]
        vv = below**2 - below * tilt[:, 1:]
        return _squares(theta, counts * uu, counts * vv, counts * above * below)

    def by_ability(
        self, p: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        over, under, gaps = _cumulative(p, theta)
        a = p[:, 0, None, None]
        # Of log(F(u) − F(l)) by a common shift, F logistic: no differences that cancel.
        slopes = a * (under[:, :-1] - over[:, 1:])
        spread = over * under
        second = -(a**2) * (spread[:, :-1] + spread[:, 1:])
        first = over[:, :-1] * under[:, 1:] * gaps * slopes
        return slopes, (first * slopes).sum(axis=1), (first * (slopes**2 + second)).sum(axis=1)

    def curvature(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        over, under, _ = _cumulative(p, theta)
        spread = over * under
        return np.asarray(p[:, 0, None, None] ** 2 * (spread[:, :-1] + spread[:, 1:]))


def _cumulative(p: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(X ≥ k) and P(X < k) for k = 0 … m + 1, and 1 − exp(v − u) of every score."""
    z = p[:, :1, None] * theta + p[:, 1:, None]
    over, under = np.zeros((2, len(p), z.shape[1] + 2, len(theta)))
    over[:, 0] = under[:, -1] = 1.0
    # Kept above 0, so that quotients are finite far from steep thresholds, where nobody is.
    over[:, 1:-1] = np.maximum(special.expit(z), 1e-300)
    under[:, 1:-1] = np.maximum(special.expit(-z), 1e-300)
    gaps = np.ones((len(p), z.shape[1] + 1, 1))
    gaps[:, 1:-1] = _inner_gaps(p)
    return over, under, gaps


def _inner_gaps(p: FloatArray) -> FloatArray:
    """1 − exp(v − u) of the scores between the lowest and the highest, whatever θ is."""
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(np.diff(p[:, 1:], axis=1)))[:, :, None]


def _slopes(over: FloatArray, under: FloatArray, gaps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives of log P(X = k) by the logits above and below; 0 at the ends."""
    above, below = under[:, :-1].copy(), -over[:, 1:]
    above[:, 1:-1] /= under[:, 2:-1] * gaps[:, 1:-1]
    below[:, 1:-1] /= over[:, 1:-2] * gaps[:, 1:-1]
    return above, below


def _squares(theta: FloatArray, uu: FloatArray, vv: FloatArray, uv: FloatArray) -> FloatArray:
    """Sums over scores and θ of a form in the changes of the logits above and below a score.

    Parameters
    ----------
    theta : array, shape (θ,)
    uu, vv, uv : array, shape (items, scores, θ)
        Its coefficients: of the logit above squared, the one below squared, and their product.

    Returns
    -------
    array, shape (items, parameters, parameters)
        The form in a, d_1 … d_m.
    """
    m = uu.shape[1] - 1
    found = np.zeros((len(uu), m + 1, m + 1))
    found[:, 0, 0] = (uu + vv + 2 * uv).sum(axis=1) @ theta**2
    found[:, 0, 1:] = found[:, 1:, 0] = (uu + uv)[:, 1:] @ theta + (vv + uv)[:, :-1] @ theta
    k = np.arange(1, m + 1)
    found[:, k, k] = uu[:, 1:].sum(axis=2) + vv[:, :-1].sum(axis=2)
    between = uv[:, 1:-1].sum(axis=2)
    found[:, k[:-1], k[1:]] = found[:, k[1:], k[:-1]] = between
    return found
