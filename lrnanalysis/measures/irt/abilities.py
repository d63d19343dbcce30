"""Abilities of persons: posterior mean and mode, maximum and weighted likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray, choice
from lrnanalysis.measures.irt.models import Layout

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["abilities", "eap"]

#: Persons × items whose curves are in memory at a time.
_CELLS = 2**17


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
        mean, spread = _modes(model, answers, method, bound)
    values = answers.back(np.stack([mean, spread]))
    found = pd.DataFrame({"ability": values[0], "se": values[1]}, index=answers.persons)
    found.attrs = {"method": method}
    return found


def _modes(
    model: IRTModel, answers: Answers, method: str, bound: float
) -> tuple[FloatArray, FloatArray]:
    """MAP, ML or WLE with standard errors."""
    layout = model._design.layout
    found = np.empty((2, sum(engine.persons for engine in answers.engines)))
    starts, _, _ = eap(model, answers)
    size = max(1, _CELLS // len(layout.steps))
    for group, place, scores, _ in answers.parts():
        patterns, first, back = np.unique(
            np.nan_to_num(scores, nan=-1.0), axis=0, return_index=True, return_inverse=True
        )
        own = np.empty((2, len(patterns)))
        begin = starts[place][first]
        for low in range(0, len(patterns), size):
            some = slice(low, low + size)
            persons = _Persons(layout, model.raw, patterns[some].astype(np.intp))
            prior = model._latent[group] if method == "MAP" else None
            own[:, some] = persons.mode(begin[some], prior, method == "WLE", bound)
        found[:, place] = own[:, back.ravel()]
    return found[0], found[1]


class _Persons:
    """Log-likelihoods of some persons by their own ability."""

    def __init__(self, layout: Layout, raw: FloatArray, scores: IntArray) -> None:
        self._layout = layout
        self._raw = raw
        self._scores = np.where(scores < 0, 0, scores).T
        self._there = (scores >= 0).T
        self._rows = np.arange(len(layout.steps))[:, None]
        self._columns = np.arange(len(scores))

    def slopes(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """First derivative of the log-likelihood, expected information, and Σ P' P'' / P."""
        curve = self._layout.probabilities(self._raw, theta)
        first, second = self._layout.by_theta(self._raw, theta)
        at = (self._rows, self._scores, self._columns)
        tiny = 1e-300
        own = np.where(self._there, first[at] / np.maximum(curve[at], tiny), 0.0).sum(axis=0)
        safe = np.maximum(curve, tiny)
        there = self._there
        information = np.where(there, (first**2 / safe).sum(axis=1), 0.0).sum(axis=0)
        mixed = np.where(there, (first * second / safe).sum(axis=1), 0.0).sum(axis=0)
        return own, information, mixed

    def mode(
        self, begin: FloatArray, prior: FloatArray | None, weighted: bool, bound: float
    ) -> FloatArray:
        """Ability and standard error; ±∞ where the likelihood has no maximum inside."""
        low, high = np.full(len(begin), -bound), np.full(len(begin), bound)
        theta = np.clip(begin, -bound, bound)
        information = np.zeros(len(begin))
        for _ in range(200):
            slope, information, mixed = self.slopes(theta)
            curved = information
            if weighted:
                slope = slope + mixed / np.maximum(2 * information, 1e-300)
            if prior is not None:
                slope = slope - (theta - prior[0]) / prior[1] ** 2
                curved = information + 1 / prior[1] ** 2
            # Scoring steps between bounds that close in: the root is never lost.
            low = np.where(slope > 0, theta, low)
            high = np.where(slope < 0, theta, high)
            step = slope / np.maximum(curved, 1e-12)
            new = theta + step
            inside = (new > low) & (new < high)
            new = np.where(inside, new, (low + high) / 2)
            if float(np.abs(new - theta).max(initial=0.0)) < 1e-10:
                theta = new
                break
            theta = new
        if prior is not None:
            return np.stack([theta, 1 / np.sqrt(information + 1 / prior[1] ** 2)])
        with np.errstate(divide="ignore"):
            error = 1 / np.sqrt(information)
        outside = np.abs(theta) > bound * (1 - 1e-6)
        error = np.where(outside, np.nan, error)
        theta = np.where(outside, np.sign(theta) * (np.inf if not weighted else bound), theta)
        empty = ~self._there.any(axis=0)
        return np.where(empty, np.nan, np.stack([theta, error]))
