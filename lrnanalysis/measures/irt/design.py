"""Free parameters: what a model leaves free, shares or fixes, and the groups' latent moments.

The flat vector of all items' parameters is base + matrix · free: slopes of 1PL items are one free
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

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.irt.models import Layout

__all__ = ["Design", "design", "parameter_names"]


@dataclass(frozen=True, eq=False)
class Design:
    """What is free.

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

    def raw(self, free: FloatArray) -> FloatArray:
        """The flat item parameters."""
        return np.asarray(self.base + self.matrix @ free[: len(self.names)])

    def latent(self, free: FloatArray) -> FloatArray:
        """Mean and SD of every group, shape (groups, 2)."""
        found = np.tile([0.0, 1.0], (self.groups, 1))
        for value, (group, name) in zip(free[len(self.names) :], self.moments, strict=True):
            found[group, int(name == "sd")] = value
        return found

    def acting(self, raw: FloatArray, mean: float, sd: float) -> FloatArray:
        """Parameters as they act on a standard normal x."""
        found = raw.copy()
        found[self._intercepts] += mean * raw[self._slope_of]
        found[self.layout.slopes] *= sd
        return found

    @cached_property
    def sloping(self) -> BoolArray:
        """Which items have a slope that is free, alone or with others, shape (items,)."""
        return np.asarray(self.matrix[self.layout.starts].any(axis=1))

    @cached_property
    def _intercepts(self) -> IntArray:
        return np.flatnonzero(self.layout.slope_at >= 0)

    @cached_property
    def _slope_of(self) -> IntArray:
        return self.layout.slope_at[self._intercepts]

    def jacobian(self, free: FloatArray, group: int) -> FloatArray:
        """Derivatives of a group's acting parameters by the free ones."""
        if not self.moments:
            # Mean 0 and SD 1: the items act as they are.
            return self.matrix
        raw = self.raw(free)
        mean, sd = self.latent(free)[group]
        rows = self.matrix.copy()
        rows[self._intercepts] += mean * self.matrix[self._slope_of]
        rows[self.layout.slopes] *= sd
        extra = np.zeros((len(raw), len(self.moments)))
        for column, (of, name) in enumerate(self.moments):
            if of == group and name == "mean":
                extra[self._intercepts, column] = raw[self._slope_of]
            elif of == group:
                extra[self.layout.slopes, column] = raw[self.layout.slopes]
        return np.concatenate([rows, extra], axis=1)

    def bend(self, group: int, gradient: FloatArray) -> FloatArray:
        """Σ gradient · second derivatives of the acting parameters by the free ones."""
        found = np.zeros((self.size, self.size))
        items = len(self.names)
        for column, (of, name) in enumerate(self.moments, start=items):
            if of != group:
                continue
            by_raw = np.zeros(len(self.base))
            if name == "mean":
                np.add.at(by_raw, self._slope_of, gradient[self._intercepts])
            else:
                by_raw[self.layout.slopes] = gradient[self.layout.slopes]
            found[:items, column] = found[column, :items] = self.matrix.T @ by_raw
        return found


def parameter_names(layout: Layout, item: int) -> list[str]:
    """Names of an item's parameters in the order of the flat vector.

    Examples
    --------
    >>> parameter_names(Layout(("GRM",), np.array([2])), 0)
    ['a', 'd1', 'd2']
    """
    kind, m = layout.kinds[item], int(layout.steps[item])
    if kind == "asymptotes":
        return ["a", "d", "c", "u"][: int(layout.sizes[item])]
    intercepts = ["d"] if m == 1 else [f"d{k}" for k in range(1, m + 1)]
    if kind == "graded" or m == 1:
        return ["a", *intercepts]
    return [*(f"a{k}" for k in range(1, m + 1)), *intercepts]


def design(
    layout: Layout,
    items: pd.Index,
    groups: int,
    fixed: Mapping[int, Mapping[str, float]],
) -> Design:
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
        Values in the flat vector (logits for c and u); names as in `parameter_names`, or ``a`` for
        the slope of a GPCM item.
    """
    base = np.zeros(layout.total)
    columns: list[FloatArray] = []
    names: list[tuple[int, str]] = []
    shared: dict[str, int] = {}

    def free(item: int, name: str, *entries: tuple[int, float], key: str | None = None) -> None:
        if key is not None and key in shared:
            column = columns[shared[key]]
        else:
            column = np.zeros(layout.total)
            columns.append(column)
            names.append((-1 if key else item, key or name))
            if key is not None:
                shared[key] = len(columns) - 1
        for place, value in entries:
            column[place] = value

    unit_slope = anchored_slope = anchored_location = False
    for item, (model, m) in enumerate(zip(layout.models, layout.steps.tolist(), strict=True)):
        given = dict(fixed.get(item, {}))
        first = int(layout.starts[item])
        own = parameter_names(layout, item)
        unknown = [name for name in given if name not in {*own, "a"}]
        if unknown:
            raise MeasureError(
                f"fixed names {unknown[0]!r} of item {items[item]!r}, a {model} item: its "
                f"parameters are {', '.join(own)}"
            )
        places = dict(zip(own, range(first, first + len(own)), strict=True))
        slopes = [place for name, place in places.items() if name[0] == "a"]
        # PCM, RSM and GPCM: a_k = k a. NRM: free. All others have one slope.
        factors = np.arange(1, len(slopes) + 1, dtype=np.float64)
        if model in ("Rasch", "PCM", "RSM"):
            base[slopes] = given.get("a", 1.0) * factors
            unit_slope = True
        elif "a" in given:
            base[slopes] = given["a"] * factors
            anchored_slope = True
        elif model == "NRM" and m > 1:
            for name in own[:m]:
                if name in given:
                    base[places[name]] = given[name]
                    anchored_slope = True
                else:
                    free(item, name, (places[name], 1.0))
        else:
            entries = list(zip(slopes, factors, strict=True))
            free(item, "a", *entries, key="a" if model == "1PL" else None)
        intercepts = [name for name in own if name[0] == "d"]
        fixed_intercepts = [name for name in intercepts if name in given]
        if fixed_intercepts:
            anchored_location = True
            for name in fixed_intercepts:
                base[places[name]] = given[name]
        if model == "RSM" and m > 1 and not fixed_intercepts:
            steps = [(places[name], float(k)) for k, name in enumerate(intercepts, start=1)]
            free(item, "d", *steps)
            for k, name in enumerate(intercepts[:-1], start=1):
                free(item, name, (places[name], 1.0), key=f"t{k}/{m}")
        else:
            for name in intercepts:
                if name not in given:
                    free(item, name, (places[name], 1.0))
        for name in own:
            if name in ("c", "u"):
                if name in given:
                    base[places[name]] = given[name]
                else:
                    free(item, name, (places[name], 1.0))
    moments = [(0, "mean")] if anchored_location else []
    if unit_slope or anchored_slope:
        moments.append((0, "sd"))
    moments += [(group, name) for group in range(1, groups) for name in ("mean", "sd")]
    matrix = np.stack(columns, axis=1) if columns else np.zeros((layout.total, 0))
    return Design(layout, base, matrix, names, groups, moments)
