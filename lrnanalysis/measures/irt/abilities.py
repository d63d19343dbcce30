"""Abilities of persons: posterior mean and mode, maximum and weighted likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice
from lrnanalysis.measures.irt.modes import Direct, Tabulated, Target, solve, tabulate
from lrnanalysis.measures.irt.sumscore import SumScores

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["abilities", "eap", "modes"]


def eap(model: IRTModel, answers: Answers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Posterior mean and SD of ability and log-likelihood, of the persons in turn."""
    found = []
    for engine, (mean, sd) in zip(answers.engines, model._latent, strict=True):
        part = engine.moments(model._design.acting(model.raw, mean, sd))
        spread = np.sqrt(np.maximum(part.variance, 0.0))
        found.append([mean + sd * part.mean, abs(sd) * spread, part.loglik])
    together = np.concatenate([np.array(rows) for rows in found], axis=1)
    return together[0], together[1], together[2]


def abilities(model: IRTModel, answers: Answers, method: str, bound: float) -> pd.DataFrame:
    """See `IRTModel.abilities`."""
    choice("method", method, ("EAP", "MAP", "ML", "WLE"))
    if not bound > 0:
        raise MeasureError(f"bound is {bound}: it must be above 0")
    if method == "EAP":
        mean, spread, _ = eap(model, answers)
    else:
        mean, spread = modes(model, answers, method, bound)
    values = answers.back(np.stack([mean, spread]))
    found = pd.DataFrame({"ability": values[0], "se": values[1]}, index=answers.persons)
    found.attrs = {"method": method}
    return found


def modes(
    model: IRTModel, answers: Answers, method: str, bound: float
) -> tuple[FloatArray, FloatArray]:
    """MAP, ML or WLE and standard errors, of the persons in turn."""
    layout, raw = model._design.layout, model.raw
    begin, _, _ = eap(model, answers)
    ability, curvature = np.empty((2, len(begin)))
    answered = np.ones(len(begin), dtype=bool)
    targets = [Target(own if method == "MAP" else None, method == "WLE") for own in model._latent]
    scalar = all(isinstance(engine, SumScores) for engine in answers.engines)
    curves = tabulate(layout, raw, bound) if scalar else None
    start = 0
    for engine, target in zip(answers.engines, targets, strict=True):
        if isinstance(engine, SumScores) and curves is not None:
            for form, s in engine.sums(raw):
                place = slice(start, start + len(s))
                persons = Tabulated(s, curves[:, form.given].sum(axis=1), bound, target)
                ability[place], curvature[place] = solve(persons, begin[place], bound)
                answered[place] = form.given.any()
                start += len(s)
    if not scalar:
        for group, place, scores, _ in answers.parts():
            ability[place], curvature[place] = solve(
                Direct(layout, raw, scores, targets[group]), begin[place], bound
            )
            answered[place] = ~np.isnan(scores).all(axis=1)
    with np.errstate(divide="ignore"):
        error = np.where(np.isfinite(ability), 1 / np.sqrt(curvature), np.nan)
    if method == "WLE":
        ability = np.clip(ability, -bound, bound)
    if method != "MAP":
        ability[~answered], error[~answered] = np.nan, np.nan
    return ability, error
