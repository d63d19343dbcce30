"""Standard errors of the lognormal model from the observed information.

With P_j the inverse of person j's covariance matrix over the items timed, e_j = y_j − β and
u_j = P_j e_j = a (e_j + m_j), minus the second derivatives of log L_j are

    β, β': P_j        β, θ: P_j D_θ u_j        θ, θ': u_j' D_θ P_j D_θ' u_j − ½ tr(P_j D_θ P_j D_θ')

with D the derivative of the covariance matrix by σ_i² (a single 1) or s² (all ones). Since
P_j = diag(a) − v_j a a', the sums over persons are a few items × items products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.response_time.log_times import LogTimes, TimeParameters

__all__ = ["StandardErrors", "standard_errors"]

#: Above this number of items the products between items are approximated.
_MOST_ITEMS = 1_000


@dataclass(frozen=True, eq=False)
class StandardErrors:
    """Standard errors; NaN where the information matrix is not positive definite.

    Attributes
    ----------
    beta, sigma2 : array, shape (items,)
        Of time intensities and residual variances.
    s2 : float
        Of the variance of speed.
    rule : str
        How they were computed.
    """

    beta: FloatArray
    sigma2: FloatArray
    s2: float
    rule: str


def standard_errors(data: LogTimes, parameters: TimeParameters) -> StandardErrors:
    """Standard errors at the maximum.

    Up to 1,000 items they come from the observed information. Above, missing times are taken as
    independent between items, and residual variances as uncorrelated; with so many items neither
    matters much, and for complete data those of β stay exact.
    """
    items = len(data.n)
    if items > _MOST_ITEMS:
        return _approximate(data, parameters)
    information = _observed_information(data, parameters)
    scale = 1 / np.sqrt(np.abs(np.diag(information)))
    rule = "observed information"
    try:
        factor = np.linalg.cholesky(information * scale[:, None] * scale)
    except np.linalg.LinAlgError:
        nothing = np.full(items, np.nan)
        return StandardErrors(nothing, nothing, np.nan, f"{rule}: not positive definite")
    root = np.linalg.inv(factor)
    errors = scale * np.sqrt(np.einsum("ij,ij->j", root, root))
    return StandardErrors(errors[:items], errors[items:-1], float(errors[-1]), rule)


def _observed_information(data: LogTimes, parameters: TimeParameters) -> FloatArray:
    """Minus the second derivatives of the log-likelihood by β, σ² and s², in this order."""
    a, n, s2 = 1 / parameters.sigma2, data.n, parameters.s2
    items = len(a)
    # Sums over persons, named for their terms; M is 1 where a time was recorded, u = a e.
    products, vvmm = np.zeros((2 * items, 2 * items)), np.zeros((items, items))
    vm_sum, e_sum, ee_sum, evm_sum = np.zeros((4, items))
    s2_s2 = 0.0
    speed, variance = data.posterior(parameters)
    for part, logs, timed in data.blocks():
        m, v = speed[part], variance[part]
        e = m - parameters.beta[:, None]
        e *= timed
        e += logs
        vm = v * m
        vm_sum += timed @ vm
        evm_sum += e @ vm
        e_sum += e.sum(axis=1)
        ee_sum += np.einsum("kj,kj->k", e, e)
        # A matrix by its own transpose takes half the work of a product of two matrices.
        both = np.concatenate([timed, e])
        both *= np.sqrt(v)
        products += both @ both.T
        both[:items] *= np.sqrt(v)
        vvmm += both[:items] @ both[:items].T
        share = (1 / v - 1 / s2) * v / s2
        s2_s2 += float((-0.5 * share**2 + m * m * share / s2**2).sum())
    vmm = products[:items, :items]
    vmu = products[:items, items:] * a
    vuu = products[items:, items:] * np.outer(a, a)
    u_sum, uu_sum, uvm_sum = a * e_sum, a**2 * ee_sum, a * evm_sum
    aa = np.outer(a, a)
    beta_beta = np.diag(a * n) - aa * vmm
    beta_sigma = np.diag(a * u_sum) - aa * vmu
    beta_s2 = -a * vm_sum / s2**2
    sigma_sigma = -0.5 * aa**2 * vvmm - aa * vuu
    sigma_sigma += np.diag(-0.5 * a**2 * n + a**3 * np.diag(vmm) + a * uu_sum)
    sigma_s2 = -(0.5 * a**2 * np.diag(vvmm) + a * uvm_sum) / s2**2
    return np.block(
        [
            [beta_beta, beta_sigma, beta_s2[:, None]],
            [beta_sigma.T, sigma_sigma, sigma_s2[:, None]],
            [beta_s2[None, :], sigma_s2[None, :], np.array([[s2_s2]])],
        ]
    )


def _approximate(data: LogTimes, parameters: TimeParameters) -> StandardErrors:
    """From the expected information, with missing times independent between items."""
    a, s2 = 1 / parameters.sigma2, parameters.s2
    _, v = data.posterior(parameters)
    first, second = np.zeros((2, len(a)))
    for part, _, timed in data.blocks():
        first += timed @ v[part]
        second += timed @ v[part] ** 2
    total = float(v.sum())
    own = a * data.n - a**2 * first + (a * first) ** 2 / total
    common = a * first / np.sqrt(total)
    beta = 1 / own + (common / own) ** 2 / (1 - float((common**2 / own).sum()))
    sigma = 0.5 * (a**2 * data.n - 2 * a**3 * first + a**4 * second)
    share = (1 / v - 1 / s2) * v / s2
    across = 0.5 * a**2 * second / s2**2
    left = 0.5 * float((share**2).sum()) - float((across**2 / sigma).sum())
    rule = "expected information, missing times taken as independent between items"
    return StandardErrors(
        np.sqrt(beta), np.sqrt(1 / sigma), float(np.sqrt(1 / left)) if left > 0 else np.nan, rule
    )
