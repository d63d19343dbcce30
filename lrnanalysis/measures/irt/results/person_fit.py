"""Fit of persons, and dependence between items, at estimated abilities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray, with_attrs
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.results.abilities import posterior_means, posterior_modes
from lrnanalysis.measures.irt.results.estimates import Estimates

__all__ = ["local_dependence", "person_fit"]

#: Share of its variance below which a sum is constant but for rounding.
_NOTHING = 1e-10

#: Persons in common below which the residuals of two items have no correlation.
_FEWEST = 3

_ALIKE = "lz_star: with one item, or items alike, nothing is left to vary given the ability"


def person_fit(estimates: Estimates, persons: PersonResponses) -> pd.DataFrame:
    """See `IRTModel.person_fit`."""
    ability, _ = posterior_means(estimates, persons)
    mode, _ = posterior_modes(estimates, persons)
    found = np.full((5, len(ability)), np.nan)
    for group, place, scores, _ in persons.chunks():
        known = ~np.isnan(scores.T)
        chosen = np.where(known, scores.T, 0).astype(np.intp)
        mean, variance = estimates.score_moments(ability[place])
        square = np.where(known, (scores.T - mean) ** 2, 0.0)
        n = known.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[0, place] = _lz(estimates, ability[place], chosen, known)
            found[1, place] = _lz(estimates, mode[place], chosen, known, estimates.latent[group])
            found[2, place] = square.sum(axis=0) / np.where(known, variance, 0.0).sum(axis=0)
            found[3, place] = (square / variance).sum(axis=0) / n
        found[4, place] = n
    found[:4, found[4] == 0] = np.nan
    table = pd.DataFrame(
        persons.in_matrix_order(found).T,
        index=persons.persons,
        columns=["lz", "lz_star", "infit", "outfit", "n"],
    )
    nothing, alike = table["n"] == 0, table["lz_star"].isna()
    reason = np.select([nothing, alike], ["no score", _ALIKE], "")
    table["reason"] = pd.array(reason, dtype="str")
    return table


def _lz(
    estimates: Estimates,
    theta: FloatArray,
    chosen: IntArray,
    known: BoolArray,
    prior: FloatArray | None = None,
) -> FloatArray:
    """Standardised log-likelihood; with a prior's mean and SD, Snijders' at the posterior mode θ.

    The mode makes Σ L' + r vanish, L' the derivative of the log-probability of the score taken
    and r that of the prior. Log-probabilities less c L' do not change with the ability to first
    order: with c = Σ P L' log P / Σ P L'² their sum has the variance that lz lacks.
    """
    taken, information, crossed, variance, largest = np.zeros((5, len(theta)))
    parts = []
    for block in estimates.layout.blocks:
        p, answered = estimates.parameter_vector[block.at], known[block.items]
        slopes, informed, _ = block.model.by_ability(p, theta)
        logs = block.model.log_probabilities(p, theta)
        curves = np.exp(logs) * answered[:, None]
        logs = np.where(curves > 0, logs, 0.0)
        own = np.take_along_axis(logs, chosen[block.items][:, None], axis=1)[:, 0]
        taken += (own - (curves * logs).sum(axis=1)).sum(axis=0)
        information += (informed * answered).sum(axis=0)
        crossed += (curves * slopes * logs).sum(axis=(0, 1))
        parts.append((curves, slopes, logs))
    c = np.zeros(len(theta)) if prior is None else crossed / information
    for curves, slopes, logs in parts:
        weights = logs - c * slopes
        mean = (curves * weights).sum(axis=1)
        variance += ((curves * weights**2).sum(axis=1) - mean**2).sum(axis=0)
        largest += (curves * logs**2).sum(axis=(0, 1))
    if prior is not None:
        taken -= c * (theta - prior[0]) / prior[1] ** 2
    # With one item, or items alike, the ability leaves nothing to vary.
    return np.asarray(taken / np.sqrt(np.where(variance > _NOTHING * largest, variance, np.nan)))


def local_dependence(estimates: Estimates, persons: PersonResponses) -> pd.DataFrame:
    """See `IRTModel.local_dependence`."""
    ability, _ = posterior_means(estimates, persons)
    k = len(estimates.items)
    n, sums, squares, products = np.zeros((4, k, k))
    for _, place, scores, weights in persons.chunks():
        mean, _ = estimates.score_moments(ability[place])
        residual = scores.T - mean
        known = (~np.isnan(residual)).astype(np.float64)
        residual = np.nan_to_num(residual)
        w = 1.0 if weights is None else weights
        n += (known * w) @ known.T
        # Of the row's item, over the persons who have the column's item too.
        sums += (residual * w) @ known.T
        squares += (residual**2 * w) @ known.T
        products += (residual * w) @ residual.T
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products - sums * sums.T / n
        variance = squares - sums**2 / n
        variance = np.where(variance > _NOTHING * squares, variance, np.nan)
        q3 = covariance / np.sqrt(variance * variance.T)
    q3[n < _FEWEST] = np.nan
    pairs = n[np.triu_indices(k, 1)]
    notes = {"measure": "Q3", "fewest_persons": pairs.min(), "most_persons": pairs.max()}
    without = int(np.isnan(q3[np.triu_indices(k, 1)]).sum())
    if without:
        notes["reason"] = (
            f"{without:,} of {len(pairs):,} pairs have fewer than {_FEWEST} persons in common, or "
            "residuals that do not vary"
        )
    return with_attrs(pd.DataFrame(q3, estimates.items, estimates.items), notes)
