"""What a likelihood backend is asked, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, Self

import numpy as np

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.irt.data.packing import PackedResponses
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.response_models.layout import Layout

__all__ = ["Evaluation", "FormResponses", "LikelihoodBackend", "PosteriorMoments"]


@dataclass(frozen=True, eq=False)
class FormResponses:
    """Persons who were given the same items.

    Attributes
    ----------
    packed : PackedResponses
        Their responses.
    given : array of bool, shape (items,)
        The items.
    weights : array, shape (persons,), or None
        Number of persons that each row represents.
    """

    packed: PackedResponses
    given: BoolArray
    weights: FloatArray | None

    @property
    def total(self) -> float:
        """Persons, by weight."""
        return float(self.packed.persons if self.weights is None else self.weights.sum())

    def take(self, persons: IntArray) -> FormResponses:
        """Some of the persons."""
        weights = None if self.weights is None else self.weights[persons]
        return FormResponses(self.packed.take(persons), self.given, weights)

    def scores(self, persons: slice) -> FloatArray:
        """Scores from 0 with NaN where missing, shape (persons, items)."""
        found = self.packed.scores(persons)
        found[:, ~self.given] = np.nan
        return found


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Log-likelihood with its gradient.

    Attributes
    ----------
    loglik : float
        The log-likelihood; −∞ where parameters are out of order.
    gradient : array, shape (parameters,)
        By the vector of item parameters.
    counts : list of array
        Per block of items, expected persons, shape (items, scores, nodes).
    """

    loglik: float
    gradient: FloatArray
    counts: list[FloatArray]


@dataclass(frozen=True, eq=False)
class PosteriorMoments:
    """Posterior mean and variance of θ, and log-likelihood, per row of responses."""

    mean: FloatArray
    variance: FloatArray
    loglik: FloatArray


class LikelihoodBackend(ABC):
    """Likelihood of one group's responses by the items' parameters, θ standard normal.

    Parameters
    ----------
    layout : Layout
        Items.
    forms : list of FormResponses
        The persons, in turn.
    grid : Quadrature
        Nodes of θ.
    kernels : module
        `kernels_numpy` or `kernels_numba`.
    """

    #: What a person is in the computation.
    path: ClassVar[str]

    def __init__(
        self, layout: Layout, forms: list[FormResponses], grid: Quadrature, kernels: ModuleType
    ) -> None:
        self.layout = layout
        self.forms = forms
        self.grid = grid
        self.kernels = kernels

    @property
    def persons(self) -> int:
        """Rows of responses."""
        return sum(form.packed.persons for form in self.forms)

    @property
    def total(self) -> float:
        """Persons, by weight."""
        return sum(form.total for form in self.forms)

    def with_grid(self, grid: Quadrature) -> Self:
        """The same on another grid."""
        return type(self)(self.layout, self.forms, grid, self.kernels)

    def sample(self, share: float, rng: np.random.Generator) -> Self:
        """A random share of the persons of every form, at least 30 of each."""
        some = []
        for form in self.forms:
            persons = form.packed.persons
            size = min(persons, max(30, round(persons * share)))
            some.append(form.take(np.sort(rng.choice(persons, size, replace=False))))
        return type(self)(self.layout, some, self.grid, self.kernels)

    @abstractmethod
    def evaluate(self, vector: FloatArray) -> Evaluation:
        """Log-likelihood, its gradient, and expected persons by score and node."""

    @abstractmethod
    def information(self, vector: FloatArray) -> FloatArray:
        """Exact observed information about the items' parameters, by Louis's identity."""

    @abstractmethod
    def moments(self, vector: FloatArray) -> PosteriorMoments:
        """Posterior mean, variance and log-likelihood of every row of responses."""
