"""What all pictures share: colours, axes, captions. matplotlib is imported at the first picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lrnanalysis.errors import MeasureError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BLACK",
    "BLUE",
    "GREY",
    "KINDS",
    "ORANGE",
    "RED",
    "SKY",
    "finish",
    "needed",
    "new_axes",
    "seconds_axis",
    "whole_axis",
]

#: Okabe and Ito's colours, which colour-blind readers tell apart.
BLACK, ORANGE, SKY = "#000000", "#E69F00", "#56B4E9"
BLUE, RED, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#999999"

#: Kind of cell → colour, from the best answer to no answer.
KINDS = {
    "right": BLUE,
    "partial": SKY,
    "wrong": ORANGE,
    "omitted": RED,
    "not reached": BLACK,
    "unmarked": PURPLE,
    "not administered": "#EEEEEE",
}


def new_axes(ax: Axes | None, *, width: float = 7.0, height: float = 4.2) -> Axes:
    """Give the axes to draw on: those of the caller, or new ones of notebook size [inch]."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def finish(ax: Axes, *, x: str, y: str, title: str, caption: str = "") -> Axes:
    """Label axes, and say n and the rule below the title."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_title(f"{title}\n" if caption else title, loc="left", fontsize=11)
    if caption:
        ax.annotate(
            caption,
            (0, 1),
            xytext=(0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            color="#555555",
        )
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def seconds_axis(ax: Axes, which: str = "x") -> None:
    """Make an axis of times logarithmic, with plain numbers of seconds."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(ax, f"set_{which}scale")("log")
    axis = getattr(ax, f"{which}axis")
    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if high > 20 * low else (1, 1.5, 2, 3, 4, 5, 7)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def whole_axis(ax: Axes) -> None:
    """Count items on the x axis: whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def needed(values: pd.Series | pd.DataFrame, what: str) -> None:
    """Refuse to draw an empty picture."""
    if len(values) == 0 or not values.notna().to_numpy().any():
        raise MeasureError(f"there is no {what} to draw: select sessions that have some")
