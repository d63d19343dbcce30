"""What a fit found, and all that is computed from it needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lrnanalysis.errors import listed
from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.measures.irt.estimation.constraints import AT_EDGE, Constraints
from lrnanalysis.measures.irt.estimation.priors import Prior
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.response_models.layout import Layout

__all__ = ["NO_SPREAD", "Convergence", "Estimates", "edges"]

#: SD of ability, or slope that all items share, up to which it is at its edge, 0.
NO_SPREAD = 1e-3


@dataclass(frozen=True)
class Convergence:
    """How the search for the maximum ended.

    Attributes
    ----------
    converged : bool
        Whether the gradient vanishes, relative to the standard errors, at a maximum: the
        information there is positive definite.
    message : str
        The reason why not, or "converged".
    iterations : int
        Evaluations of the likelihood over all persons.
    gradient_norm : float
        Largest absolute derivative of the log-likelihood (with priors, if any).
    distance : float
        Expected gain of the log-likelihood up to the maximum.
    nodes : int
        Nodes of the grid of ability.
    path : str
        "one scalar per person" or "nodes", and whether compiled.
    """

    converged: bool
    message: str
    iterations: int
    gradient_norm: float
    distance: float
    nodes: int
    path: str


@dataclass(frozen=True, eq=False)
class Estimates:
    """The estimates of a fit.

    Attributes
    ----------
    loglik : float
        Marginal log-likelihood at the estimates, or the conditional one.
    convergence : Convergence
        How the search ended.
    persons : float
        Persons with at least one score, by weight.
    priors : dict
        Priors that were used, by parameter.
    method : str
        "MML" or "CML".
    constraints : Constraints
        How the parameters depend on the free ones.
    free : array, shape (free parameters,)
        The free parameters.
    covariance : array, shape (free parameters, free parameters)
        Their covariance, NaN for what ended at a bound.
    latent : array, shape (groups, 2)
        Mean and SD of every group's ability.
    items, groups : Index
        Labels.
    scores : list of array
        Per item, its scores, ascending.
    group_sizes : array, shape (groups,)
        Persons by weight.
    grid : Quadrature
        Nodes of ability that were used.
    """

    loglik: float
    convergence: Convergence
    persons: float
    priors: dict[str, Prior]
    method: str
    constraints: Constraints
    free: FloatArray
    covariance: FloatArray
    latent: FloatArray
    items: pd.Index
    scores: list[FloatArray]
    groups: pd.Index
    group_sizes: FloatArray
    grid: Quadrature

    @property
    def layout(self) -> Layout:
        """The items' models, and the places of their parameters."""
        return self.constraints.layout

    @property
    def at_edge(self) -> str:
        """Parameters that ended at an edge of their range, in words; empty where none did."""
        places = np.flatnonzero(edges(self.constraints, self.free))
        size, named = len(self.constraints.names), dict[str, list[object]]()
        for place in places:
            if place >= size:
                group, _ = self.constraints.moments[place - size]
                named.setdefault("variance of group {} at 0", []).append(self.groups[group])
                continue
            item, name = self.constraints.names[place]
            if item < 0:
                named["slope of all items at 0"] = []
            else:
                at = f"{name} of item {{}} at {int(self.free[place] > 0)}"
                named.setdefault(at, []).append(self.items[item])
        return ", ".join(words.format(listed(labels)) for words, labels in named.items())

    @cached_property
    def parameter_vector(self) -> FloatArray:
        """The parameters of all items, in the order of `layout`."""
        return self.constraints.parameter_vector(self.free)

    @cached_property
    def group_parameters(self) -> list[FloatArray]:
        """Per group, the items' parameters as they act on a standard normal ability."""
        return [self.layout.rescaled(self.parameter_vector, *moments) for moments in self.latent]

    def probabilities(self, theta: FloatArray) -> FloatArray:
        """Probability of every item's scores, shape (items, highest number of scores, θ)."""
        return self.layout.probabilities(self.parameter_vector, theta)

    def score_moments(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of every item's category number by ability, shape (items, θ)."""
        return score_moments(self.probabilities(theta))


def edges(constraints: Constraints, free: FloatArray) -> BoolArray:
    """Which free parameters are at an edge of their range, shape (free parameters,).

    Asymptotes of 0 or 1; an SD of ability of 0, and a slope of 0 that all items share, on either
    side of which the likelihood is the same.
    """
    names = [(item < 0 and name == "a", name in ("c", "u")) for item, name in constraints.names]
    names += [(name == "sd", False) for _, name in constraints.moments]
    spreads, asymptotes = np.array(names, dtype=bool).reshape(-1, 2).T
    size = np.abs(free)
    return np.asarray(spreads & (size <= NO_SPREAD) | asymptotes & (size >= AT_EDGE))


def score_moments(curves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of category numbers, from probabilities (items, scores, θ)."""
    score = np.arange(curves.shape[1], dtype=np.float64)
    mean = np.einsum("ikq,k->iq", curves, score)
    return mean, np.einsum("ikq,k->iq", curves, score**2) - mean**2
