"""Fit of items: S-X², infit and outfit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray, choice, with_attrs
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.results.abilities import posterior_means
from lrnanalysis.measures.irt.results.estimates import Estimates
from lrnanalysis.measures.irt.results.forms import (
    Form,
    check_min_persons,
    forms_of,
    no_form,
    read_forms,
)

__all__ = ["item_fit", "merge_cells", "score_distributions"]


def item_fit(
    estimates: Estimates,
    persons: PersonResponses,
    missing: Literal["listwise", "forms"],
    min_persons: float,
    min_expected: float,
) -> pd.DataFrame:
    """See `IRTModel.item_fit`."""
    choice("missing", missing, ("listwise", "forms"))
    check_min_persons(min_persons)
    if not min_expected > 0:
        raise MeasureError(f"min_expected is {min_expected}: it must be above 0")
    forms, of = read_forms(persons)
    used = forms_of(forms, missing, min_persons)
    statistic, freedom, n, of_item = np.zeros((4, len(estimates.items)))
    for form, (sums, tables) in _observed(estimates, persons, forms, of, used).items():
        items = np.flatnonzero(forms[form].items)
        n[items] += forms[form].total
        of_item[items] += 1
        expected = _expected(estimates, items, sums)
        for item, seen, wanted in zip(items.tolist(), tables, expected, strict=True):
            cells = merge_cells(seen, wanted, min_expected)
            statistic[item] += sum(float(((o - e) ** 2 / e).sum()) for o, e in cells)
            freedom[item] += sum(len(o) - 1 for o, _ in cells)
    parameters = _own_parameters(estimates)
    reason = np.select(
        [np.full(len(n), not used), of_item == 0, freedom == 0, freedom <= parameters],
        [
            no_form(forms, missing, min_persons) if not used else "",
            f"no form of {min_persons:,.0f} persons has the item",
            "no totals to compare: too few persons, or items",
            "no degrees of freedom: too few totals for the item's parameters",
        ],
        "",
    )
    statistic = np.where(freedom > 0, statistic, np.nan)
    degrees = np.where(freedom > parameters, freedom - parameters, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        rmsea = np.sqrt(np.maximum(statistic - degrees, 0) / (degrees * (n - 1)))
    infit, outfit, answered = _mean_squares(estimates, persons)
    table = pd.DataFrame(
        {
            "s_x2": statistic,
            "df": degrees,
            "p": stats.chi2.sf(statistic, degrees),
            "rmsea": rmsea,
            "infit": infit,
            "outfit": outfit,
            "n": answered,
            "n_s_x2": n,
            "forms": of_item.astype(np.int64),
            "reason": pd.array(reason, dtype="str"),
        },
        index=estimates.items,
    )
    return with_attrs(
        table,
        {
            "measure": "item fit",
            "missing": missing,
            "min_persons": min_persons,
            "min_expected": min_expected,
            "forms": len(forms),
            "left_out": sum(form.total for form in forms) - sum(forms[f].total for f in used),
        },
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
    estimates: Estimates,
    persons: PersonResponses,
    forms: Sequence[Form],
    of: IntArray,
    used: Sequence[int],
) -> dict[int, tuple[FloatArray, list[FloatArray]]]:
    """Of every form that is used: persons by group and sum, and by sum and score of every item.

    The tables of items have the sums strictly inside.
    """
    steps = {form: estimates.layout.steps[forms[form].items] for form in used}
    found = {
        form: (
            np.zeros((len(persons.backends), int(own.sum()) + 1)),
            [np.zeros((int(own.sum()) + 1, int(m) + 1)) for m in own],
        )
        for form, own in steps.items()
    }
    for group, place, scores, weights in persons.chunks():
        for form in np.unique(of[place]).tolist():
            if form not in found:
                continue
            there = of[place] == form
            values = scores[there][:, forms[form].items].astype(np.intp)
            totals = values.sum(axis=1)
            w = np.ones(len(totals)) if weights is None else weights[there]
            sums, tables = found[form]
            sums[group] += np.bincount(totals, w, sums.shape[1])
            for item, table in enumerate(tables):
                cell = totals * table.shape[1] + values[:, item]
                table += np.bincount(cell, w, table.size).reshape(table.shape)
    return {form: (sums, [own[1:-1] for own in tables]) for form, (sums, tables) in found.items()}


def _expected(estimates: Estimates, items: IntArray, persons: FloatArray) -> list[FloatArray]:
    """Expected persons by sum and score of some items, given the persons by group and sum."""
    steps = estimates.layout.steps[items]
    found = [np.zeros((persons.shape[1] - 2, int(m) + 1)) for m in steps]
    grid = estimates.grid
    weights = np.exp(grid.log_weights)
    for own, (mean, sd) in zip(persons, estimates.latent, strict=True):
        if own.sum() == 0:
            continue
        curves = estimates.probabilities(mean + sd * grid.points)[items]
        whole = score_distributions(curves, steps) @ weights
        for item, table in enumerate(found):
            others = np.delete(np.arange(len(steps)), item)
            rest = score_distributions(curves[others], steps[others])
            for score in range(table.shape[1]):
                joint = (rest * curves[item, score]) @ weights
                place = np.zeros(len(whole))
                place[score : score + len(joint)] = joint
                table[:, score] += (own * place / whole)[1:-1]
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
    below, known = np.where(n > 0, below, np.nan), np.where(n > 0, n, np.nan)
    return above / below, out / known, n
