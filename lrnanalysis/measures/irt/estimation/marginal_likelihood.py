"""Marginal likelihood of all groups, with priors, as a function of the free parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.estimation.priors import Prior, log_density
from lrnanalysis.measures.irt.likelihood.protocol import Evaluation, LikelihoodBackend
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature

__all__ = ["LikelihoodValue", "MarginalLikelihood"]


@dataclass(frozen=True, eq=False)
class LikelihoodValue:
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


class MarginalLikelihood:
    """The function that is maximised.

    Parameters
    ----------
    backends : sequence of LikelihoodBackend
        One per group.
    constraints : Constraints
        What is free.
    priors : mapping of parameter name → Prior
        On every free parameter of the name.
    """

    def __init__(
        self,
        backends: Sequence[LikelihoodBackend],
        constraints: Constraints,
        priors: Mapping[str, Prior],
    ) -> None:
        self.backends = list(backends)
        self.constraints = constraints
        self.priors = priors
        self.evaluations = 0

    @property
    def grid(self) -> Quadrature:
        """Nodes of ability, the same in all groups."""
        return self.backends[0].grid

    @property
    def total(self) -> float:
        """Persons, by weight."""
        return sum(backend.total for backend in self.backends)

    @property
    def persons(self) -> int:
        """Rows of responses."""
        return sum(backend.persons for backend in self.backends)

    def with_finer_grid(self) -> MarginalLikelihood:
        """The same with twice the nodes."""
        backends = [backend.with_grid(self.grid.doubled()) for backend in self.backends]
        found = MarginalLikelihood(backends, self.constraints, self.priors)
        found.evaluations = self.evaluations
        return found

    def sample(self, persons: int) -> MarginalLikelihood:
        """The same of a random sample of about so many persons; itself where it has no more."""
        if self.persons <= persons:
            return self
        rng = np.random.default_rng(20240229)
        share = persons / self.persons
        backends = [backend.sample(share, rng) for backend in self.backends]
        return MarginalLikelihood(backends, self.constraints, self.priors)

    def steepness(self, free: FloatArray) -> FloatArray:
        """Largest slope of every item in any group [per latent SD], shape (items,)."""
        slopes = self.constraints.layout.steepness(self.constraints.parameter_vector(free))
        return slopes * float(np.abs(self.constraints.latent(free)[:, 1]).max())

    def evaluate(self, free: FloatArray) -> LikelihoodValue:
        """The likelihood and its gradient."""
        self.evaluations += 1
        loglik, gradient, parts = 0.0, np.zeros(self.constraints.size), []
        for group, own in enumerate(self.constraints.group_parameters(free)):
            part = self.backends[group].evaluate(own)
            if not np.isfinite(part.loglik):
                return LikelihoodValue(-np.inf, -np.inf, gradient, [])
            loglik += part.loglik
            gradient += self.constraints.jacobian(free, group).T @ part.gradient
            parts.append(part)
        density, slope, _ = self._prior(free)
        return LikelihoodValue(loglik + density, loglik, gradient + slope, parts)

    def complete_information(self, free: FloatArray, value: LikelihoodValue) -> FloatArray:
        """Expected information if abilities were known, which an EM step uses."""
        found = np.zeros((len(free), len(free)))
        for group, own in enumerate(self.constraints.group_parameters(free)):
            backend, counts = self.backends[group], value.parts[group].counts
            part = np.zeros((len(own), len(own)))
            for block, count in zip(backend.layout.blocks, counts, strict=True):
                part[block.square] = block.model.expected_information(
                    own[block.at], backend.grid.points, count.sum(axis=1)
                )
            jacobian = self.constraints.jacobian(free, group)
            found += jacobian.T @ part @ jacobian
        return self._with_prior(found, free)

    def observed_information(self, free: FloatArray, value: LikelihoodValue) -> FloatArray:
        """Minus the second derivatives of the objective, exact."""
        found = np.zeros((len(free), len(free)))
        for group, own in enumerate(self.constraints.group_parameters(free)):
            jacobian = self.constraints.jacobian(free, group)
            found += jacobian.T @ self.backends[group].information(own) @ jacobian
            gradient = value.parts[group].gradient
            found -= self.constraints.second_derivative_term(group, gradient)
        return self._with_prior(found, free)

    def _with_prior(self, found: FloatArray, free: FloatArray) -> FloatArray:
        _, _, second = self._prior(free)
        found -= np.diag(second)
        return (found + found.T) / 2

    def _prior(self, free: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Logarithm of the priors' density, and its first two derivatives."""
        density, derivatives = 0.0, np.zeros((2, len(free)))
        for place, (_, name) in enumerate(self.constraints.names):
            if name[0] in self.priors:
                own, *derivatives[:, place] = log_density(self.priors[name[0]], float(free[place]))
                density += own
        return density, derivatives[0], derivatives[1]
