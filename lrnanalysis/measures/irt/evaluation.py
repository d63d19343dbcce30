"""What a likelihood answers when it is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.models import Layout

__all__ = ["Engine", "Evaluation", "Moments"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Log-likelihood with its gradient.

    Attributes
    ----------
    loglik : float
        The log-likelihood; −∞ where parameters are out of order.
    gradient : array, shape (parameters,)
        By the flat item parameters.
    counts : list of array
        Per block of items, expected persons, shape (items, scores, nodes).
    """

    loglik: float
    gradient: FloatArray
    counts: list[FloatArray]


@dataclass(frozen=True, eq=False)
class Moments:
    """Posterior mean and variance of θ, and log-likelihood, per row of responses."""

    mean: FloatArray
    variance: FloatArray
    loglik: FloatArray


class Engine(Protocol):
    """Likelihood of one group's responses by the items' parameters, θ standard normal."""

    layout: Layout
    grid: Grid

    @property
    def persons(self) -> int:
        """How many persons answered."""
        ...

    @property
    def total(self) -> float:
        """Their weights' sum."""
        ...

    def on(self, grid: Grid) -> Engine:
        """The same on another grid."""
        ...

    def sample(self, share: float, rng: np.random.Generator) -> Engine:
        """A random share of the persons."""
        ...

    def evaluate(self, raw: FloatArray) -> Evaluation:
        """Log-likelihood, its gradient, and expected persons by node."""
        ...

    def information(self, raw: FloatArray) -> FloatArray:
        """Observed information of the items' parameters."""
        ...

    def moments(self, raw: FloatArray) -> Moments:
        """Posterior mean, variance and log-likelihood of each person."""
        ...
