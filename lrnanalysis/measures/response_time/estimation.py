"""Maximum likelihood of the lognormal response-time model.

y_ij = ln t_ij ~ N(β_i − τ_j, σ_i²) with τ_j ~ N(0, s²), so that a person's log times are normal
with covariance diag(σ²) + s² 11'. With a_i = 1/σ_i² everything follows from the weighted sums
c_j = Σ a_i and r_j = Σ a_i (y_ij − β_i) over the items that person j was timed on:

    v_j = 1 / (1/s² + c_j),   m_j = E(τ_j | y_j) = −v_j r_j,
    log L_j = −½ [Σ ln(2πσ_i²) + ln(1 + s² c_j) + Σ a_i (y_ij − β_i)² − v_j r_j²].

EM in closed form, expanded by a free mean of τ that is absorbed into β (PX-EM; Liu, C., Rubin,
D. B., & Wu, Y. N. (1998). Biometrika, 85(4), 755-770), since plain EM is slow there, and with
Anderson acceleration. An accelerated step that lowers the likelihood is undone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.response_time.log_times import (
    LogTimes,
    SpeedMoments,
    TimeParameters,
)

__all__ = ["LognormalEstimate", "fit"]

#: Variances may not fall below this share of the log times' variance.
_FLOOR = 1e-8

#: A variance below this share counts as 0, which EM approaches slowly.
_ZERO = 1e-6

#: Number of previous steps that the acceleration uses.
_MEMORY = 6


@dataclass(frozen=True, eq=False)
class LognormalEstimate:
    """Parameters at the maximum, and how it was found.

    Attributes
    ----------
    parameters : TimeParameters
        The maximum.
    loglik : float
        Log-likelihood of the log times.
    iterations : int
        Passes over the data.
    converged : bool
        Whether the last step was below the tolerance.
    at_bound : bool
        Whether a variance is estimated as 0.
    """

    parameters: TimeParameters
    loglik: float
    iterations: int
    converged: bool
    at_bound: bool


def fit(data: LogTimes, *, tolerance: float, max_iter: int) -> LognormalEstimate:
    """Maximise the likelihood.

    Parameters
    ----------
    data : LogTimes
        The centred log times.
    tolerance : float
        Converged when no parameter changes by more: β in SDs of the item's ln t, ln σ², ln s².
    max_iter : int
        Maximum number of passes over the data.
    """
    scale = np.sqrt(data.variance + 1e-3 * data.variance.mean())
    floor = _FLOOR * data.variance.mean()
    constant = data.n * data.variance

    def pack(parameters: TimeParameters) -> FloatArray:
        logs = np.log(np.append(parameters.sigma2, parameters.s2))
        return np.concatenate([parameters.beta / scale, logs])

    def unpack(theta: FloatArray) -> TimeParameters:
        items = len(scale)
        variances = np.maximum(np.exp(theta[items:]), floor)
        return TimeParameters(theta[:items] * scale, variances[:-1], float(variances[-1]))

    def maximise(found: SpeedMoments) -> FloatArray:
        beta = found.speeds / data.n
        sigma2 = (constant + 2 * found.products + found.squares) / data.n - beta**2
        s2 = found.mean_square - found.mean**2
        return pack(TimeParameters(beta - found.mean, np.maximum(sigma2, floor), max(s2, floor)))

    history = _Anderson(_MEMORY)
    start = _moments(data)
    theta, found = pack(start), data.expect(start)
    image = maximise(found)
    converged = False
    passes = 1
    while passes < max_iter:
        if float(np.abs(image - theta).max()) < tolerance:
            converged = True
            break
        new = history.step(theta, image)
        new_found = data.expect(unpack(new))
        passes += 1
        if not new_found.loglik >= found.loglik - 1e-12 * abs(found.loglik):
            # A plain EM step never lowers the likelihood.
            history.forget()
            new = image
            new_found = data.expect(unpack(new))
            passes += 1
        theta, found = new, new_found
        image = maximise(found)
    parameters = unpack(theta)
    smallest = min(float(parameters.sigma2.min()), parameters.s2)
    return LognormalEstimate(
        parameters, found.loglik, passes, converged, smallest < _ZERO * data.variance.mean()
    )


def _moments(data: LogTimes) -> TimeParameters:
    """Start values: half of the smaller variances is due to speed, the rest to the item."""
    s2 = 0.5 * float(np.quantile(data.variance, 0.25))
    s2 = max(s2, 0.01 * float(data.variance.mean()))
    sigma2 = np.maximum(data.variance - s2, 0.3 * data.variance.mean())
    return TimeParameters(np.zeros(len(data.n)), sigma2, s2)


class _Anderson:
    """Anderson acceleration of a fixed-point map (type II, least squares over past steps)."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._points: list[FloatArray] = []
        self._residuals: list[FloatArray] = []

    def forget(self) -> None:
        """Start again from the next point."""
        self._points.clear()
        self._residuals.clear()

    def step(self, point: FloatArray, image: FloatArray) -> FloatArray:
        """The next point after `point`, which the map takes to `image`."""
        self._points.append(image)
        self._residuals.append(image - point)
        if len(self._points) > self._memory + 1:
            del self._points[0], self._residuals[0]
        if len(self._points) == 1:
            return image
        changes = np.diff(np.array(self._residuals), axis=0).T
        moves = np.diff(np.array(self._points), axis=0).T
        weights = np.linalg.lstsq(changes, self._residuals[-1], rcond=1e-10)[0]
        new: FloatArray = image - moves @ weights
        return new
