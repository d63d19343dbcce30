"""The change of scale between two calibrations of common items."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import FloatArray, choice, with_attrs
from lrnanalysis.measures.irt.estimation.anchors import Calibration
from lrnanalysis.measures.linking._table import ItemTable

__all__ = ["Link", "LinkMethod", "link"]

LinkMethod = Literal["stocking-lord", "haebara", "mean/sigma", "mean/mean"]

#: Interquartile range of a normal distribution, in standard deviations: robust z's unit.
_IQR = 1.3489795003921634


@dataclass(frozen=True, eq=False)
class Link:
    """The linear change of scale between two calibrations.

    Attributes
    ----------
    slope, intercept : float
        A and B of θ_base = A θ_new + B.
    method : str
        How they were found.
    items : DataFrame
        One row per common item: ``a``, ``b`` (and ``b1`` …) of the new calibration on the base's
        scale, ``a_base``, ``b_base`` …; ``b_difference``, new − base, of the item's mean
        location; ``robust_z`` of that difference among the common items (beyond ±1.645 an item
        may have drifted); ``rmsd``, the root mean squared difference of the two expected item
        scores, as a share of the item's highest score, over the ability distribution.
    """

    slope: float
    intercept: float
    method: str
    items: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"Link(slope={self.slope:.5f}, intercept={self.intercept:.5f}, "
            f"method={self.method!r}, common items={len(self.items)})"
        )

    def abilities(self, values: pd.Series | Sequence[float] | FloatArray) -> pd.Series:
        """Abilities of the new calibration on the base's scale.

        Examples
        --------
        >>> Link(2.0, 1.0, "given", pd.DataFrame()).abilities([0.0, 1.0]).tolist()
        [1.0, 3.0]
        """
        index = values.index if isinstance(values, pd.Series) else None
        moved = self.slope * np.asarray(values, dtype=np.float64) + self.intercept
        return pd.Series(moved, index=index, name="ability")

    def errors(self, values: pd.Series | Sequence[float] | FloatArray) -> pd.Series:
        """Standard errors of abilities, in the base's unit."""
        index = values.index if isinstance(values, pd.Series) else None
        moved = self.slope * np.asarray(values, dtype=np.float64)
        return pd.Series(moved, index=index, name="se")

    def parameters(self, new: pd.DataFrame | Calibration) -> pd.DataFrame:
        """Slopes and locations of items of the new calibration on the base's scale.

        Parameters
        ----------
        new : DataFrame or fitted model
            As for `link`; all of its items, common or not.

        Returns
        -------
        DataFrame
            The same rows; ``a``, ``b``, ``b1`` … changed, asymptotes and ``model`` as they were,
            other columns left out.
        """
        return ItemTable.of(new, "new", None).moved(self.slope, self.intercept).frame()


def link(
    new: pd.DataFrame | Calibration,
    base: pd.DataFrame | Calibration,
    *,
    method: LinkMethod = "stocking-lord",
    common: Iterable[Hashable] | None = None,
    model: Literal["GRM", "GPCM"] | None = None,
    theta: Sequence[float] | FloatArray | None = None,
    weights: Sequence[float] | FloatArray | None = None,
    symmetric: bool = False,
) -> Link:
    """Put a calibration on the scale of another, by the items that they share.

    Parameters
    ----------
    new, base : DataFrame or fitted model
        Item parameters, one row per item: ``a`` and ``b``, or thresholds ``b1``, ``b2`` … for
        partial credit; ``c`` (or ``g``) lower and ``u`` upper asymptote; ``model`` where models are
        mixed. Logits are a (θ − b), without a factor 1.7.
    method : "stocking-lord", "haebara", "mean/sigma" or "mean/mean"
        Least squares between expected test scores; between the probabilities of all scores of
        every item, the lowest included; equal means and spreads of the locations; equal mean
        slopes and mean locations.
    common : iterable of item labels, optional
        The items to link by; by default all that both have.
    model : "GRM" or "GPCM", optional
        What thresholds mean where the tables have no column ``model``.
    theta, weights : sequence of float, optional
        Abilities on the base's scale, and their weights, over which the curves are compared; by
        default 81 points from −4 to 4 with the density of a standard normal distribution.
    symmetric : bool
        Compare the curves on both scales, so that linking backwards gives the inverse.

    Returns
    -------
    Link
        Slope and intercept, and how far each common item fits them.

    Raises
    ------
    MeasureError
        If there are too few common items, they differ in kind or number of thresholds, or
        parameters are missing.

    References
    ----------
    Stocking, M. L. & Lord, F. M. (1983). doi:10.1177/014662168300700208
    Haebara, T. (1980). doi:10.4992/psycholres1954.22.144
    Marco, G. L. (1977). doi:10.1111/j.1745-3984.1977.tb00033.x (mean/sigma)
    Loyd, B. H. & Hoover, H. D. (1980). doi:10.1111/j.1745-3984.1980.tb00825.x (mean/mean)
    Kim, S. & Lee, W.-C. (2006). doi:10.1111/j.1745-3984.2006.00004.x (partial credit)

    Examples
    --------
    >>> base = pd.DataFrame(
    ...     {"a": [0.8, 1.2, 1.0], "b": [-1.0, 0.2, 1.1]}, index=["item-1", "item-2", "item-3"]
    ... )
    >>> new = pd.DataFrame({"a": base["a"] * 1.5, "b": (base["b"] - 0.4) / 1.5})
    >>> link(new, base)
    Link(slope=1.50000, intercept=0.40000, method='stocking-lord', common items=3)
    """
    choice("method", method, ("stocking-lord", "haebara", "mean/sigma", "mean/mean"))
    one, two = ItemTable.of(new, "new", model), ItemTable.of(base, "base", model)
    shared = _common(one, two, common)
    one, two = one.take(shared), two.take(shared)
    points, weight = _abilities(theta, weights)
    if method in ("mean/sigma", "mean/mean"):
        slope, intercept = _by_moments(one, two, spread=method == "mean/sigma")
    else:
        slope, intercept = _by_curves(
            one, two, points, weight, items=method == "haebara", symmetric=symmetric
        )
    return Link(slope, intercept, method, _fit(one, two, slope, intercept, points, weight))


