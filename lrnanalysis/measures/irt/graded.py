"""Curves of the graded response model: P(X ≥ k) = σ(a θ + d_k), d_1 > d_2 > ….

A score's probability is σ(u) − σ(v), u and v the logits above and below it, ∞ and −∞ at the ends;
it is computed as σ(u) σ(−v) (1 − exp(v − u)), in which nothing cancels.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray

__all__ = ["bounds", "gap", "inner_gaps", "slopes", "squares"]


def bounds(p: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Logits of P(X ≥ k) and of P(X ≥ k + 1) for every score k; ±∞ at the ends."""
    z = p[:, :1, None] * theta + p[:, 1:, None]
    ends = np.full((len(p), 1, len(theta)), np.inf)
    return np.concatenate([ends, z], axis=1), np.concatenate([z, -ends], axis=1)


def gap(upper: FloatArray, lower: FloatArray) -> FloatArray:
    """1 − exp(lower − upper): what is left of P(X = k) without cancellation."""
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(lower - upper))


def inner_gaps(p: FloatArray) -> FloatArray:
    """`gap` of the scores between the lowest and the highest, which does not depend on θ."""
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(np.diff(p[:, 1:], axis=1)))[:, :, None]


def slopes(p: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives of log P(X = k) by the logits above and below; 0 at the ends."""
    z = p[:, :1, None] * theta + p[:, 1:, None]
    over, under = special.expit(z), special.expit(-z)
    above = np.zeros((len(p), z.shape[1] + 1, len(theta)))
    below = np.zeros_like(above)
    above[:, 1:] = under
    below[:, :-1] = -over
    gaps = inner_gaps(p)
    above[:, 1:-1] /= under[:, 1:] * gaps
    below[:, 1:-1] /= over[:, :-1] * gaps
    return above, below


def squares(theta: FloatArray, uu: FloatArray, vv: FloatArray, uv: FloatArray) -> FloatArray:
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
