"""Picture of local dependence: a heat map of residual correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import check_above
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrnanalysis.measures.irt import IRTModel

__all__ = ["local_dependence"]


@checked
def local_dependence(
    model: IRTModel | pd.DataFrame, *, limit: float = 0.2, ax: Axes | None = None
) -> Axes:
    """Draw the correlations between the residuals of items (Q3).

    Parameters
    ----------
    model : IRTModel or DataFrame
        A fitted model, or its ``local_dependence()``.
    limit : float, default 0.2
        Pairs that exceed the mean of all pairs by more than this are outlined.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Lower triangle of items against items, coloured by correlation; pairs without persons in
        common stay empty.

    Raises
    ------
    MeasureError
        There are fewer than two items.

    References
    ----------
    Yen, W. M. (1984). doi:10.1177/014662168400800201
    Christensen, K. B., Makransky, G. & Horton, M. (2017). doi:10.1177/0146621616677520 (distance
    from the mean; the critical value depends on the test)

    Examples
    --------
    >>> matrix = study.analysis().scores
    >>> model = lrn.irt.fit(matrix[["item-01", "item-04", "item-05", "item-07"]], "2PL")
    >>> local_dependence(model).get_title(loc="left").strip()
    'Local dependence (Q3)'
    """
    from matplotlib.patches import Rectangle

    check_above("limit", limit)
    if isinstance(model, pd.DataFrame):
        if not model.index.equals(model.columns):
            raise MeasureError(
                f"model is {shown(model)}, not items × items: pass a model, or the result of its "
                "local_dependence()"
            )
        found, persons = model, ""
    else:
        found, persons = model.local_dependence(), f"{model.persons:,.0f} persons, "
    k = len(found)
    if k < 2:
        raise MeasureError(f"the model has {k} items: local dependence is between two")
    values = found.to_numpy(dtype=np.float64).copy()
    values[np.triu_indices(k)] = np.nan
    style.require_data(pd.Series(values.ravel()), "pair of items with persons in common")
    pairs = values[~np.isnan(values)]
    mean = float(pairs.mean())
    largest = max(0.3, float(np.abs(pairs).max()))
    names = [str(item) for item in found.columns]
    side = float(np.clip((0.45 if k <= 12 else 0.24) * k, 4.2, 10.0))
    label = 0.07 * max(map(len, names))
    ax = style.new_axes(ax, width=max(7.0, side + label + 1.8), height=side + label + 0.9)
    image = ax.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    high = np.argwhere(values > mean + limit)
    for row, column in high:
        ax.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=style.BLACK, linewidth=1.5
            )
        )
    if k <= 12 and ax.get_window_extent().width / ax.figure.dpi >= 0.3 * k:
        for row, column in np.argwhere(~np.isnan(values)):
            value = values[row, column]
            ax.annotate(
                f"{value:.2f}".replace("0.", "."),
                (column, row),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if abs(value) > 0.6 * largest else style.BLACK,
            )
    small = style.tick_size(ax, "x", k)
    ax.set_xticks(range(k - 1), names[:-1], rotation=90, fontsize=small)
    ax.set_yticks(range(1, k), names[1:], fontsize=small)
    ax.set_xlim(-0.5, k - 1.5)
    ax.set_ylim(k - 0.5, 0.5)
    ax.set_anchor("NW")
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.1, 0.04, 0.8)))
    bar.set_label("Q3 [correlation of residuals]")
    style.label_axes(
        ax,
        x="item",
        y="item",
        title="Local dependence (Q3)",
        caption=f"n = {persons}{len(pairs):,} pairs of {k} items, mean {mean:.2f}; outlined: "
        f"{len(high):,} above mean + {limit:g}",
    )
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax
