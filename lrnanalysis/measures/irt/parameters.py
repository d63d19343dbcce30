"""Estimates in the terms of the field: slopes, difficulties, thresholds, with standard errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.measures._checks import FloatArray, IntArray
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
    columns: dict[str, FloatArray] = {}

    def put(items: IntArray, name: str, value: FloatArray, variance: FloatArray) -> None:
        for key, numbers in ((name, value), (f"{name}_se", np.sqrt(_positive(variance)))):
            columns.setdefault(key, np.full(len(layout.models), np.nan))[items] = numbers

    nominal = np.array([model == "NRM" for model in layout.models]) & (layout.steps > 1)
    for block in layout.blocks:
        for free in (False, True):
            chosen = nominal[block.items] == free
            if not chosen.any():
                continue
            of, at, m = block.items[chosen], block.at[chosen], block.steps
            p, c = raw[at], covariance[at[:, :, None], at[:, None, :]]
            v = np.diagonal(c, axis1=1, axis2=2)
            slopes = m if block.kind == "nominal" else 1
            for k in range(m if free else 1):
                put(of, f"a{k + 1}" if free else "a", p[:, k], v[:, k])
            for k in range(m):
                suffix = "" if m == 1 else str(k + 1)
                put(of, f"d{suffix}", p[:, slopes + k], v[:, slopes + k])
                if not free:
                    put(of, f"b{suffix}", *_location(p, c, slopes + k, block.kind, k))
            for name, place in (("c", 2), ("u", 3)):
                if block.kind == "asymptotes" and place < p.shape[1]:
                    value = special.expit(p[:, place])
                    value = np.where(np.abs(p[:, place]) >= 40, p[:, place] > 0, value)
                    put(of, name, value, (value * (1 - value)) ** 2 * v[:, place])
    names = sorted(columns, key=_rank)
    table = pd.DataFrame(np.stack([columns[name] for name in names], axis=1), items, names)
    table.insert(0, "model", pd.Series(list(layout.models), items, dtype="str"))
    return table


def _positive(variance: FloatArray) -> FloatArray:
    """Variances, NaN where there is none: the parameter was fixed."""
    return np.where(variance > 0, variance, np.nan)


def _location(
    p: FloatArray, c: FloatArray, at: int, kind: str, k: int
) -> tuple[FloatArray, FloatArray]:
    """b_k = −(d_k − d_{k−1}) / a for adjacent scores, −d_k / a else; and its variance."""
    # An item that was fixed with a slope of 0 has no location.
    a = np.where(p[:, 0] == 0, np.nan, p[:, 0])
    change = np.zeros(p.shape)
    step = p[:, at].copy()
    change[:, at] = -1 / a
    if kind == "nominal" and k > 0:
        change[:, at - 1] = 1 / a
        step -= p[:, at - 1]
    change[:, 0] = step / a**2
    return -step / a, np.einsum("ip,ipr,ir->i", change, c, change)


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
    errors, sd = np.full((design.groups, 2), np.nan), np.abs(latent[:, 1])
    for place, (group, name) in enumerate(design.moments, start=len(design.names)):
        variance = covariance[place, place]
        errors[group, int(name == "sd")] = np.sqrt(variance) if variance > 0 else np.nan
    return pd.DataFrame(
        {
            "persons": persons,
            "mean": latent[:, 0],
            "mean_se": errors[:, 0],
            "variance": latent[:, 1] ** 2,
            # At variance 0, the edge, it has no standard error.
            "variance_se": np.where(sd > 1e-3, 2 * sd * errors[:, 1], np.nan),
        },
        index=groups.rename("group"),
    )
