"""Marginal likelihood of all groups, with priors, as a function of the free parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.design import Design
from lrnanalysis.measures.irt.evaluation import Engine, Evaluation
from lrnanalysis.measures.irt.grid import Grid

__all__ = ["Likelihood", "Prior", "Value", "check_priors"]

#: A prior: ("normal", mean, sd), ("lognormal", mean, sd) of the logarithm, ("beta", α, β).
Prior = tuple[str, float, float]

_KINDS = {
    "a": ("normal", "lognormal"),
    "d": ("normal",),
    "c": ("beta", "normal"),
    "u": ("beta", "normal"),
}


def check_priors(priors: Mapping[str, Prior]) -> dict[str, Prior]:
    """The priors, checked.

    Raises
    ------
    MeasureError
        If a parameter or a distribution is unknown, or its numbers are out of range.
    """
    found = {}
    for name, prior in priors.items():
        if name not in _KINDS:
            raise MeasureError(f"priors names {name!r}: a prior can be given to {list(_KINDS)}")
        if len(prior) != 3 or prior[0] not in _KINDS[name]:
            raise MeasureError(
                f"the prior of {name} is {prior!r}: give one of {_KINDS[name]} with two numbers, "
                f"e.g. ({_KINDS[name][0]!r}, 5.0, 17.0)"
            )
        kind, one, two = prior
        if two <= 0 or (kind == "beta" and one < 1) or (kind == "beta" and two < 1):
            raise MeasureError(
                f"the prior of {name} is {prior!r}: an SD must be above 0, and the two numbers of "
                "a beta distribution at least 1"
            )
        found[name] = (kind, float(one), float(two))
    return found


@dataclass(frozen=True, eq=False)
class Value:
    """The likelihood at a point.

    Attributes
    ----------
    objective : float
        Log-likelihood plus logarithm of the priors' density.
    loglik : float
        Log-likelihood.
    gradient : array, shape (free parameters,)
        Of the objective.
    parts : list of Evaluation
        By group.
    """

    objective: float
    loglik: float
    gradient: FloatArray
    parts: list[Evaluation]


class Likelihood:
    """The function that is maximised.

    Parameters
    ----------
    engines : sequence of Engine
        One a group.
    design : Design
        What is free.
    priors : mapping of parameter name → Prior
        On every free parameter of the name; c and u: "beta" is a density of c or u, "normal" one
        of its logit.
    """

    def __init__(
        self, engines: Sequence[Engine], design: Design, priors: Mapping[str, Prior]
    ) -> None:
        self.engines = list(engines)
        self.design = design
        self.priors = dict(priors)
        self.evaluations = 0
        self._ridden = [
            (place, *self.priors[name[0]])
            for place, (_, name) in enumerate(design.names)
            if name[0] in self.priors
        ]

    @property
    def total(self) -> float:
        """Persons, by weight."""
        return sum(engine.total for engine in self.engines)

    @property
    def persons(self) -> int:
        """Rows of responses."""
        return sum(engine.persons for engine in self.engines)

    def on(self, grid: Grid) -> Likelihood:
        """The same on another grid."""
        found = Likelihood([engine.on(grid) for engine in self.engines], self.design, self.priors)
        found.evaluations = self.evaluations
        return found

    def sample(self, persons: int) -> Likelihood:
        """The same of a random sample of about so many persons; itself where it has no more."""
        if self.persons <= persons:
            return self
        rng = np.random.default_rng(20240229)
        share = persons / self.persons
        engines = [engine.sample(share, rng) for engine in self.engines]
        return Likelihood(engines, self.design, self.priors)

    def steepness(self, free: FloatArray) -> FloatArray:
        """Largest slope of every item in any group [per latent SD], shape (items,)."""
        raw = self.design.raw(free)
        acting = [self.design.acting(raw, *moments) for moments in self.design.latent(free)]
        slopes = np.stack([self.design.layout.steepness(own) for own in acting])
        return np.asarray(slopes.max(axis=0))

    def evaluate(self, free: FloatArray) -> Value:
        """The likelihood and its gradient."""
        self.evaluations += 1
        raw, latent = self.design.raw(free), self.design.latent(free)
        loglik, gradient, parts = 0.0, np.zeros(self.design.size), []
        for group, engine in enumerate(self.engines):
            part = engine.evaluate(self.design.acting(raw, *latent[group]))
            if not np.isfinite(part.loglik):
                return Value(-np.inf, -np.inf, gradient, [])
            loglik += part.loglik
            gradient += self.design.jacobian(free, group).T @ part.gradient
            parts.append(part)
        density, slope, _ = self._prior(free)
        gradient[: len(slope)] += slope
        return Value(loglik + density, loglik, gradient, parts)

    def complete(self, free: FloatArray, value: Value) -> FloatArray:
        """Expected information if abilities were known, which is what an EM step goes by."""
        raw, latent = self.design.raw(free), self.design.latent(free)
        found = np.zeros((self.design.size, self.design.size))
        for group, (engine, part) in enumerate(zip(self.engines, value.parts, strict=True)):
            acting = self.design.acting(raw, *latent[group])
            jacobian = self.design.jacobian(free, group)
            own = np.zeros((engine.layout.total, engine.layout.total))
            for block, count in zip(engine.layout.blocks, part.counts, strict=True):
                own[block.square] = block.expected(acting, engine.grid.points, count.sum(axis=1))
            found += jacobian.T @ own @ jacobian
        return self._with_prior(found, free)

    def information(self, free: FloatArray, value: Value) -> FloatArray:
        """Observed information: minus the second derivatives of the objective, exact."""
        raw, latent = self.design.raw(free), self.design.latent(free)
        found = np.zeros((self.design.size, self.design.size))
        for group, (engine, part) in enumerate(zip(self.engines, value.parts, strict=True)):
            acting = self.design.acting(raw, *latent[group])
            jacobian = self.design.jacobian(free, group)
            found += jacobian.T @ engine.information(acting) @ jacobian
            found -= self.design.bend(group, part.gradient)
        return self._with_prior(found, free)

    def _with_prior(self, found: FloatArray, free: FloatArray) -> FloatArray:
        _, _, bend = self._prior(free)
        places = np.arange(len(bend))
        found[places, places] -= bend
        return (found + found.T) / 2

    def _prior(self, free: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Logarithm of the priors' density but for a constant, and its first two derivatives."""
        density, size = 0.0, len(self.design.names)
        slope, bend = np.zeros(size), np.zeros(size)
        for place, kind, one, two in self._ridden:
            value = float(free[place])
            if kind == "normal":
                density -= 0.5 * ((value - one) / two) ** 2
                slope[place], bend[place] = -(value - one) / two**2, -1 / two**2
            elif kind == "lognormal":
                if value <= 0:
                    return -np.inf, slope, bend
                z = (np.log(value) - one) / two**2
                density -= 0.5 * z**2 * two**2 + np.log(value)
                slope[place] = -(z + 1) / value
                bend[place] = (z + 1 - 1 / two**2) / value**2
            else:
                # Of the probability itself, whose logit the free parameter is.
                p = 1 / (1 + np.exp(-value))
                density += (one - 1) * np.log(p) + (two - 1) * np.log1p(-p)
                slope[place] = (one - 1) * (1 - p) - (two - 1) * p
                bend[place] = -(one + two - 2) * p * (1 - p)
        return density, slope, bend
