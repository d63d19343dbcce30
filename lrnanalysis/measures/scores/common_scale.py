"""Points of an item on one scale, where sessions give it different maxima."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from lrnanalysis.measures.matrices import Keys
from lrnanalysis.measures.scores.cell_kinds import Cells
from lrnanalysis.warnings import DataWarning, warn

__all__ = ["Maxima", "describe_maxima", "on_common_scale"]

#: Maxima of the items that have several, ascending [points].
Maxima = dict[Hashable, tuple[float, ...]]


def on_common_scale(cells: Cells, columns: Keys) -> tuple[Cells, Maxima]:
    """Rescale the points of every item that has several maxima to the highest of them.

    A cell keeps its share of the points that could be had in its session, so that a mean over the
    item's maximum is the mean of these shares. Cells without a maximum above 0 keep their points.

    Parameters
    ----------
    cells : Cells
        Rows of a long table.
    columns : Keys
        Item (or question) of every row.

    Returns
    -------
    (Cells, dict)
        The cells, and the maxima of the items that were rescaled.

    Warns
    -----
    DataWarning
        An item was rescaled.
    """
    most, codes = cells.max_points, columns.codes
    last = np.full(len(columns.labels) + 1, np.nan)
    last[codes] = most
    rows = (most > 0) & (codes >= 0)
    # One comparison settles the usual case: every row has the maximum of the item's last row.
    affected = np.unique(codes[rows & (most != last[codes])])
    rows &= np.isin(codes, affected)
    found = {code: np.unique(most[rows & (codes == code)]) for code in affected}
    maxima: Maxima = {
        columns.labels[code]: tuple(several.tolist())
        for code, several in found.items()
        if len(several) > 1
    }
    if not maxima:
        return cells, {}
    highest = np.full(len(columns.labels), np.nan)
    highest[affected] = [several[-1] for several in found.values()]
    points, scale = cells.points.copy(), most.copy()
    scale[rows] = highest[codes[rows]]
    points[rows] *= scale[rows] / most[rows]
    warn(
        f"{describe_maxima(maxima)}: points are rescaled to the highest maximum, so that every "
        "answer keeps its share of the points that could be had",
        DataWarning,
    )
    return replace(cells, points=points, max_points=scale), maxima


def describe_maxima(maxima: Maxima) -> str:
    """Which items have several maxima, in words."""
    item, found = next(iter(maxima.items()))
    listed = " or ".join(f"{one:g}" for one in found)
    if len(maxima) == 1:
        return f"{str(item)!r} is worth {listed} points, depending on the session"
    return (
        f"{len(maxima)} items are worth different points in different sessions, such as "
        f"{str(item)!r} with {listed}"
    )
