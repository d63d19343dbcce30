"""Free parameters: what a model leaves free, shares or fixes, and the groups' latent moments.

The vector of all items' parameters is base + matrix · free: slopes of 1PL items are one free
parameter, PCM slopes are constants, RSM thresholds are shared. A group's ability is
θ = mean + sd · x with x standard normal, so that its items act as if they had slopes sd · a and
intercepts d + mean · a.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.measures.irt.response_models.layout import Layout

__all__ = ["AT_EDGE", "Constraints", "constrain"]

#: Logit that stands for an asymptote of 1, and less it for one of 0.
AT_EDGE = 40.0


@dataclass(frozen=True, eq=False)
class Constraints:
    """How the parameters of items and groups depend on those that are estimated.

    Attributes
    ----------
    layout : Layout
        The items.
    base : array, shape (parameters,)
        Values of what is not free.
    matrix : array, shape (parameters, free item parameters)
        How free parameters enter.
    names : list of (item number, parameter name)
        Of the free item parameters; −1 for one that items share.
    groups : int
        Number of groups.
    moments : list of (group, "mean" or "sd")
        Free latent moments, after the item parameters in the free vector.
    """

    layout: Layout
    base: FloatArray
    matrix: FloatArray
    names: list[tuple[int, str]]
    groups: int
    moments: list[tuple[int, str]]

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return len(self.names) + len(self.moments)

    def parameter_vector(self, free: FloatArray) -> FloatArray:
        """The parameters of all items."""
        return np.asarray(self.base + self.matrix @ free[: len(self.names)])

    def latent(self, free: FloatArray) -> FloatArray:
        """Mean and SD of every group, shape (groups, 2)."""
        found = np.tile([0.0, 1.0], (self.groups, 1))
        for value, (group, name) in zip(free[len(self.names) :], self.moments, strict=True):
            found[group, int(name == "sd")] = value
        return found

    def group_parameters(self, free: FloatArray) -> list[FloatArray]:
        """Per group, the items' parameters as they act on a standard normal x."""
        vector = self.parameter_vector(free)
        return [self.layout.rescaled(vector, *moments) for moments in self.latent(free)]

    @cached_property
    def free_slopes(self) -> BoolArray:
        """Which items have a slope that is free, alone or with others, shape (items,)."""
        return np.asarray(self.matrix[self.layout.starts].any(axis=1))

    def jacobian(self, free: FloatArray, group: int) -> FloatArray:
        """Derivatives of a group's parameters by the free ones."""
        if not self.moments:
            # Mean 0 and SD 1: the items act as they are.
            return self.matrix
        layout, vector = self.layout, self.parameter_vector(free)
        slope_of = layout.slope_of[layout.intercepts]
        mean, sd = self.latent(free)[group]
        rows = self.matrix.copy()
        rows[layout.intercepts] += mean * self.matrix[slope_of]
        rows[layout.slopes] *= sd
        extra = np.zeros((len(vector), len(self.moments)))
        for column, (of, name) in enumerate(self.moments):
            if of == group and name == "mean":
                extra[layout.intercepts, column] = vector[slope_of]
            elif of == group:
                extra[layout.slopes, column] = vector[layout.slopes]
        return np.concatenate([rows, extra], axis=1)

    def second_derivative_term(self, group: int, gradient: FloatArray) -> FloatArray:
        """Σ gradient · second derivatives of a group's parameters by the free ones."""
        found = np.zeros((self.size, self.size))
        layout, items = self.layout, len(self.names)
        for column, (of, name) in enumerate(self.moments, start=items):
            if of != group:
                continue
            by_vector = np.zeros(len(self.base))
            if name == "mean":
                slope_of = layout.slope_of[layout.intercepts]
                np.add.at(by_vector, slope_of, gradient[layout.intercepts])
            else:
                by_vector[layout.slopes] = gradient[layout.slopes]
            found[:items, column] = found[column, :items] = self.matrix.T @ by_vector
        return found


def constrain(
    layout: Layout, items: pd.Index, groups: int, fixed: Mapping[int, Mapping[str, float]]
) -> Constraints:
    """What is free under the models, with some item parameters fixed.

    Parameters
    ----------
    layout : Layout
        The items.
    items : Index
        Their labels, for messages.
    groups : int
        Number of groups; the first is the reference.
    fixed : mapping of item number → name → value
        Values in the parameter vector (logits for c and u), by `ResponseModel.reported` names.
    """
    base = np.zeros(layout.total)
    columns: dict[tuple[int, str], FloatArray] = {}
    for item, (model, start) in enumerate(zip(layout.models, layout.starts, strict=True)):
        given = fixed.get(item, {})
        unknown = [name for name in given if name not in model.reported]
        if unknown:
            raise MeasureError(
                f"fixed has the parameter {shown(unknown[0])} for item "
                f"{shown(items[item])}, a {model.name} item: its parameters are "
                f"{', '.join(model.reported)}"
            )
        base[start : start + len(model.parameters)] = model.constants(given)
        for own in model.free_parameters(given):
            key = (-1 if own.shared else item, own.name)
            column = columns.setdefault(key, np.zeros(layout.total))
            for place, factor in own.factors.items():
                column[start + place] = factor
    letters = {name[0] for given in fixed.values() for name in given}
    moments = [(0, "mean")] if "d" in letters else []
    if "a" in letters or any(model.unit_slope for model in layout.models):
        moments.append((0, "sd"))
    moments += [(group, name) for group in range(1, groups) for name in ("mean", "sd")]
    matrix = np.stack([*columns.values()], axis=1) if columns else np.zeros((layout.total, 0))
    return Constraints(layout, base, matrix, [*columns], groups, moments)
