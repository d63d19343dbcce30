"""What every family of response models provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray

__all__ = ["SPREAD", "FreeParameter", "ResponseModel"]

#: By how much an intercept is steeper than the logit of a share, at a slope of 1: the logistic
#: curve is spread by the ability's variance (15 / 16 · √3 / π per unit; Johnson & Kotz 1970).
SPREAD = np.sqrt(1 + 0.346)


@dataclass(frozen=True)
class FreeParameter:
    """A parameter that is estimated, and how an item's parameters depend on it.

    Attributes
    ----------
    name : str
        Its name.
    factors : mapping of int → float
        What it is multiplied by, per place among the item's parameters.
    shared : bool
        Whether all items with a free parameter of this name have it in common.
    """

    name: str
    factors: Mapping[int, float]
    shared: bool = False


@dataclass(frozen=True)
class ResponseModel(ABC):
    """The curves of items with the scores 0 … `steps` under one model.

    A family of models is a subclass; `registry` lists them. Arrays of parameters have the shape
    (items, parameters), those of θ the shape (θ,). The curves of a family depend on the number of
    steps and parameters only, so that items of several of its models are computed together.

    Parameters are named by what they are: ``a…`` slopes (the first of them comes first), ``d…``
    intercepts, ``c`` and ``u`` the logits of asymptotes.

    Attributes
    ----------
    name : str
        The model, by the name that users type.
    steps : int
        Highest score.
    """

    name: str
    steps: int

    #: Whether the log-likelihood depends on θ through θ · Σ slopes of the scores, and so on nothing
    #: of a person but this sum (and the items answered).
    exponential_family: ClassVar[bool] = False

    #: Fewest persons for which the parameters can be estimated.
    min_persons: ClassVar[int] = 3

    # Parameters ---------------------------------------------------------------------------------

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Names of an item's parameters, in their order."""

    @property
    def partial_credit(self) -> bool:
        """Whether the model has curves for more than two scores."""
        return True

    @property
    def unit_slope(self) -> bool:
        """Whether slopes are 1 unless they are fixed, and ability has a free variance instead."""
        return False

    @property
    def reported(self) -> dict[str, int]:
        """The parameters that are reported and can be fixed, with their places."""
        return {name: place for place, name in enumerate(self.parameters)}

    @property
    def slope_of(self) -> tuple[int, ...]:
        """Per parameter, the place of the slope that an intercept goes with; −1 for others."""
        return tuple(0 if name[0] == "d" else -1 for name in self.parameters)

    @property
    def has_locations(self) -> bool:
        """Whether scores have locations on the ability scale: one slope serves all of them."""
        return True

    @property
    def location_differences(self) -> FloatArray:
        """The matrix D of the locations b = −D d / a."""
        return np.eye(self.steps)

    def places(self, letter: str) -> IntArray:
        """Places of the parameters whose names begin with a letter."""
        return np.flatnonzero([name[0] == letter for name in self.parameters])

    def free_parameters(self, fixed: Mapping[str, float]) -> list[FreeParameter]:
        """What is estimated of an item, with some of its reported parameters fixed."""
        return [
            FreeParameter(name, {place: 1.0})
            for place, name in enumerate(self.parameters)
            if name not in fixed
        ]

    def constants(self, fixed: Mapping[str, float]) -> FloatArray:
        """Values of an item's parameters that are not estimated; 0 for the others."""
        return np.array([fixed.get(name, 0.0) for name in self.parameters])

    @abstractmethod
    def start_values(self, shares: FloatArray, asymptotes: Mapping[str, float]) -> FloatArray:
        """Parameters of one item to begin the search with.

        Parameters
        ----------
        shares : array, shape (steps + 1,)
            Share of the persons with each score, none of them 0.
        asymptotes : mapping of name → float
            What ``c`` and ``u`` are likely to be.
        """

    # Curves -------------------------------------------------------------------------------------

    @abstractmethod
    def probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        """Probability of every score, shape (items, steps + 1, θ)."""

    def log_probabilities(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        """Logarithms of the probabilities; NaN or −∞ where parameters are out of order.

        Override it where probabilities underflow: a fit takes no step to where one is infinite.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(self.probabilities(p, theta)))

    @abstractmethod
    def slopes(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        """Derivatives of the log-probabilities by the parameters.

        Returns
        -------
        array, shape (items, parameters, steps + 1, θ)
        """

    def gradient(self, p: FloatArray, theta: FloatArray, counts: FloatArray) -> FloatArray:
        """Derivatives of Σ counts · log-probability, shape (items, parameters)."""
        return np.asarray(np.einsum("ipkq,ikq->ip", self.slopes(p, theta), counts))

    def expected_information(
        self, p: FloatArray, theta: FloatArray, persons: FloatArray
    ) -> FloatArray:
        """Fisher's information about the parameters, of persons with known abilities.

        Parameters
        ----------
        p : array, shape (items, parameters)
        theta : array, shape (θ,)
        persons : array, shape (items, θ)

        Returns
        -------
        array, shape (items, parameters, parameters)
        """
        slopes = self.slopes(p, theta)
        heavy = slopes * (self.probabilities(p, theta) * persons[:, None])[:, None]
        flat = (*slopes.shape[:2], -1)
        return heavy.reshape(flat) @ slopes.reshape(flat).transpose(0, 2, 1)

    @abstractmethod
    def observed_information(
        self, p: FloatArray, theta: FloatArray, counts: FloatArray
    ) -> FloatArray:
        """Minus the second derivatives of Σ counts · log-probability.

        Parameters
        ----------
        p : array, shape (items, parameters)
        theta : array, shape (θ,)
        counts : array, shape (items, steps + 1, θ)
            Expected persons per score and node.

        Returns
        -------
        array, shape (items, parameters, parameters)
        """

    @abstractmethod
    def by_ability(
        self, p: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """How the log-probabilities change with θ.

        Returns
        -------
        slopes : array, shape (items, scores, θ)
            Their first derivatives L'.
        information : array, shape (items, θ)
            Σ P L'² over the scores, Fisher's information about θ.
        skewness : array, shape (items, θ)
            Σ P L' (L'² + L''), which Warm's weighted likelihood needs (his J).
        """

    @abstractmethod
    def curvature(self, p: FloatArray, theta: FloatArray) -> FloatArray:
        """Minus the second derivatives −L'' of the log-probabilities by θ: observed information.

        Returns
        -------
        array, shape (items, scores, θ)
        """
