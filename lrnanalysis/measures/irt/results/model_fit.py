"""Fit of the model by means and pairwise products of scores: M2 and C2, RMSEA, SRMSR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import linalg, optimize, stats

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray, check_fraction, choice, with_attrs
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.results.estimates import Estimates
from lrnanalysis.measures.irt.results.forms import (
    Form,
    Missing,
    check_min_persons,
    forms_of,
    no_form,
    read_forms,
)
from lrnanalysis.measures.irt.results.moments import Residuals, Sample, residuals

__all__ = ["Statistic", "model_fit"]

Statistic = Literal["M2", "C2"]

#: Items that it takes.
_FEWEST = 3


def model_fit(
    estimates: Estimates,
    persons: PersonResponses,
    statistic: Statistic,
    missing: Missing,
    min_persons: float,
    confidence: float,
) -> pd.Series | pd.DataFrame:
    """See `IRTModel.model_fit`."""
    choice("statistic", statistic, ("M2", "C2"))
    choice("missing", missing, ("raise", "listwise", "forms"))
    check_fraction("confidence", confidence)
    check_min_persons(min_persons)
    if len(estimates.items) < _FEWEST:
        raise MeasureError(
            f"{statistic} of {len(estimates.items)} items: it takes at least {_FEWEST}"
        )
    forms, of = read_forms(persons)
    if missing == "raise":
        _check_complete(forms, statistic)
    used = forms_of(forms, missing, min_persons)
    if not used:
        hint = "" if missing == "listwise" else "; lower min_persons, or use item_fit"
        raise MeasureError(f"no {statistic}: {no_form(forms, missing, min_persons)}{hint}")
    constraints, free = _estimated(estimates)
    every, layout = statistic == "C2", estimates.layout
    found: dict[int, list[tuple[Sample, Residuals]]] = {number: [] for number in used}
    for number, sample in _observed(estimates, persons, forms, of, used):
        own = residuals(estimates, sample, constraints, free, every_score=every)
        found[number].append((sample, own))
    everybody = sum(form.total for form in forms)
    notes: dict[str, object] = {
        "measure": statistic,
        "missing": missing,
        "left_out": everybody - sum(forms[number].total for number in used),
    }
    if missing != "forms":
        row, reason = _row(found[used[0]], layout, statistic, confidence)
        if np.isnan(row["df"]):
            raise MeasureError(reason)
        if reason:
            notes["reason"] = reason
        return with_attrs(pd.Series(row, name="model fit"), notes)
    everything = [own for number in used for own in found[number]]
    if not everything:
        raise MeasureError(
            f"no {statistic}: no form with {min_persons:,.0f} persons has pairs of items"
        )
    rows, items = {}, {}
    for number, form in enumerate(forms):
        name, of_form = f"form {number + 1}", int(form.items.sum())
        if number in found and of_form >= _FEWEST:
            row, reason = _row(found[number], layout, statistic, confidence)
            items[name] = estimates.items[form.items].tolist()
        else:
            row = dict.fromkeys(_columns(statistic), np.nan) | {"n": form.total}
            reason = f"fewer than {min_persons:,.0f} persons"
            if of_form < _FEWEST:
                reason = f"{statistic} takes at least {_FEWEST} items"
        rows[name] = {"items": of_form, **row, "reason": reason}
    row, reason = _row(everything, layout, statistic, confidence)
    covered = np.unique(np.concatenate([sample.items for sample, _ in everything]))
    rows["all forms"] = {"items": len(covered), **row, "reason": reason}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("form")
    table["reason"] = pd.array(table["reason"].to_numpy(), dtype="str")
    return with_attrs(table, {**notes, "min_persons": min_persons, "form_items": items})


def _check_complete(forms: Sequence[Form], statistic: Statistic) -> None:
    total = sum(form.total for form in forms)
    whole = sum(form.total for form in forms if form.items.all())
    if whole < total:
        raise MeasureError(
            f"{statistic} needs complete data, and {total - whole:,.0f} of {total:,.0f} persons "
            f"lack some scores: pass missing='listwise' to use the {whole:,.0f} with all of them, "
            "missing='forms' for each set of items answered, or use item_fit"
        )


def _columns(statistic: Statistic) -> list[str]:
    return ["n", statistic.lower(), "df", "p", "rmsea", "rmsea_low", "rmsea_high", "srmsr"]


def _row(
    found: Sequence[tuple[Sample, Residuals]],
    layout: Layout,
    statistic: Statistic,
    confidence: float,
) -> tuple[dict[str, float], str]:
    """The statistic of some samples together, and what cannot be computed of it."""
    total = sum(sample.persons for sample, _ in found)
    value, rank, parameters = _unexplained([own.rows for _, own in found])
    moments = sum(own.moments for _, own in found)
    degrees = moments - rank
    if degrees <= 0:
        return dict.fromkeys(_columns(statistic), np.nan) | {"n": total}, (
            f"{statistic} has no degrees of freedom: {moments} moments of the scores, "
            f"{parameters} parameters{_hint(statistic, layout, found, parameters)}"
        )
    apart = np.concatenate([own.correlations for _, own in found])
    low, high = (
        _rmsea_bound(value, degrees, total, level)
        for level in ((1 + confidence) / 2, (1 - confidence) / 2)
    )
    values = [
        total,
        value,
        float(degrees),
        float(stats.chi2.sf(value, degrees)),
        float(np.sqrt(max(value - degrees, 0) / (degrees * (total - 1)))) if total > 1 else np.nan,
        low,
        high,
        float(np.sqrt(np.mean(apart**2))),
    ]
    reason = ""
    if np.isnan(apart).any():
        reason = "srmsr: everybody has the same score on an item, which then has no correlation"
    return dict(zip(_columns(statistic), values, strict=True)), reason


def _unexplained(rows: Sequence[FloatArray]) -> tuple[float, int, int]:
    """Sum of squares of the residuals that no change of the estimates explains.

    Also the number of independent directions in which the estimates change expected moments, which
    M2 and C2 lose of their degrees of freedom, and of parameters that do. There may be fewer
    directions: a mean and SD are not told apart from the items by the persons of one form.
    """
    stacked = np.concatenate(rows)
    residual, change = stacked[:, 0], stacked[:, 1:]
    size = np.sqrt((change**2).sum(axis=0))
    change = change[:, size > 0] / size[size > 0]
    if not change.shape[1]:
        return float(residual @ residual), 0, 0
    negligible = np.sqrt(change.shape[1] * np.finfo(float).eps)
    taken, _, rank, _ = linalg.lstsq(change, residual, cond=negligible)
    left = residual - change @ taken
    return float(left @ left), int(rank), change.shape[1]


def _hint(
    statistic: Statistic,
    layout: Layout,
    found: Sequence[tuple[Sample, Residuals]],
    parameters: int,
) -> str:
    """C2 has more moments than M2 where an item has more than two scores."""
    more = sum(
        own.moments - len(sample.items) + int(layout.steps[sample.items].sum())
        for sample, own in found
    )
    if statistic == "M2" and more > parameters:
        return f"; pass statistic='C2', which has {more} moments"
    return ""


def _observed(
    estimates: Estimates,
    persons: PersonResponses,
    forms: Sequence[Form],
    of: IntArray,
    used: Sequence[int],
) -> list[tuple[int, Sample]]:
    """Sums over the persons of every form that is used and has pairs of items, by group."""
    top = int(estimates.layout.steps.max()) + 1
    found = {}
    for form in used:
        at = np.flatnonzero(forms[form].items)
        for group, n in enumerate(forms[form].persons.tolist()):
            if n > 0 and len(at) > 1:
                sums = np.zeros((len(at), top)), np.zeros((len(at), len(at)))
                found[form, group] = Sample(group, at, n, *sums)
    for group, place, scores, weights in persons.chunks():
        own = of[place]
        for form in np.unique(own).tolist():
            if (form, group) not in found:
                continue
            there, sample = own == form, found[form, group]
            values = scores[np.ix_(there, sample.items)]
            weighted = values if weights is None else values * weights[there, None]
            for score in range(1, top):
                sample.counts[:, score] += (
                    np.where(values == score, weighted, 0.0).sum(axis=0) / score
                )
            sample.products[:] += weighted.T @ values
    return [(form, sample) for (form, _), sample in found.items()]


def _estimated(estimates: Estimates) -> tuple[Constraints, FloatArray]:
    """What was estimated: after conditional likelihood, the latent distribution too."""
    constraints, free = estimates.constraints, estimates.free
    if estimates.method == "MML":
        return constraints, free
    moments = [(group, name) for group in range(constraints.groups) for name in ("mean", "sd")]
    free = np.concatenate([free, estimates.latent.ravel()])
    return replace(constraints, moments=moments), free


def _rmsea_bound(statistic: float, degrees: int, persons: float, level: float) -> float:
    """RMSEA at which the statistic is the quantile `level` of its noncentral χ² distribution."""
    if stats.chi2.cdf(statistic, degrees) < level:
        return 0.0
    top = statistic + 10 * np.sqrt(statistic + degrees) + 50
    found = optimize.brentq(lambda nc: stats.ncx2.cdf(statistic, degrees, nc) - level, 1e-9, top)
    return float(np.sqrt(found / (degrees * (persons - 1))))
