"""Fixed anchors: new items calibrated straight onto the scale of known ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures.irt import IRTModel, fit
from lrnanalysis.measures.irt.estimation.anchors import Calibration

__all__ = ["fixed_anchors"]


def fixed_anchors(
    matrix: pd.DataFrame,
    base: pd.DataFrame | Calibration,
    *,
    model: str | Mapping[Hashable, str] = "2PL",
    common: Iterable[Hashable] | None = None,
    **options: Any,
) -> IRTModel:
    """Calibrate a matrix on the scale of a base, whose common items keep their parameters.

    The persons' mean and variance on the base's scale are estimated along with the new items, so
    that no change of scale is needed afterwards.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Integer scores [points] of the new persons, on common and new items.
    base : DataFrame or fitted model
        Item parameters, one row per item: columns as in a fitted model's ``items``.
    model : str, or mapping of item → str
        Model of the new items; common ones keep the base's ``model`` where it names one.
    common : iterable of item labels, optional
        The items to fix; by default all that both have.
    **options
        Further arguments of `lrnanalysis.irt.fit`.

    Returns
    -------
    IRTModel
        Its ``items`` hold the fixed parameters, without standard errors, and the new ones;
        ``groups`` the persons' mean and variance on the base's scale.

    Raises
    ------
    MeasureError
        If matrix and base share no item, `common` has others, or as `lrnanalysis.irt.fit`.

    References
    ----------
    Kim, S. (2006). doi:10.1111/j.1745-3984.2006.00021.x (fixed parameter calibration)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> items = pd.Index([f"item-{number}" for number in range(8)])
    >>> logit = rng.normal(1, 1, size=(2000, 1)) - np.linspace(-1, 1, 8)
    >>> matrix = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit), columns=items)
    >>> base = pd.DataFrame({"a": 1.0, "b": np.linspace(-1, 1, 8)[:5]}, index=items[:5])
    >>> found = fixed_anchors(matrix, base)
    >>> bool(abs(found.groups["mean"].iloc[0] - 1) < 0.1)
    True
    """
    table = base if isinstance(base, pd.DataFrame) else base.items
    shared: list[Hashable] = [item for item in matrix.columns if item in table.index]
    if common is not None:
        wanted = list(common)
        lost = [item for item in wanted if item not in shared]
        if lost:
            raise MeasureError(
                f"common has {shown(lost[0])}, which matrix and base do not both have"
            )
        shared = wanted
    if not shared:
        raise MeasureError(
            f"the matrix ({matrix.shape[1]} items) and base ({len(table)} items) share no item: "
            "anchors need some, better ten or more"
        )
    anchors = table.loc[shared]
    given: dict[Hashable, str] = {}
    for item in matrix.columns:
        if not isinstance(model, str) and item not in model:
            raise MeasureError(f"model has no entry for item {shown(item)}: add one")
        given[item] = model if isinstance(model, str) else model[item]
    if "model" in anchors.columns:
        given |= anchors["model"].to_dict()
    return fit(matrix, given, fixed=anchors, **options)
