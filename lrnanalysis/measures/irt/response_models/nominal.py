"""The nominal family: P(k) ∝ exp(a_k θ + d_k), a_0 = d_0 = 0.

Two scores make the Rasch, 1PL and 2PL models; a_k = k the PCM and RSM; a_k = k a the GPCM; free
a_k the NRM. Rasch, G. (1960). Birnbaum, A. (1968), in Lord & Novick, Statistical theories of mental
test scores. Bock, R. D. (1972). doi:10.1007/BF02291411. Andrich, D. (1978).
doi:10.1007/BF02293814. Masters, G. N. (1982). doi:10.1007/BF02296272. Muraki, E. (1992).
doi:10.1177/014662169201600206.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.response_models.response_model import (
    SPREAD,
    FreeParameter,
    ResponseModel,
)

__all__ = ["Nominal"]


class Nominal(ResponseModel):
    """Rasch, 1PL, 2PL, PCM, RSM, GPCM and NRM items; parameters a_1 … a_m, d_1 … d_m."""

    exponential_family: ClassVar[bool] = True

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        if self.steps == 1:
            return "a", "d"
        return tuple(f"{letter}{k}" for letter in "ad" for k in range(1, self.steps + 1))

    @property
    def partial_credit(self) -> bool:
        return self.name not in ("Rasch", "1PL", "2PL")

    @property
    def unit_slope(self) -> bool:
        return self.name in ("Rasch", "PCM", "RSM")

    @property
    def has_locations(self) -> bool:
        # Else every score has a slope of its own; with locations, a_k = k a.
        return self.name != "NRM" or self.steps == 1

    @property
    def reported(self) -> dict[str, int]:
        found = super().reported
        if not self.has_locations:
            return found
        return {"a": 0} | {name: place for name, place in found.items() if name[0] == "d"}

    @property
    def slope_of(self) -> tuple[int, ...]:
        return (-1,) * self.steps + tuple(range(self.steps))

    @property
    def location_differences(self) -> FloatArray:
        # Adjacent scores are equally likely at b_k = −(d_k − d_{k−1}) / a.
        return np.eye(self.steps) - np.eye(self.steps, k=-1)

    def free_parameters(self, fixed: Mapping[str, float]) -> list[FreeParameter]:
        m, found = self.steps, super().free_parameters(fixed)
        slopes = [own for own in found if own.name[0] == "a"]
        intercepts = [own for own in found if own.name[0] == "d"]
        if self.has_locations:
            factors = {k: k + 1.0 for k in range(m)}
            slopes = [FreeParameter("a", factors, shared=self.name == "1PL")]
            if self.unit_slope or "a" in fixed:
                slopes = []
        if self.name == "RSM" and len(intercepts) == m > 1:
            # d_k = k d + t_k: a location, and distances of the thresholds that items share.
            location = FreeParameter("d", {m + k: k + 1.0 for k in range(m)})
            distances = [
                FreeParameter(f"t{k + 1}/{m}", {m + k: 1.0}, shared=True) for k in range(m - 1)
            ]
            intercepts = [location, *distances]
        return slopes + intercepts

    def constants(self, fixed: Mapping[str, float]) -> FloatArray:
        found = super().constants(fixed)
        if self.has_locations:
            slope = fixed.get("a", 1.0 if self.unit_slope else 0.0)
            found[: self.steps] = slope * np.arange(1, self.steps + 1)
        return found

    def start_values(self, shares: FloatArray, asymptotes: Mapping[str, float]) -> FloatArray:
        unit = 1.0 if self.unit_slope else 1 / np.sqrt(self.steps)
        slopes = unit * np.arange(1, self.steps + 1)
        return np.concatenate([slopes, np.log(shares[1:] / shares[0]) * SPREAD])

    def probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        if self.steps == 1:
            right = special.expit(p[:, :1] * theta + p[:, 1:])
            return np.stack([1 - right, right], axis=1)
        z = self._logits(p, theta)
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)
        return z

    def log_probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.steps == 1:
                z = p[:, :1] * theta + p[:, 1:]
                wrong = -np.maximum(z, 0.0) - np.log(1 + np.exp(-np.abs(z)))
                return np.stack([wrong, wrong + z], axis=1)
            z = self._logits(p, theta)
            z -= z.max(axis=1, keepdims=True)
            z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
            return z

    def _logits(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        """a_k θ + d_k, the first 0, shape (items, scores, θ)."""
        m = self.steps
        z = np.zeros((len(p), m + 1, len(theta)))
        z[:, 1:] = p[:, :m, None] * theta + p[:, m:, None]
        return z

    def slopes(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        curve = self.probabilities(p, theta)
        by_d = np.eye(self.steps + 1)[1:, :, None] - curve[:, 1:, None, :]
        return np.concatenate([by_d * theta, by_d], axis=1)

    def observed_information(
        self, p: FloatArray, theta: FloatArray, counts: FloatArray
    ) -> FloatArray:
        m = self.steps
        persons = counts.sum(axis=1)
        upper = self.probabilities(p, theta)[:, 1:]
        found: FloatArray = np.empty((len(p), 2 * m, 2 * m))
        for row, power in ((0, 1), (1, 0)):
            for column, other in ((0, 1), (1, 0)):
                weighted = persons * theta ** (power + other)
                part = -np.einsum("ikq,ilq,iq->ikl", upper, upper, weighted, optimize=True)
                part[:, range(m), range(m)] += np.einsum("ikq,iq->ik", upper, weighted)
                rows = slice(row * m, (row + 1) * m)
                found[:, rows, column * m : (column + 1) * m] = part
        return found

    def by_ability(
        self, p: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        if self.steps == 1:
            a, z = p[:, :1], p[:, :1] * theta + p[:, 1:]
            right, wrong = special.expit(z), special.expit(-z)
            information = a**2 * right * wrong
            slopes = np.stack([-a * right, a * wrong], axis=1)
            return slopes, information, a * information * (wrong - right)
        curve = self.probabilities(p, theta)
        a = np.concatenate([np.zeros((len(p), 1)), p[:, : self.steps]], axis=1)[:, :, None]
        slopes = a - (a * curve).sum(axis=1, keepdims=True)
        squares = curve * slopes**2
        return slopes, squares.sum(axis=1), (squares * slopes).sum(axis=1)

    def curvature(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        # The normalising sum alone is curved: the same for all scores, and so what is expected.
        information = self.by_ability(p, theta)[1]
        return np.repeat(information[:, None], self.steps + 1, axis=1)
