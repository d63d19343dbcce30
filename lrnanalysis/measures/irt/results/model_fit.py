"""Fit of the model by means and pairwise products of scores: M2, RMSEA, SRMSR."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, optimize, stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray, check_fraction
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.results.estimates import Estimates, score_moments

__all__ = ["model_fit"]

#: Items beyond which the covariance of all pairwise products does not fit into memory.
_MOST = 120


def model_fit(estimates: Estimates, persons: PersonResponses, confidence: float) -> pd.Series:
    """See `IRTModel.model_fit`."""
    check_fraction("confidence", confidence)
    k = len(estimates.items)
    if not 3 <= k <= _MOST:
        raise MeasureError(f"M2 of {k} items: it takes 3 to {_MOST}; use item_fit")
    constraints, free = _estimated(estimates)
    degrees = len(estimates.groups) * k * (k + 1) // 2 - len(free)
    if degrees <= 0:
        raise MeasureError(
            f"M2 has {degrees} degrees of freedom: {k} items are too few for {len(free)} parameters"
        )
    total, apart, whitened = 0.0, [], []
    for group, seen in enumerate(_observed(estimates, persons)):
        model = _expected(estimates, group)
        change = model.by_parameter.T @ constraints.jacobian(free, group)
        residual = seen.moments - model.moments
        ridge = 1e-12 * np.trace(model.covariance) / len(residual)
        root = linalg.cholesky(model.covariance + ridge * np.eye(len(residual)), lower=True)
        both = np.column_stack([residual, change])
        whitened.append(np.sqrt(seen.persons) * linalg.solve_triangular(root, both, lower=True))
        total += seen.persons
        apart.append((seen.correlations - model.correlations) ** 2)
    # What no change of the estimates explains of the residuals of all groups.
    rows = np.concatenate(whitened)
    negligible = np.sqrt(len(free) * np.finfo(float).eps)
    taken, *_ = linalg.lstsq(rows[:, 1:], rows[:, 0], cond=negligible)
    statistic = float(((rows[:, 0] - rows[:, 1:] @ taken) ** 2).sum())
    low, high = (
        _rmsea_bound(statistic, degrees, total, level)
        for level in ((1 + confidence) / 2, (1 - confidence) / 2)
    )
    return pd.Series(
        {
            "m2": statistic,
            "df": float(degrees),
            "p": float(stats.chi2.sf(statistic, degrees)),
            "rmsea": float(np.sqrt(max(statistic - degrees, 0) / (degrees * (total - 1)))),
            "rmsea_low": low,
            "rmsea_high": high,
            "srmsr": float(np.sqrt(np.mean(apart))),
        },
        name="model fit",
    )


class _Observed(NamedTuple):
    """One group's persons, moments (means, mean products of pairs) and correlations."""

    persons: float
    moments: FloatArray
    correlations: FloatArray


class _Expected(NamedTuple):
    """One group's expected moments, with their covariance and derivatives, and correlations."""

    moments: FloatArray
    covariance: FloatArray
    by_parameter: FloatArray
    correlations: FloatArray


def _observed(estimates: Estimates, persons: PersonResponses) -> list[_Observed]:
    k = len(estimates.items)
    count = np.zeros(len(persons.backends))
    sums, products = np.zeros((len(count), k)), np.zeros((len(count), k, k))
    for group, _, scores, weights in persons.chunks():
        missing = np.isnan(scores)
        answered = ~missing.all(axis=1)
        if missing[answered].any():
            raise MeasureError(
                "M2 needs complete data, and some scores are missing: fit the forms one by one "
                "(matrix.dropna()), or use item_fit"
            )
        scores = scores[answered]
        w = np.ones(len(scores)) if weights is None else weights[answered]
        count[group] += w.sum()
        sums[group] += w @ scores
        products[group] += (scores * w[:, None]).T @ scores
    return [
        _Observed(float(n), *_moments(own / n, crossed / n))
        for n, own, crossed in zip(count, sums, products, strict=True)
    ]


