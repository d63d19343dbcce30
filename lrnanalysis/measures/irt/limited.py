"""Fit of the model by means and pairwise products of scores: M2, RMSEA, SRMSR."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, optimize, stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray, check_fraction
from lrnanalysis.measures.irt.design import Design

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["model_fit"]

#: Items beyond which the covariance of all pairwise products does not fit into memory.
_MOST = 120


def model_fit(model: IRTModel, answers: Answers, confidence: float) -> pd.Series:
    """See `IRTModel.model_fit`."""
    check_fraction("confidence", confidence)
    k = len(model._labels)
    if not 3 <= k <= _MOST:
        raise MeasureError(f"M2 of {k} items: it takes 3 to {_MOST}; use item_fit")
    first, second = np.triu_indices(k, 1)
    design, free = _estimated(model)
    parts = []
    total, statistic, degrees, square = 0.0, 0.0, -len(free), 0.0
    slopes, residuals, inverses = [], [], []
    for group, sums in enumerate(_observed(model, answers)):
        n, observed, spread = sums
        expected, covariance, by_free, correlation = _model_moments(
            model, design.jacobian(free, group), group, first, second
        )
        slopes.append(by_free)
        residuals.append(observed - expected)
        inverses.append((n, covariance))
        total += n
        degrees += len(expected)
        parts.append((spread[first, second] - correlation) ** 2)
    if degrees <= 0:
        raise MeasureError(
            f"M2 has {degrees} degrees of freedom: {k} items are too few for {len(free)} parameters"
        )
    # Quadratic form of all groups together: residuals weighted by what the estimates leave free.
    weighted, crossed = 0.0, np.zeros(len(free))
    inner = np.zeros((len(free), len(free)))
    for (n, covariance), change, residual in zip(inverses, slopes, residuals, strict=True):
        factor = linalg.cho_factor(
            covariance + 1e-12 * np.trace(covariance) / len(residual) * np.eye(len(residual))
        )
        solved = linalg.cho_solve(factor, np.column_stack([residual, change]))
        weighted += n * float(residual @ solved[:, 0])
        crossed += n * (change.T @ solved[:, 0])
        inner += n * (change.T @ solved[:, 1:])
    statistic = weighted - float(crossed @ linalg.pinvh(inner) @ crossed)
    square = float(np.mean(np.concatenate(parts)))
    low, high = _interval(statistic, degrees, total, confidence)
    return pd.Series(
        {
            "m2": statistic,
            "df": float(degrees),
            "p": float(stats.chi2.sf(statistic, degrees)),
            "rmsea": float(np.sqrt(max(statistic - degrees, 0) / (degrees * (total - 1)))),
            "rmsea_low": low,
            "rmsea_high": high,
            "srmsr": float(np.sqrt(square)),
        },
        name="model fit",
    )


class _Sums(NamedTuple):
    """Weighted sums over persons."""

    persons: float
    scores: FloatArray
    products: FloatArray


def _observed(model: IRTModel, answers: Answers) -> list[tuple[float, FloatArray, FloatArray]]:
    """Per group: persons, means of scores and products, and correlations."""
    k = len(model._labels)
    first, second = np.triu_indices(k, 1)
    found = [_Sums(0.0, np.zeros(k), np.zeros((k, k))) for _ in answers.engines]
    for group, _, scores, weights in answers.parts():
        missing = np.isnan(scores)
        answered = ~missing.all(axis=1)
        scores = scores[answered]
        weights = None if weights is None else weights[answered]
        if missing[answered].any():
            raise MeasureError(
                "M2 needs complete data, and some scores are missing: fit the forms one by one "
                "(matrix.dropna()), or use item_fit"
            )
        w = np.ones(len(scores)) if weights is None else weights
        before = found[group]
        found[group] = _Sums(
            before.persons + float(w.sum()),
            before.scores + w @ scores,
            before.products + (scores * w[:, None]).T @ scores,
        )
    result = []
    for n, sums, products in found:
        means, crossed = sums / n, products / n
        covariance = crossed - np.outer(means, means)
        sd = np.sqrt(np.diag(covariance))
        moments = np.concatenate([means, crossed[first, second]])
        result.append((float(n), moments, covariance / np.outer(sd, sd)))
    return result


def _estimated(model: IRTModel) -> tuple[Design, FloatArray]:
    """What was estimated: after conditional likelihood the latent distribution besides."""
    design = model._design
    if model.method == "MML":
        return design, model._free
    moments = [(group, name) for group in range(design.groups) for name in ("mean", "sd")]
    return replace(design, moments=moments), np.concatenate([model._free, model._latent.ravel()])


def _model_moments(
    model: IRTModel, jacobian: FloatArray, group: int, first: IntArray, second: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Expected moments, their covariance, derivatives by the free parameters, correlations."""
    layout = model._design.layout
    grid = model._grid
    weights = np.exp(grid.logs)
    acting = model._design.acting(model.raw, *model._latent[group])
    curves = layout.probabilities(acting, grid.points)
    score = np.arange(curves.shape[1], dtype=np.float64)
    mean = np.einsum("ikq,k->iq", curves, score)
    variance = np.einsum("ikq,k->iq", curves, score**2) - mean**2
    pairs = mean[first] * mean[second]
    given = np.concatenate([mean, pairs])
    expected = given @ weights
    covariance = (given * weights) @ given.T - np.outer(expected, expected)
    covariance += _within(mean, variance, first, second, weights)
    by_raw = np.zeros((layout.total, *mean.shape))
    for block in layout.blocks:
        slopes = block.slopes(acting, grid.points)
        change = np.einsum(
            "ipkq,ikq,k->piq",
            slopes,
            block.probabilities(acting, grid.points),
            score[: block.steps + 1],
        )
        for place in range(block.at.shape[1]):
            by_raw[block.at[:, place], block.items] = change[place]
    singles = by_raw @ weights
    doubles = (by_raw[:, first] * (mean[second] * weights)).sum(axis=2)
    doubles += (by_raw[:, second] * (mean[first] * weights)).sum(axis=2)
    slopes = np.concatenate([singles, doubles], axis=1).T @ jacobian
    k = len(mean)
    own = covariance[:k, :k]
    sd = np.sqrt(np.diag(own))
    between = expected[k:] - expected[first] * expected[second]
    return expected, covariance, slopes, between / (sd[first] * sd[second])


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
    # Both items shared: V_i E_j² + V_j E_i² stand there already, V_i V_j lacks.
    at = k + np.arange(pairs)
    found[at, at] += (variance[first] * variance[second]) @ weights
    return found


def _interval(
    statistic: float, degrees: int, persons: float, confidence: float
) -> tuple[float, float]:
    """Interval of RMSEA from the noncentral χ² distribution."""
    bounds = []
    for level in ((1 + confidence) / 2, (1 - confidence) / 2):

        def excess(noncentral: float, level: float = level) -> float:
            return float(stats.ncx2.cdf(statistic, degrees, noncentral) - level)

        if stats.chi2.cdf(statistic, degrees) < level:
            bounds.append(0.0)
            continue
        top = statistic + 10 * np.sqrt(statistic + degrees) + 50
        bounds.append(float(optimize.brentq(excess, 1e-9, top)))
    return tuple(float(np.sqrt(b / (degrees * (persons - 1)))) for b in bounds)  # type: ignore[return-value]
