"""All items' parameters in one vector, and the curves computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["ItemBlock", "Layout"]


@dataclass(frozen=True, eq=False)
class ItemBlock:
    """Items of one family with the same number of scores, computed together.

    Attributes
    ----------
    model : ResponseModel
        Model of any of them: the curves are the family's.
    items : array of int, shape (items,)
        Their numbers.
    at : array of int, shape (items, parameters)
        Places of their parameters in the vector.
    """

    model: ResponseModel
    items: IntArray
    at: IntArray

    @cached_property
    def square(self) -> tuple[IntArray, IntArray]:
        """Places of each item's own block in a matrix of all parameters."""
        return self.at[:, :, None], self.at[:, None, :]


@dataclass(frozen=True, eq=False)
class Layout:
    """All items' parameters in one vector.

    Attributes
    ----------
    models : tuple of ResponseModel
        Model per item.
    """

    models: tuple[ResponseModel, ...]

    @cached_property
    def steps(self) -> IntArray:
        """Highest score per item."""
        return np.array([model.steps for model in self.models])

    @cached_property
    def sizes(self) -> IntArray:
        """Parameters per item."""
        return np.array([len(model.parameters) for model in self.models])

    @cached_property
    def starts(self) -> IntArray:
        """Place of each item's first parameter."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @cached_property
    def total(self) -> int:
        """Length of the vector."""
        return int(self.sizes.sum())

    @cached_property
    def blocks(self) -> list[ItemBlock]:
        """Items that are computed together."""
        found: dict[object, list[int]] = {}
        for item, model in enumerate(self.models):
            key = type(model), model.steps, len(model.parameters)
            found.setdefault(key, []).append(item)
        return [self.block(items) for items in found.values()]

    def block(self, items: list[int]) -> ItemBlock:
        """Items whose parameters are the same in number."""
        places = np.arange(self.sizes[items[0]])
        at = self.starts[items][:, None] + places
        return ItemBlock(self.models[items[0]], np.array(items), at)

    @cached_property
    def slope_of(self) -> IntArray:
        """Per parameter, the place of the slope that an intercept goes with; −1 for others."""
        own = [np.array(model.slope_of) for model in self.models]
        return np.concatenate(
            [np.where(at < 0, -1, at + start) for at, start in zip(own, self.starts, strict=True)]
        )

    @cached_property
    def intercepts(self) -> IntArray:
        """Places of the parameters that shift with a slope."""
        return np.flatnonzero(self.slope_of >= 0)

    @cached_property
    def slopes(self) -> IntArray:
        """Places of the slopes."""
        return np.unique(self.slope_of[self.intercepts])

    @property
    def exponential_family(self) -> bool:
        """Whether a person's likelihood depends on θ through one sum of slopes."""
        return all(model.exponential_family for model in self.models)

    def rescaled(self, vector: FloatArray, mean: float, sd: float) -> FloatArray:
        """The parameters as functions of x, where θ = mean + sd · x."""
        found = vector.copy()
        found[self.intercepts] += mean * vector[self.slope_of[self.intercepts]]
        found[self.slopes] *= sd
        return found

    def steepness(self, vector: FloatArray) -> FloatArray:
        """Largest slope between adjacent scores of every item, shape (items,)."""
        found = np.zeros(len(self.models))
        for block in self.blocks:
            slopes = vector[block.at[:, block.model.places("a")]]
            found[block.items] = np.abs(np.diff(slopes, axis=1, prepend=0.0)).max(axis=1)
        return found

    def probabilities(self, vector: FloatArray, theta: FloatArray) -> FloatArray:
        """Probability of every score of every item.

        Returns
        -------
        array, shape (items, highest score of all + 1, θ)
            0 for scores that an item does not have.
        """
        found = np.zeros((len(self.models), int(self.steps.max()) + 1, len(theta)))
        for block in self.blocks:
            curves = block.model.probabilities(vector[block.at], theta)
            found[block.items, : block.model.steps + 1] = curves
        return found
