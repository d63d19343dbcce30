"""Estimates in the terms of the field: slopes, difficulties, thresholds, with standard errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.design import Design
from lrnanalysis.measures.irt.models import Layout

__all__ = ["covariance_frame", "group_table", "item_table"]


def covariance_frame(
    design: Design, covariance: FloatArray, items: pd.Index, groups: pd.Index
) -> pd.DataFrame:
    """Covariance of the free parameters, labelled (item or group, parameter)."""
    names = [("all items" if item < 0 else items[item], name) for item, name in design.names]
    names += [(groups[group], name) for group, name in design.moments]
    labels = pd.MultiIndex.from_tuples(names, names=["of", "parameter"])
    return pd.DataFrame(covariance, index=labels, columns=labels)


def item_table(
    layout: Layout, raw: FloatArray, covariance: FloatArray, items: pd.Index
) -> pd.DataFrame:
    """One row an item: every parameter and its standard error.

    Parameters
    ----------
    layout : Layout
        The items.
    raw, covariance : array
        Flat parameters and their covariance.
    items : Index
        Labels.
    """
    rows = []
    variances = np.diag(covariance)
    for item, (model, kind) in enumerate(zip(layout.models, layout.kinds, strict=True)):
        first, m = int(layout.starts[item]), int(layout.steps[item])
        own = slice(first, first + int(layout.sizes[item]))
        p, v, c = raw[own], variances[own], covariance[own, own]
        row: dict[str, object] = {"model": model}

        def put(name: str, value: float, variance: float, row: dict[str, object] = row) -> None:
            row[name] = float(value)
            row[f"{name}_se"] = float(np.sqrt(variance)) if variance > 0 else np.nan

        slopes = m if kind == "nominal" else 1
        free_slopes = model == "NRM" and m > 1
        if free_slopes:
            for k in range(m):
                put(f"a{k + 1}", p[k], v[k])
        else:
            put("a", p[0], v[0])
        for k in range(m):
            at = slopes + k
            suffix = "" if m == 1 else str(k + 1)
            put(f"d{suffix}", p[at], v[at])
            if free_slopes or p[0] == 0:
                continue
            # b_k = −(d_k − d_{k−1}) / a for adjacent scores, −d_k / a for cumulative ones.
            change = np.zeros(len(p))
            change[at] = -1 / p[0]
            step = p[at]
            if kind == "nominal" and k > 0:
                change[at - 1] = 1 / p[0]
                step -= p[at - 1]
            change[0] = step / p[0] ** 2
            put(f"b{suffix}", -step / p[0], float(change @ c @ change))
        if kind == "asymptotes":
            for name, at in (("c", 2), ("u", 3)):
                value = 1 / (1 + np.exp(-p[at]))
                value = 0.0 if p[at] <= -40 else 1.0 if p[at] >= 40 else value
                put(name, value, (value * (1 - value)) ** 2 * v[at])
        rows.append(row)
    table = pd.DataFrame(rows, index=items)
    columns = sorted(table.columns.drop("model"), key=_rank)
    return table[["model", *columns]].astype({"model": "str"})


def _rank(column: str) -> tuple[int, int, bool]:
    """Order of columns: a, b, d, c, u; by number; the error after its value."""
    name = column.removesuffix("_se")
    number = int(name[1:]) if len(name) > 1 else 0
    return "abdcu".index(name[0]), number, column.endswith("_se")


def group_table(
    design: Design,
    latent: FloatArray,
    covariance: FloatArray,
    groups: pd.Index,
    persons: FloatArray,
) -> pd.DataFrame:
    """One row a group: persons, latent mean and variance with standard errors (NaN if fixed)."""
    errors = np.full((design.groups, 2), np.nan)
    for place, (group, name) in enumerate(design.moments, start=len(design.names)):
        variance = covariance[place, place]
        errors[group, int(name == "sd")] = np.sqrt(variance) if variance > 0 else np.nan
    return pd.DataFrame(
        {
            "persons": persons,
            "mean": latent[:, 0],
            "mean_se": errors[:, 0],
            "variance": latent[:, 1] ** 2,
            "variance_se": 2 * np.abs(latent[:, 1]) * errors[:, 1],
        },
        index=groups.rename("group"),
    )
