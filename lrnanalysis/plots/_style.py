"""What all pictures share: colours, axes, captions. matplotlib is imported at the first picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

__all__ = [
    "BLACK",
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "KINDS",
    "MARKERS",
    "ORANGE",
    "RED",
    "SKY",
    "label_axes",
    "legend_outside",
    "line_style",
    "name_points",
    "new_axes",
    "require_data",
    "seconds_axis",
    "whole_axis",
]

#: Okabe and Ito's colours, which colour-blind readers tell apart.
BLACK, ORANGE, SKY = "#000000", "#E69F00", "#56B4E9"
BLUE, RED, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#999999"
GREEN = "#009E73"

#: Colours and markers of several lines or kinds of points, to be gone round together.
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

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

#: Width of a caption's character [inch].
_CHARACTER = 0.07


def new_axes(ax: Axes | None, *, width: float = 7.0, height: float = 4.2) -> Axes:
    """Give the axes to draw on: those of the caller, or new ones of notebook size [inch]."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def label_axes(ax: Axes, *, x: str, y: str, title: str, caption: str = "") -> Axes:
    """Label axes, and say n and the rule below the title."""
    lines = textwrap.wrap(caption, max(24, int(_room(ax) / _CHARACTER)))
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_title(title + "\n" * len(lines), loc="left", fontsize=11)
    if lines:
        said = ax.annotate(
            "\n".join(lines),
            (0, 1),
            xytext=(0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=9,
            color="#555555",
        )
        # The title keeps its place; a wide text would squeeze the axes of a grid of pictures.
        said.set_in_layout(False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _room(ax: Axes) -> float:
    """Width for a caption [inch]: that of the axes, or up to the edge of their own figure."""
    box = ax.get_position()
    wide = ax.figure.bbox.width / ax.figure.dpi
    return wide * (box.width if len(ax.figure.axes) > 1 else 1 - box.x0)


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


def require_data(values: pd.Series | pd.DataFrame, what: str) -> None:
    """Refuse to draw an empty picture."""
    if len(values) == 0 or not values.notna().to_numpy().any():
        raise MeasureError(f"there is no {what} to draw: select sessions that have some")


def legend_outside(ax: Axes, *, title: str | None = None) -> None:
    """Put the legend to the right of the axes, where it hides nothing; inside in a grid."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False}
    if len(ax.figure.axes) > 1:
        place = {"loc": "best", "framealpha": 0.85, "edgecolor": "none"}
    ax.legend(fontsize=9, title=title, title_fontsize=9, alignment="left", **place)


def line_style(number: int) -> tuple[str, str]:
    """Colour and marker of the so many-th of several lines; 49 go by before they repeat."""
    colour = number % len(COLOURS)
    return COLOURS[colour], MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]


def name_points(
    ax: Axes,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    names: Sequence[object],
    always: npt.ArrayLike,
    *,
    size: float = 7.5,
) -> None:
    """Write names beside points where they cover neither points nor other names.

    Call it when the limits of the axes are set. A name that finds no room is left out, but for
    those of `always`, which are placed first; one that is None has only to be kept clear of.
    """
    # Legends and labels make the axes smaller only when they are laid out.
    ax.figure.canvas.figure.draw_without_rendering()
    points = ax.transData.transform(np.column_stack([x, y]).astype(np.float64))
    dot = ax.figure.dpi / 72
    first = np.asarray(always, dtype=bool)
    frame = ax.get_window_extent()
    # Boxes that are taken: left, bottom, right, top [pixels].
    taken = np.column_stack([points - 4 * dot, points + 4 * dot])
    high = 1.1 * size * dot
    for at in np.argsort(~first, kind="stable"):
        if names[at] is None:
            continue
        wide = 0.6 * size * dot * len(str(names[at]))
        boxes = np.array([_box(points[at], wide, high, dot, *side) for side in _SIDES])
        hits = [
            int(((taken[:, :2] < box[2:]) & (taken[:, 2:] > box[:2])).all(axis=1).sum())
            + 100 * int(box[0] < frame.x0 or box[2] > frame.x1)
            for box in boxes
        ]
        best = int(np.argmin(hits))
        if hits[best] and not first[at]:
            continue
        taken = np.vstack([taken, boxes[best]])
        name = ax.annotate(
            str(names[at]),
            ax.transData.inverted().transform(points[at]).tolist(),
            xytext=((boxes[best][:2] - points[at]) / dot).tolist(),
            textcoords="offset points",
            fontsize=size,
            va="bottom",
        )
        name.set_in_layout(False)


#: Where a name may stand: across and up from its point, the best place first.
_SIDES = (
    *((1, 0.6), (1, -0.6), (-1, 0.6), (-1, -0.6), (0, 1.2), (0, -1.2)),
    *((1, 1.6), (-1, 1.6), (1, -1.6), (-1, -1.6), (0, 2.2), (0, -2.2)),
)


def _box(
    point: npt.NDArray[np.float64], wide: float, high: float, dot: float, across: int, up: float
) -> npt.NDArray[np.float64]:
    """The box of a name to the right (1), the left (-1) or in the middle (0) of its point."""
    start = {1: 5 * dot, -1: -5 * dot - wide, 0: -wide / 2}[across]
    left, base = point[0] + start, point[1] + 9 * dot * up - high / 2
    return np.array([left, base, left + wide, base + high])