def _common(one: ItemTable, two: ItemTable, wanted: Iterable[Hashable] | None) -> pd.Index:
    """The items to link by."""
    shared = one.items[one.items.isin(two.items)]
    if wanted is not None:
        chosen = pd.Index(list(wanted))
        lost = chosen.difference(shared)
        if len(lost):
            raise MeasureError(f"common has {shown(lost[0])}, which new and base do not both have")
        shared = chosen
    if len(shared) == 0:
        raise MeasureError(
            f"new ({len(one.items)} items) and base ({len(two.items)}) share no item: linking "
            "needs some, better ten or more"
        )
    first, second = one.take(shared), two.take(shared)
    for at, (item, own, other) in enumerate(
        zip(shared, first.layout.models, second.layout.models, strict=True)
    ):
        if type(own) is not type(other) or own.steps != other.steps:
            raise MeasureError(
                f"item {shown(item)} is {first.names[at]} with {own.steps} locations in new and "
                f"{second.names[at]} with {other.steps} in base: leave it out of common"
            )
    return shared


def _abilities(
    theta: Sequence[float] | FloatArray | None, weights: Sequence[float] | FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    points = np.linspace(-4, 4, 81) if theta is None else np.asarray(theta, dtype=np.float64)
    if weights is None:
        mass = np.asarray(stats.norm.pdf(points)) if theta is None else np.ones(len(points))
    else:
        mass = np.asarray(weights, dtype=np.float64)
    if points.shape != mass.shape or points.ndim != 1 or not (mass >= 0).all() or mass.sum() <= 0:
        raise MeasureError(
            f"theta has the shape {points.shape} and weights {mass.shape}: give one weight of 0 "
            "or more per ability"
        )
    return points, mass / mass.sum()


def _by_moments(one: ItemTable, two: ItemTable, *, spread: bool) -> tuple[float, float]:
    """Mean/sigma with `spread`, mean/mean without; thresholds count one by one."""
    first, second = (table.locations[~np.isnan(table.locations)] for table in (one, two))
    if spread:
        if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
            raise MeasureError(
                f"the {len(first)} locations of the common items do not differ: mean/sigma needs "
                'two that do; use method="mean/mean"'
            )
        slope = float(second.std() / first.std())
    else:
        slope = float(one.slopes.mean() / two.slopes.mean())
    return slope, float(second.mean() - slope * first.mean())


def _by_curves(
    one: ItemTable,
    two: ItemTable,
    points: FloatArray,
    weight: FloatArray,
    *,
    items: bool,
    symmetric: bool,
) -> tuple[float, float]:
    """Stocking and Lord's criterion, or with `items` Haebara's."""
    root = np.sqrt(weight)

    unmoved = one.probabilities(points), two.probabilities(points)

    def apart(moved: FloatArray, other: FloatArray) -> FloatArray:
        gaps = (moved - other) * root
        return (gaps if items else _expected(gaps).sum(axis=0)).ravel()

    def residuals(at: FloatArray) -> FloatArray:
        slope, intercept = float(np.exp(at[0])), float(at[1])
        there = apart(one.probabilities(points, slope, intercept), unmoved[1])
        if not symmetric:
            return there
        back = two.probabilities(points, 1 / slope, -intercept / slope)
        return np.concatenate([there, apart(back, unmoved[0])])

    slope, intercept = _by_moments(one, two, spread=False)
    found = optimize.least_squares(
        residuals,
        [np.log(slope), intercept],
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
        max_nfev=500,
    )
    if not found.success:
        raise MeasureError(
            "the distance of the common items' curves could not be minimised: look for items that "
            'changed, or use method="mean/sigma"'
        )
    return float(np.exp(found.x[0])), float(found.x[1])


def _expected(probabilities: FloatArray) -> FloatArray:
    """Expected scores, from probabilities of the scores (items, scores, abilities)."""
    score = np.arange(probabilities.shape[1], dtype=np.float64)
    return np.asarray(np.einsum("ikq,k->iq", probabilities, score))


def _fit(
    one: ItemTable,
    two: ItemTable,
    slope: float,
    intercept: float,
    points: FloatArray,
    weight: FloatArray,
) -> pd.DataFrame:
    """How far each common item is from where the link puts it."""
    moved = one.moved(slope, intercept)
    reference = two.frame().drop(columns="model")
    table = moved.frame().join(reference.add_suffix("_base"))
    difference = moved.means - two.means
    low, middle, high = np.quantile(difference, [0.25, 0.5, 0.75])
    spread = (high - low) / _IQR
    gaps = _expected(moved.probabilities(points) - two.probabilities(points))
    table["b_difference"] = difference
    # Differences that are rounding errors have no spread to be judged by.
    table["robust_z"] = (difference - middle) / spread if spread > 1e-9 else np.nan
    table["rmsd"] = np.sqrt(gaps**2 @ weight) / moved.steps
    return with_attrs(table, {"measure": "link", "rmsd": "share of the item's highest score"})
