"""Fit of persons, and dependence between items, at the EAP abilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.abilities import eap
from lrnanalysis.measures.irt.itemfit import item_moments

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["local_dependence", "person_fit"]


def person_fit(model: IRTModel, answers: Answers) -> pd.DataFrame:
    """See `IRTModel.person_fit`."""
    ability, _, _ = eap(model, answers)
    layout = model._design.layout
    found = np.full((4, len(ability)), np.nan)
    rows = np.arange(len(layout.steps))[:, None]
    for _, place, scores, _ in answers.parts():
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
            found[1, place] = square.sum(axis=0) / np.where(there, width, 0.0).sum(axis=0)
            found[2, place] = (square / width).sum(axis=0) / n
        found[3, place] = n
    found[:3, found[3] == 0] = np.nan
    return pd.DataFrame(
        answers.back(found).T, index=answers.persons, columns=["lz", "infit", "outfit", "n"]
    )


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
