"""Picture of the persons × items matrix in Guttman order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.measures import scores
from lrnanalysis.plots._style import KINDS, label_axes, new_axes, require_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["guttman"]

_WORTH = {"right": 1.0, "partial": 0.5}


def guttman(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    sessions: pd.DataFrame | None = None,
    most: int = 2000,
    ax: Axes | None = None,
) -> Axes:
    """Draw every cell's kind, persons from high to low and items from easy to hard.

    Parameters
    ----------
    items : DataFrame
        The items table.
    responses, sessions : DataFrame, optional
        As for `scores.cell_codes`: they tell kinds of missing, and which sessions are discarded.
    most : int, default 2000
        Draw so many persons at most, evenly over the order.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Items against persons, a colour a kind.

    Raises
    ------
    MeasureError
        The table is empty.

    References
    ----------
    Guttman, L. (1944). A basis for scaling qualitative data. American Sociological Review, 9,
    139-150.

    Examples
    --------
    >>> guttman(study.items, study.responses).get_xlabel()
    'items, easy to hard'
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    kinds = scores.cell_codes(items, responses, sessions=sessions)
    require_data(kinds, "cell")
    names = list(KINDS)
    codes = np.column_stack([pd.Categorical(kinds[item], names).codes for item in kinds])
    worth = np.array([_WORTH.get(name, 0.0) for name in names])[codes]
    worth[codes == names.index("not administered")] = np.nan
    persons = np.argsort(-np.nanmean(worth, axis=1), kind="stable")
    columns = np.argsort(-np.nanmean(worth, axis=0), kind="stable")
    if len(persons) > most:
        persons = persons[np.linspace(0, len(persons) - 1, most).astype(int)]
    ax = new_axes(ax, width=7.6, height=5.2)
    ax.imshow(
        codes[np.ix_(persons, columns)],
        aspect="auto",
        interpolation="nearest",
        cmap=ListedColormap(list(KINDS.values())),
        vmin=-0.5,
        vmax=len(names) - 0.5,
    )
    ax.set_xticks(range(len(columns)), [str(kinds.columns[at]) for at in columns])
    ax.tick_params(axis="x", rotation=90, labelsize=7 if len(columns) <= 60 else 4)
    ax.set_yticks([])
    present = [name for place, name in enumerate(names) if (codes == place).any()]
    ax.legend(
        handles=[Patch(color=KINDS[name], label=name) for name in present],
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        frameon=False,
        fontsize=9,
    )
    drawn = "" if len(persons) == len(kinds) else f", {len(persons):,} of them drawn"
    label_axes(
        ax,
        x="items, easy to hard",
        y="sessions, high to low",
        title="Guttman order of sessions and items",
        caption=f"n = {len(kinds):,} sessions{drawn}, {kinds.shape[1]} items",
    )
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax
