"""Estimates in the terms of the field: slopes, difficulties, thresholds, with standard errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.estimation.constraints import AT_EDGE
from lrnanalysis.measures.irt.results.estimates import NO_SPREAD, Estimates

__all__ = ["covariance_table", "group_table", "item_table"]


def covariance_table(estimates: Estimates) -> pd.DataFrame:
    """Covariance of the free parameters, labelled (item or group, parameter)."""
    constraints, items = estimates.constraints, estimates.items
    names = [("all items" if item < 0 else items[item], name) for item, name in constraints.names]
    names += [(estimates.groups[group], name) for group, name in constraints.moments]
    labels = pd.MultiIndex.from_tuples(names, names=["of", "parameter"])
    return pd.DataFrame(estimates.covariance, index=labels, columns=labels)


def item_table(estimates: Estimates) -> pd.DataFrame:
    """One row per item: every parameter and its standard error."""
    layout, matrix = estimates.layout, estimates.constraints.matrix
    size = matrix.shape[1]
    covariance = matrix @ np.nan_to_num(estimates.covariance[:size, :size]) @ matrix.T
    columns: dict[str, FloatArray] = {}

    def put(items: IntArray, name: str, value: FloatArray, variance: FloatArray) -> None:
        # Without a variance the parameter was fixed.
        error = np.sqrt(np.where(variance > 0, variance, np.nan))
        for key, numbers in ((name, value), (f"{name}_se", error)):
            columns.setdefault(key, np.full(len(layout.models), np.nan))[items] = numbers

    for model in dict.fromkeys(layout.models):
        block = layout.block([item for item, own in enumerate(layout.models) if own == model])
        p, c = estimates.parameter_vector[block.at], covariance[block.square]
        for name, place in model.reported.items():
            value, variance = p[:, place], c[:, place, place]
            if name in ("c", "u"):
                value = special.expit(value)
                value = np.where(np.abs(p[:, place]) >= AT_EDGE, p[:, place] > 0, value)
                variance = (value * (1 - value)) ** 2 * variance
            put(block.items, name, value, variance)
        if model.has_locations:
            names = [name.replace("d", "b") for name in model.reported if name[0] == "d"]
            for name, difference in zip(names, model.location_differences, strict=True):
                put(block.items, name, *_location(p, c, model.places("d"), difference))
    names = sorted(columns, key=_rank)
    table = pd.DataFrame(np.stack([columns[name] for name in names], 1), estimates.items, names)
    table.insert(0, "model", pd.Series([own.name for own in layout.models], table.index, "str"))
    return table


def _location(
    p: FloatArray, c: FloatArray, at: IntArray, difference: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Locations b = −Σ difference · d / a, and their variance."""
    # An item with a slope of 0 has no location.
    a = np.where(np.abs(p[:, 0]) <= NO_SPREAD, np.nan, p[:, 0])
    step = p[:, at] @ difference
    change = np.zeros(p.shape)
    change[:, at] = -difference / a[:, None]
    change[:, 0] = step / a**2
    return -step / a, np.einsum("ip,ipr,ir->i", change, c, change)


def _rank(column: str) -> tuple[int, int, bool]:
    """Order of columns: a, b, d, c, u; by number; the error after its value."""
    name = column.removesuffix("_se")
    number = int(name[1:]) if len(name) > 1 else 0
    return "abdcu".index(name[0]), number, column.endswith("_se")


def group_table(estimates: Estimates) -> pd.DataFrame:
    """One row per group: persons, latent mean and variance, standard errors (NaN if fixed)."""
    constraints, latent = estimates.constraints, estimates.latent
    errors, sd = np.full(latent.shape, np.nan), np.abs(latent[:, 1])
    for place, (group, name) in enumerate(constraints.moments, start=len(constraints.names)):
        variance = estimates.covariance[place, place]
        errors[group, int(name == "sd")] = np.sqrt(variance) if variance > 0 else np.nan
    return pd.DataFrame(
        {
            "persons": estimates.group_sizes,
            "mean": latent[:, 0],
            "mean_se": errors[:, 0],
            "variance": latent[:, 1] ** 2,
            # At variance 0, the edge, it has no standard error.
            "variance_se": np.where(sd > NO_SPREAD, 2 * sd * errors[:, 1], np.nan),
        },
        index=estimates.groups.rename("group"),
    )
