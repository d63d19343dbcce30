"""Fit of items: S-X², infit and outfit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.abilities import eap

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["item_fit", "item_moments", "score_distributions"]


def item_fit(model: IRTModel, answers: Answers, least: float) -> pd.DataFrame:
    """See `IRTModel.item_fit`."""
    if not least > 0:
        raise MeasureError(f"least is {least}: it must be above 0")
    observed, complete = _observed(model, answers)
    expected = _expected(model, complete)
    statistic, degrees = np.full((2, len(model._labels)), np.nan)
    parameters = _own_parameters(model)
    for item, (seen, wanted) in enumerate(zip(observed, expected, strict=True)):
        cells = merge(seen, wanted, least)
        if not cells:
            continue
        statistic[item] = sum(float(((o - e) ** 2 / e).sum()) for o, e in cells)
        degrees[item] = sum(len(o) - 1 for o, _ in cells) - parameters[item]
    degrees = np.where(degrees > 0, degrees, np.nan)
    persons = float(complete.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        rmsea = np.sqrt(np.maximum(statistic - degrees, 0) / (degrees * (persons - 1)))
    infit, outfit, n = _mean_squares(model, answers)
    return pd.DataFrame(
        {
            "s_x2": statistic,
            "df": degrees,
            "p": stats.chi2.sf(statistic, degrees),
            "rmsea": rmsea,
            "infit": infit,
            "outfit": outfit,
            "n": n,
        },
        index=model._labels,
    )


def score_distributions(curves: FloatArray, steps: FloatArray | IntArray) -> FloatArray:
    """Distribution of the sum of items by ability (Lord & Wingersky 1984).

    Parameters
    ----------
    curves : array, shape (items, scores, θ)
    steps : array of int, shape (items,)

    Returns
    -------
    array, shape (sums, θ)
    """
    found = np.ones((1, curves.shape[2]))
    for curve, m in zip(curves, steps, strict=True):
        new = np.zeros((len(found) + int(m), found.shape[1]))
        for score in range(int(m) + 1):
            new[score : score + len(found)] += found * curve[score]
        found = new
    return found


def merge(
    observed: FloatArray, expected: FloatArray, least: float
) -> list[tuple[FloatArray, FloatArray]]:
    """Rows of a table, merged until every cell expects enough persons.

    Neighbouring scores of the item are merged first (a cell that expects too little goes to the
    next higher score, the highest to the next lower), then rows of neighbouring sums: a row with a
    cell that expects too little goes to the neighbour in which fewer persons were observed.

    Parameters
    ----------
    observed, expected : array, shape (sums, scores)
        Rows without any person are left out.
    least : float
        What every cell should expect.
    """
    rows = [(o, e) for o, e in zip(observed, expected, strict=True) if o.sum() > 0]
    if observed.shape[1] > 2:
        return [row for o, e in rows if len((row := _merge_scores(o, e, least))[0]) > 1]
    while len(rows) > 1:
        short = [place for place, (_, e) in enumerate(rows) if e.min() < least]
        if not short:
            break
        at = short[0]
        if at == 0:
            to = 1
        elif at == len(rows) - 1:
            to = at - 1
        else:
            to = at - 1 if rows[at - 1][0].sum() <= rows[at + 1][0].sum() else at + 1
        rows[to] = (rows[to][0] + rows[at][0], rows[to][1] + rows[at][1])
        del rows[at]
    return rows


def _merge_scores(
    observed: FloatArray, expected: FloatArray, least: float
) -> tuple[FloatArray, FloatArray]:
    cells: list[list[float]] = []
    carried = [0.0, 0.0]
    for o, e in zip(observed.tolist(), expected.tolist(), strict=True):
        carried = [carried[0] + o, carried[1] + e]
        if carried[1] >= least:
            cells.append(carried)
            carried = [0.0, 0.0]
    if cells:
        cells[-1] = [cells[-1][0] + carried[0], cells[-1][1] + carried[1]]
    else:
        cells = [carried]
    both = np.array(cells)
    return both[:, 0], both[:, 1]


def _observed(model: IRTModel, answers: Answers) -> tuple[list[FloatArray], FloatArray]:
    """Persons by sum and score of every item, and by group and sum; sums strictly inside."""
    steps = model._design.layout.steps
    top = int(steps.sum())
    tables = [np.zeros((top + 1, int(m) + 1)) for m in steps]
    complete = np.zeros((len(answers.engines), top + 1))
    for group, _, scores, weights in answers.parts():
        whole = ~np.isnan(scores).any(axis=1)
        values = scores[whole].astype(np.intp)
        sums = values.sum(axis=1)
        w = np.ones(len(sums)) if weights is None else weights[whole]
        complete[group] += np.bincount(sums, w, top + 1)
        for item, table in enumerate(tables):
            place = sums * table.shape[1] + values[:, item]
            table += np.bincount(place, w, table.size).reshape(table.shape)
    return [table[1:-1] for table in tables], complete


def _expected(model: IRTModel, complete: FloatArray) -> list[FloatArray]:
    """Expected persons by sum and score of every item, given the persons by sum."""
    layout = model._design.layout
    steps = layout.steps
    found = [np.zeros((complete.shape[1] - 2, int(m) + 1)) for m in steps]
    weights = np.exp(model._grid.logs)
    for persons, (mean, sd) in zip(complete, model._latent, strict=True):
        if persons.sum() == 0:
            continue
        curves = layout.probabilities(model.raw, mean + sd * model._grid.points)
        whole = score_distributions(curves, steps) @ weights
        for item, table in enumerate(found):
            others = np.delete(np.arange(len(steps)), item)
            rest = score_distributions(curves[others], steps[others])
            for score in range(table.shape[1]):
                joint = (rest * curves[item, score]) @ weights
                place = np.zeros(len(whole))
                place[score : score + len(joint)] = joint
                table[:, score] += (persons * place / whole)[1:-1]
    return found


def _own_parameters(model: IRTModel) -> FloatArray:
    """Free parameters of each item alone.

    Those that many items share take hardly any degree of freedom from one: with them the
    statistic of a true 1PL model of six items exceeds its degrees of freedom by a third.
    """
    design, layout = model._design, model._design.layout
    rows = [
        slice(start, start + size) for start, size in zip(layout.starts, layout.sizes, strict=True)
    ]
    used = np.array([(design.matrix[own] != 0).any(axis=0) for own in rows])
    common = np.array([item < 0 for item, _ in design.names], dtype=bool) & (used.sum(axis=0) > 1)
    kept = design.matrix[:, ~common]
    found = [np.linalg.matrix_rank(kept[own]) if kept.size else 0 for own in rows]
    return np.array(found, dtype=np.float64)


def item_moments(model: IRTModel, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of every item's category number by ability, shape (items, θ)."""
    curves = model._design.layout.probabilities(model.raw, theta)
    score = np.arange(curves.shape[1], dtype=np.float64)
    mean = np.einsum("ikq,k->iq", curves, score)
    return mean, np.einsum("ikq,k->iq", curves, score**2) - mean**2


def _mean_squares(model: IRTModel, answers: Answers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Infit, outfit and persons of every item."""
    ability, _, _ = eap(model, answers)
    above, below, out, n = np.zeros((4, len(model._labels)))
    for _, place, scores, weights in answers.parts():
        mean, variance = item_moments(model, ability[place])
        square = (scores.T - mean) ** 2
        there = ~np.isnan(square)
        w = there * (1.0 if weights is None else weights)
        square = np.where(there, square, 0.0)
        above += (square * w).sum(axis=1)
        below += (variance * w).sum(axis=1)
        out += (square / variance * w).sum(axis=1)
        n += w.sum(axis=1)
    return above / below, out / n, n
