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
from lrnanalysis.measures.response_time.logtimes import (
    DenseLogTimes,
    GroupedLogTimes,
    LogTimes,
    Parameters,
    SparseLogTimes,
)

__all__ = ["StandardErrors", "observed_information", "standard_errors"]

#: Above this many items the products between items are approximated.
_MOST_ITEMS = 1_000


@dataclass(frozen=True, eq=False)
class StandardErrors:
    """Standard errors; NaN where the information is not positive definite.

    Attributes
    ----------
    beta, sigma2 : array, shape (items,)
        Of time intensities and residual variances.
    s2 : float
        Of the variance of speed.
    rule : str
        How they were found.
    """

    beta: FloatArray
    sigma2: FloatArray
    s2: float
    rule: str


class _Sums:
    """Sums over persons that the information is made of; M is 1 where a time is there."""

    def __init__(self, items: int) -> None:
        self.vmm = np.zeros((items, items))  # Σ v M_i M_k
        self.vvmm = np.zeros((items, items))  # Σ v² M_i M_k
        self.vuu = np.zeros((items, items))  # Σ v u_i u_k
        self.vmu = np.zeros((items, items))  # Σ v M_i u_k
        self.u = np.zeros(items)  # Σ u_i
        self.uu = np.zeros(items)  # Σ u_i²
        self.vm = np.zeros(items)  # Σ M_i v m
        self.uvm = np.zeros(items)  # Σ u_i v m
        self.s2s2 = 0.0


def standard_errors(data: LogTimes, parameters: Parameters) -> StandardErrors:
    """Standard errors at the maximum.

    Up to 1,000 items from the observed information, exact; above, gaps in the times are taken as
    independent between items, and residual variances as uncorrelated: with so many items both
    matter little, and complete data stay exact for β.
    """
    items = len(data.n)
    if items > _MOST_ITEMS:
        return _approximate(data, parameters)
    information = observed_information(data, parameters)
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


def observed_information(data: LogTimes, parameters: Parameters) -> FloatArray:
    """Minus the second derivatives of the log-likelihood by β, σ² and s², in this order."""
    a, s2 = 1 / parameters.sigma2, parameters.s2
    sums = _Sums(len(a))
    if isinstance(data, GroupedLogTimes):
        _add_groups(sums, data, parameters)
    else:
        _add_blocks(sums, data, parameters)
    n = data.n
    aa = np.outer(a, a)
    beta_beta = np.diag(a * n) - aa * sums.vmm
    beta_sigma = np.diag(a * sums.u) - aa * sums.vmu
    beta_s2 = -a * sums.vm / s2**2
    sigma_sigma = -0.5 * aa**2 * sums.vvmm - aa * sums.vuu
    sigma_sigma += np.diag(-0.5 * a**2 * n + a**3 * np.diag(sums.vmm) + a * sums.uu)
    sigma_s2 = -(0.5 * a**2 * np.diag(sums.vvmm) + a * sums.uvm) / s2**2
    return np.block(
        [
            [beta_beta, beta_sigma, beta_s2[:, None]],
            [beta_sigma.T, sigma_sigma, sigma_s2[:, None]],
            [beta_s2[None, :], sigma_s2[None, :], np.array([[sums.s2s2]])],
        ]
    )


def _add_groups(sums: _Sums, data: GroupedLogTimes, parameters: Parameters) -> None:
    """From the moments of persons with the same pattern, who share v and P."""
    s2 = parameters.s2
    for group in data.groups:
        beta = parameters.beta[group.items]
        a = 1 / parameters.sigma2[group.items]
        c = float(a.sum())
        v = 1 / (1 / s2 + c)
        precision = np.diag(a) - v * np.outer(a, a)
        shift = np.outer(group.mean, beta)
        errors = group.moments - shift - shift.T + np.outer(beta, beta)
        u = group.n * (precision @ (group.mean - beta))
        uu = group.n * (precision @ errors @ precision)
        um = -v * group.n * (precision @ (errors @ a))
        m = -v * group.n * float(a @ (group.mean - beta))
        mm = v * v * group.n * float(a @ errors @ a)
        at = np.ix_(group.items, group.items)
        sums.vmm[at] += v * group.n
        sums.vvmm[at] += v * v * group.n
        sums.vuu[at] += v * uu
        sums.vmu[at] += v * u[None, :]
        sums.u[group.items] += u
        sums.uu[group.items] += np.diag(uu)
        sums.vm[group.items] += v * m
        sums.uvm[group.items] += v * um
        sums.s2s2 += -0.5 * group.n * (c * v / s2) ** 2 + mm * c * v / s2**3


def _add_blocks(sums: _Sums, data: DenseLogTimes | SparseLogTimes, parameters: Parameters) -> None:
    """From the persons, a stretch at a time."""
    a, s2 = 1 / parameters.sigma2, parameters.s2
    speed, variance = data.posterior(parameters)
    for part, logs, there in data.blocks():
        m, v = speed[part], variance[part]
        u = (logs - parameters.beta[:, None] + m) * there
        u *= a[:, None]
        weighted = there * v
        sums.vmm += weighted @ there.T
        sums.vvmm += weighted @ weighted.T
        sums.vmu += weighted @ u.T
        sums.vuu += (u * v) @ u.T
        sums.u += u.sum(axis=1)
        sums.uu += np.einsum("kj,kj->k", u, u)
        sums.vm += weighted @ m
        sums.uvm += u @ (v * m)
        share = (1 / v - 1 / s2) * v / s2
        sums.s2s2 += float((-0.5 * share**2 + m * m * share / s2**2).sum())


def _approximate(data: LogTimes, parameters: Parameters) -> StandardErrors:
    """Expected information, with gaps independent between items."""
    a, s2 = 1 / parameters.sigma2, parameters.s2
    _, v = data.posterior(parameters)
    first, second = data.by_item(np.column_stack([v, v**2])).T
    total = float(v.sum())
    own = a * data.n - a**2 * first + (a * first) ** 2 / total
    common = a * first / np.sqrt(total)
    beta = 1 / own + (common / own) ** 2 / (1 - float((common**2 / own).sum()))
    sigma = 0.5 * (a**2 * data.n - 2 * a**3 * first + a**4 * second)
    share = (1 / v - 1 / s2) * v / s2
    across = 0.5 * a**2 * second / s2**2
    left = 0.5 * float((share**2).sum()) - float((across**2 / sigma).sum())
    rule = "expected information, gaps taken as independent between items"
    return StandardErrors(
        np.sqrt(beta), np.sqrt(1 / sigma), float(np.sqrt(1 / left)) if left > 0 else np.nan, rule
    )
