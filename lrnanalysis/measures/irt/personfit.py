"""Fit of persons, and dependence between items, at abilities of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.irt.abilities import eap, modes
from lrnanalysis.measures.irt.itemfit import item_moments

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["local_dependence", "person_fit"]

#: Where modes are sought; the prior keeps them far inside.
_BOUND = 20.0

#: Least probability whose logarithm is taken.
_TINY = 1e-300


def person_fit(model: IRTModel, answers: Answers) -> pd.DataFrame:
    """See `IRTModel.person_fit`."""
    ability, _, _ = eap(model, answers)
    likeliest, _ = modes(model, answers, "MAP", _BOUND)
    layout = model._design.layout
    found = np.full((5, len(ability)), np.nan)
    rows = np.arange(len(layout.steps))[:, None]
    for group, place, scores, _ in answers.parts():
        theta = ability[place]
        there = ~np.isnan(scores.T)
        chosen = np.where(there, scores.T, 0).astype(np.intp)
        logs = layout.logs(model.raw, theta)
        curves = np.exp(logs)
        # 0 · log 0 = 0, for scores that an item does not have.
        logs = np.where(curves > 0, logs, 0.0)
        taken = np.where(there, logs[rows, chosen, np.arange(len(theta))], 0.0).sum(axis=0)
        mean = (curves * logs).sum(axis=1)
        spread = (curves * logs**2).sum(axis=1) - mean**2
        expected = np.where(there, mean, 0.0).sum(axis=0)
        variance = np.where(there, spread, 0.0).sum(axis=0)
        centre, width = item_moments(model, theta)
        square = np.where(there, (scores.T - centre) ** 2, 0.0)
        n = there.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[0, place] = (taken - expected) / np.sqrt(variance)
            found[1, place] = _corrected(model, group, likeliest[place], chosen, there)
            found[2, place] = square.sum(axis=0) / np.where(there, width, 0.0).sum(axis=0)
            found[3, place] = (square / width).sum(axis=0) / n
        found[4, place] = n
    found[:4, found[4] == 0] = np.nan
    return pd.DataFrame(
        answers.back(found).T,
        index=answers.persons,
        columns=["lz", "lz_star", "infit", "outfit", "n"],
    )


def _corrected(
    model: IRTModel, group: int, theta: FloatArray, chosen: IntArray, there: BoolArray
) -> FloatArray:
    """Snijders' lz at the posterior mode θ.

    The mode makes Σ L' + r vanish, L' the derivative of the log-probability of the score taken
    and r that of the prior. Log-probabilities less c L' do not change with the ability to first
    order: with c = Σ P L' log P / Σ P L'² their sum has the variance that lz lacks.
    """
    n = len(theta)
    taken, information, crossed = np.zeros((3, n))
    parts = []
    for block in model._design.layout.blocks:
        answered = there[block.items]
        slopes, informed, _ = block.by_theta(model.raw, theta)
        curves = block.probabilities(model.raw, theta) * answered[:, None]
        logs = np.log(np.maximum(curves, _TINY))
        own = np.take_along_axis(logs, chosen[block.items][:, None], axis=1)[:, 0] * answered
        taken += (own - (curves * logs).sum(axis=1)).sum(axis=0)
        information += (informed * answered).sum(axis=0)
        crossed += (curves * slopes * logs).sum(axis=(0, 1))
        parts.append((curves, slopes, logs))
    with np.errstate(invalid="ignore", divide="ignore"):
        c = crossed / information
        variance = np.zeros(n)
        for curves, slopes, logs in parts:
            weights = logs - c * slopes
            mean = (curves * weights).sum(axis=1)
            variance += ((curves * weights**2).sum(axis=1) - mean**2).sum(axis=0)
        mean, sd = model._latent[group]
        pull = -(theta - mean) / sd**2
        return np.asarray((taken + c * pull) / np.sqrt(variance))


def local_dependence(model: IRTModel, answers: Answers) -> pd.DataFrame:
    """See `IRTModel.local_dependence`."""
    ability, _, _ = eap(model, answers)
    k = len(model._labels)
    n, sums, squares, products = np.zeros((4, k, k))
    for _, place, scores, weights in answers.parts():
        mean, _ = item_moments(model, ability[place])
        residual = scores.T - mean
        there = (~np.isnan(residual)).astype(np.float64)
        residual = np.nan_to_num(residual)
        w = 1.0 if weights is None else weights
        n += (there * w) @ there.T
        # Of the row's item, over the persons who have the column's item too.
        sums += (residual * w) @ there.T
        squares += (residual**2 * w) @ there.T
        products += (residual * w) @ residual.T
    return pd.DataFrame(
        _correlations(n, sums, squares, products), index=model._labels, columns=model._labels
    )


def _correlations(
    n: FloatArray, sums: FloatArray, squares: FloatArray, products: FloatArray
) -> FloatArray:
    """Correlations over pairs of items from pairwise sums."""
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products - sums * sums.T / n
        variance = squares - sums**2 / n
        found = covariance / np.sqrt(variance * variance.T)
    found[n < 3] = np.nan
    return np.asarray(found)