def _moments(means: FloatArray, products: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means and mean products of pairs in one array, and correlations of the pairs."""
    pairs = np.triu_indices(len(means), 1)
    covariance = products - np.outer(means, means)
    sd = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(sd, sd)
    return np.concatenate([means, products[pairs]]), correlations[pairs]


def _estimated(estimates: Estimates) -> tuple[Constraints, FloatArray]:
    """What was estimated: after conditional likelihood, the latent distribution too."""
    constraints, free = estimates.constraints, estimates.free
    if estimates.method == "MML":
        return constraints, free
    moments = [(group, name) for group in range(constraints.groups) for name in ("mean", "sd")]
    free = np.concatenate([free, estimates.latent.ravel()])
    return replace(constraints, moments=moments), free


def _expected(estimates: Estimates, group: int) -> _Expected:
    """What the model expects of a group; derivatives by the group's parameters."""
    layout, x = estimates.layout, estimates.grid.points
    weights, vector = np.exp(estimates.grid.log_weights), estimates.group_parameters[group]
    mean, variance = score_moments(layout.probabilities(vector, x))
    k, (first, second) = len(mean), np.triu_indices(len(mean), 1)
    given = np.concatenate([mean, mean[first] * mean[second]])
    means, products = mean @ weights, (mean * weights) @ mean.T
    np.fill_diagonal(products, (mean**2 + variance) @ weights)
    moments, correlations = _moments(means, products)
    covariance = (given * weights) @ given.T - np.outer(moments, moments)
    covariance += _within(mean, variance, first, second, weights)
    # Derivatives of the item's expected score by each of its parameters, at every node.
    change = np.empty((layout.total, len(x)))
    for block in layout.blocks:
        p = vector[block.at]
        change[block.at] = np.einsum(
            "ipkq,ikq,k->ipq",
            block.model.slopes(p, x),
            block.model.probabilities(p, x),
            np.arange(block.model.steps + 1.0),
        )
    own = np.repeat(np.arange(k), layout.sizes)[:, None]
    crossed = (change * weights) @ mean.T
    singles = np.where(own == np.arange(k), (change @ weights)[:, None], 0.0)
    doubles = np.where(own == first, crossed[:, second], 0.0)
    doubles += np.where(own == second, crossed[:, first], 0.0)
    return _Expected(moments, covariance, np.concatenate([singles, doubles], axis=1), correlations)


def _within(
    mean: FloatArray, variance: FloatArray, first: IntArray, second: IntArray, weights: FloatArray
) -> FloatArray:
    """Expected covariance of the moments at one ability: not 0 where they share an item."""
    k, pairs = len(mean), len(first)
    found = np.zeros((k + pairs, k + pairs))
    found[range(k), range(k)] = variance @ weights
    number = np.zeros((k, k), dtype=np.intp)
    number[first, second] = number[second, first] = k + np.arange(pairs)
    for item in range(k):
        others = np.delete(np.arange(k), item)
        at = number[item, others]
        # Cov(X_i, X_i X_j) = V_i E_j; Cov(X_i X_j, X_i X_l) = V_i E_j E_l.
        alone = (mean[others] * variance[item]) @ weights
        found[item, at] += alone
        found[at, item] += alone
        found[np.ix_(at, at)] += (mean[others] * (variance[item] * weights)) @ mean[others].T
    # Both items shared: V_i E_j² + V_j E_i² are in already, V_i V_j is not.
    at = k + np.arange(pairs)
    found[at, at] += (variance[first] * variance[second]) @ weights
    return found


def _rmsea_bound(statistic: float, degrees: int, persons: float, level: float) -> float:
    """RMSEA at which the statistic is the quantile `level` of its noncentral χ² distribution."""
    if stats.chi2.cdf(statistic, degrees) < level:
        return 0.0
    top = statistic + 10 * np.sqrt(statistic + degrees) + 50
    found = optimize.brentq(lambda nc: stats.ncx2.cdf(statistic, degrees, nc) - level, 1e-9, top)
    return float(np.sqrt(found / (degrees * (persons - 1))))
