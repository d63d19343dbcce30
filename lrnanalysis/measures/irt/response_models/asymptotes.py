"""The family with asymptotes: P(1) = c + (u − c) σ(a θ + d), the 3PL (u = 1) and the 4PL.

Birnbaum, A. (1968), in Lord & Novick, Statistical theories of mental test scores. Barton, M. A. &
Lord, F. M. (1981). doi:10.1002/j.2333-8504.1981.tb01255.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.response_models.response_model import SPREAD, ResponseModel

__all__ = ["Asymptotes"]


class Asymptotes(ResponseModel):
    """3PL and 4PL items; parameters a, d, logit c, and in the 4PL logit u."""

    min_persons: ClassVar[int] = 250

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return ("a", "d", "c", "u") if self.name == "4PL" else ("a", "d", "c")

    @property
    def partial_credit(self) -> bool:
        return False

    def start_values(self, shares: FloatArray, asymptotes: Mapping[str, float]) -> FloatArray:
        limits = [asymptotes[name] for name in self.parameters[2:]]
        low, high = (*limits, 1.0)[:2]
        right = np.clip((shares[1] - low) / (high - low), 0.05, 0.95)
        intercept = np.log(right / (1 - right)) * SPREAD
        return np.array([1.0, intercept, *special.logit(limits)])

    def probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        c, u, s, rest = _curves(p, theta)
        return np.stack([(1 - u) + (u - c) * rest, c + (u - c) * s], axis=1)

    def slopes(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        wrong, right, first, _ = _derivatives(p, theta)
        return np.stack([-first / wrong[:, None], first / right[:, None]], axis=2)

    def observed_information(
        self, p: FloatArray, theta: FloatArray, counts: FloatArray
    ) -> FloatArray:
        wrong, right, first, second = _derivatives(p, theta)
        once = counts[:, 1] / right - counts[:, 0] / wrong
        square = counts[:, 1] / right**2 + counts[:, 0] / wrong**2
        found = np.einsum("ipq,irq,iq->ipr", first, first, square, optimize=True)
        found -= np.einsum("iprq,iq->ipr", second, once)
        return np.asarray(found)

    def by_ability(
        self, p: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        a = p[:, :1]
        c, u, s, rest = _curves(p, theta)
        right, wrong = c + (u - c) * s, (1 - u) + (u - c) * rest
        first = a * (u - c) * s * rest
        second = a * first * (rest - s)
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes = np.nan_to_num(np.stack([-first / wrong, first / right], axis=1))
        spread = slopes[:, 1] - slopes[:, 0]
        return slopes, first * spread, second * spread

    def curvature(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        a = p[:, :1]
        c, u, s, rest = _curves(p, theta)
        right, wrong = c + (u - c) * s, (1 - u) + (u - c) * rest
        first = a * (u - c) * s * rest
        second = a * first * (rest - s)
        with np.errstate(invalid="ignore", divide="ignore"):
            by_score = (first / wrong) ** 2 + second / wrong, (first / right) ** 2 - second / right
        return np.nan_to_num(np.stack(by_score, axis=1))


def _curves(
    p: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """c, u, σ and 1 − σ, the last without cancellation."""
    c = np.asarray(special.expit(p[:, 2:3]))
    u = np.asarray(special.expit(p[:, 3:4])) if p.shape[1] == 4 else np.ones_like(c)
    z = p[:, :1] * theta + p[:, 1:2]
    return c, u, np.asarray(special.expit(z)), np.asarray(special.expit(-z))


def _derivatives(
    p: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """P(0), P(1), the latter's gradient (items, parameters, θ) and its second derivatives."""
    size = p.shape[1]
    c, u, s, rest = _curves(p, theta)
    # Kept above 0, so that quotients are finite far from steep curves, where nobody is.
    right = np.maximum(c + (u - c) * s, 1e-150)
    wrong = np.maximum((1 - u) + (u - c) * rest, 1e-150)
    slope = (u - c) * s * rest
    by_c, by_u = c * (1 - c), u * (1 - u)
    first = np.stack([slope * theta, slope, by_c * rest, by_u * s][:size], axis=1)
    second = np.zeros((len(p), size, size, len(theta)))
    by_logit = slope * (rest - s)
    second[:, 0, 0] = by_logit * theta**2
    second[:, 0, 1] = second[:, 1, 0] = by_logit * theta
    second[:, 1, 1] = by_logit
    for place, change in ((2, -by_c), (3, by_u))[: size - 2]:
        mixed = change * s * rest
        second[:, 0, place] = second[:, place, 0] = mixed * theta
        second[:, 1, place] = second[:, place, 1] = mixed
    second[:, 2, 2] = by_c * (1 - 2 * c) * rest
    if size == 4:
        second[:, 3, 3] = by_u * (1 - 2 * u) * s
    return wrong, right, first, second
