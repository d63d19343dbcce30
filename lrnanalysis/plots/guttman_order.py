"""Picture of the persons × items matrix in Guttman order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["guttman"]

#: Colour of each kind of cell, from the best answer to none; "" is the foreground of the style.
_COLOURS = {
    "right": style.BLUE,
    "partial": style.SKY,
    "wrong": style.ORANGE,
    "omitted": style.RED,
    "not reached": "",
    "rapid": style.YELLOW,
    "unmarked": style.PURPLE,
    "unscored": style.GREEN,
    "not administered": "none",
}


@checked
def guttman(
    scores: pd.DataFrame, cells: pd.DataFrame, *, most: int = 2000, ax: Axes | None = None
) -> Axes:
    """Draw the kind of every cell, persons from high to low and items from easy to hard.

    Parameters
    ----------
    scores : DataFrame, persons × items
        Scores [points or shares], NaN where nothing counts: they give the order.
    cells : DataFrame, persons × items
        Kind of each cell, as `lrnanalysis.scores.cell_matrix` returns them.
    most : int, default 2000
        Maximum number of persons drawn, spread evenly over the order.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Items against persons, one colour per kind.

    Raises
    ------
    MeasureError
        The matrices are empty or have different labels.

    References
    ----------
    Guttman, L. (1944). A basis for scaling qualitative data. American Sociological Review, 9,
    139-150.

    Examples
    --------
    >>> analysis = study.analysis()
    >>> guttman(analysis.scores, analysis.cells).get_xlabel()
    'items, easy to hard'
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    if not (scores.index.equals(cells.index) and scores.columns.equals(cells.columns)):
        raise MeasureError(
            f"scores ({len(scores)} × {scores.shape[1]}) and cells ({len(cells)} × "
            f"{cells.shape[1]}) differ in rows or columns: take both from one analysis"
        )
    style.require_data(cells, "cell")
    highest = scores.max()
    shares = scores / highest.where(highest > 0, 1.0)
    persons = np.argsort(-shares.mean(axis=1).to_numpy(), kind="stable")
    columns = np.argsort(-shares.mean().to_numpy(), kind="stable")
    if len(persons) > most:
        persons = persons[np.linspace(0, len(persons) - 1, most).astype(int)]
    shown = cells.iloc[persons, columns]
    codes = np.column_stack(
        [pd.Categorical(kind, list(_COLOURS)).codes for _, kind in shown.items()]
    )
    ax = style.new_axes(ax, width=float(np.clip(3 + 0.14 * len(columns), 7.6, 14)), height=5.2)
    colours = [colour or style.foreground(ax) for colour in _COLOURS.values()]
    ax.imshow(
        codes,
        aspect="auto",
        interpolation="nearest",
        cmap=ListedColormap(colours),
        vmin=-0.5,
        vmax=len(colours) - 0.5,
    )
    ax.set_xticks(range(len(columns)), [str(item) for item in shown.columns])
    ax.tick_params(axis="x", rotation=90, labelsize=style.tick_size(ax, "x", len(columns)))
    ax.set_yticks([])
    style.legend_outside(
        ax,
        handles=[
            Patch(facecolor=colour, edgecolor=style.GREY, linewidth=0.5, label=kind)
            for place, (kind, colour) in enumerate(zip(_COLOURS, colours, strict=True))
            if (codes == place).any()
        ],
    )
    noun = style.row_noun(scores)
    drawn = "" if len(shown) == len(cells) else f", {len(shown):,} of them drawn"
    style.label_axes(
        ax,
        x="items, easy to hard",
        y=f"{noun}, high to low",
        title=f"Guttman order of {noun} and items",
        caption=f"n = {len(cells):,} {noun}{drawn}, {len(columns)} items",
    )
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax
