"""Fit of items: S-X², infit and outfit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.results.abilities import posterior_means
from lrnanalysis.measures.irt.results.estimates import Estimates

__all__ = ["item_fit", "merge_cells", "score_distributions"]


def item_fit(estimates: Estimates, persons: PersonResponses, min_expected: float) -> pd.DataFrame:
    """See `IRTModel.item_fit`."""
    if not min_expected > 0:
        raise MeasureError(f"min_expected is {min_expected}: it must be above 0")
    observed, complete = _observed(estimates, persons)
    expected = _expected(estimates, complete)
    statistic, degrees = np.full((2, len(estimates.items)), np.nan)
    parameters = _own_parameters(estimates)
    for item, (seen, wanted) in enumerate(zip(observed, expected, strict=True)):
        cells = merge_cells(seen, wanted, min_expected)
        if cells:
            statistic[item] = sum(float(((o - e) ** 2 / e).sum()) for o, e in cells)
            degrees[item] = sum(len(o) - 1 for o, _ in cells) - parameters[item]
    degrees = np.where(degrees > 0, degrees, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.maximum(statistic - degrees, 0)
        rmsea = np.sqrt(excess / (degrees * (float(complete.sum()) - 1)))
    infit, outfit, n = _mean_squares(estimates, persons)
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
        index=estimates.items,
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


def merge_cells(
    observed: FloatArray, expected: FloatArray, min_expected: float
) -> list[tuple[FloatArray, FloatArray]]:
    """Rows of a table, merged until every cell expects enough persons.

    Neighbouring scores of the item are merged first (a cell that expects too little goes to the
    next higher score, the highest to the next lower), then rows of neighbouring sums: a row with a
    cell that expects too little goes to the neighbour in which fewer persons were observed.

    Parameters
    ----------
    observed, expected : array, shape (sums, scores)
        Rows without any person are left out.
    min_expected : float
        Fewest persons that every cell should expect.
    """
    rows = [(o, e) for o, e in zip(observed, expected, strict=True) if o.sum() > 0]
    if observed.shape[1] > 2:
        return [row for o, e in rows if len((row := _merge_scores(o, e, min_expected))[0]) > 1]
    while len(rows) > 1:
        short = [place for place, (_, e) in enumerate(rows) if e.min() < min_expected]
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
    observed: FloatArray, expected: FloatArray, min_expected: float
) -> tuple[FloatArray, FloatArray]:
    cells: list[list[float]] = []
    carried = [0.0, 0.0]
    for o, e in zip(observed.tolist(), expected.tolist(), strict=True):
        carried = [carried[0] + o, carried[1] + e]
        if carried[1] >= min_expected:
            cells.append(carried)
            carried = [0.0, 0.0]
    if cells:
        cells[-1] = [cells[-1][0] + carried[0], cells[-1][1] + carried[1]]
    else:
        cells = [carried]
    both = np.array(cells)
    return both[:, 0], both[:, 1]


def _observed(
    estimates: Estimates, persons: PersonResponses
) -> tuple[list[FloatArray], FloatArray]:
    """Persons by sum and score of every item, and by group and sum; sums strictly inside."""
    steps = estimates.layout.steps
    top = int(steps.sum())
    tables = [np.zeros((top + 1, int(m) + 1)) for m in steps]
    complete = np.zeros((len(persons.backends), top + 1))
    for group, _, scores, weights in persons.chunks():
        whole = ~np.isnan(scores).any(axis=1)
        values = scores[whole].astype(np.intp)
        sums = values.sum(axis=1)
        w = np.ones(len(sums)) if weights is None else weights[whole]
        complete[group] += np.bincount(sums, w, top + 1)
        for item, table in enumerate(tables):
            place = sums * table.shape[1] + values[:, item]
            table += np.bincount(place, w, table.size).reshape(table.shape)
    return [table[1:-1] for table in tables], complete


def _expected(estimates: Estimates, complete: FloatArray) -> list[FloatArray]:
    """Expected persons by sum and score of every item, given the persons by sum."""
    steps = estimates.layout.steps
    found = [np.zeros((complete.shape[1] - 2, int(m) + 1)) for m in steps]
    grid = estimates.grid
    weights = np.exp(grid.log_weights)
    for persons, (mean, sd) in zip(complete, estimates.latent, strict=True):
        if persons.sum() == 0:
            continue
        curves = estimates.probabilities(mean + sd * grid.points)
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


def _own_parameters(estimates: Estimates) -> FloatArray:
    """Free parameters of each item alone.

    Those that many items share take hardly any degree of freedom from one: with them the
    statistic of a true 1PL model of six items exceeds its degrees of freedom by a third.
    """
    constraints, layout = estimates.constraints, estimates.layout
    rows = np.split(constraints.matrix, layout.starts[1:])
    used = np.array([own.any(axis=0) for own in rows])
    common = np.array([item < 0 for item, _ in constraints.names], dtype=bool)
    common &= used.sum(axis=0) > 1
    return np.array(
        [np.linalg.matrix_rank(own[:, ~common]) if (~common).any() else 0 for own in rows],
        dtype=np.float64,
    )


def _mean_squares(
    estimates: Estimates, persons: PersonResponses
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Infit, outfit and persons of every item."""
    ability, _ = posterior_means(estimates, persons)
    above, below, out, n = np.zeros((4, len(estimates.items)))
    for _, place, scores, weights in persons.chunks():
        mean, variance = estimates.score_moments(ability[place])
        square = (scores.T - mean) ** 2
        known = ~np.isnan(square)
        w = known * (1.0 if weights is None else weights)
        square = np.where(known, square, 0.0)
        above += (square * w).sum(axis=1)
        below += (variance * w).sum(axis=1)
        out += (square / variance * w).sum(axis=1)
        n += w.sum(axis=1)
    return above / below, out / n, n
