"""What all pictures share: colours, axes, captions. matplotlib is imported at the first picture."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import (
    BoolArray,
    FloatArray,
    PersonValues,
    person_values,
    whole_labels,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

#: Okabe and Ito's colours, which colour-blind readers can tell apart; black is for cells only,
#: lines take the `foreground` of the style in use.
BLACK, GREY = "#000000", "#999999"
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW = "#CC79A7", "#56B4E9", "#F0E442"

#: Colours and markers of several lines or kinds of points, see `line_style`.
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

#: Average width of a character [inch per point of font size].
_CHARACTER = 0.008

#: Font sizes of title and caption.
_TITLE, _CAPTION = 11, 9


def new_axes(ax: Axes | None, *, width: float = 7.0, height: float = 4.2) -> Axes:
    """Return the caller's axes, or new ones of notebook size [inch]."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def label_axes(ax: Axes, *, x: str, y: str, title: str, caption: str) -> Axes:
    """Label the axes; the caption, n and the rule, is below the title."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_title("\n".join(_wrap(ax, title, _TITLE)), loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    _caption(ax).set_text("")
    return add_footnote(ax, caption)


@checked
def add_footnote(ax: Axes, text: str) -> Axes:
    r"""Add a text below the caption of a picture, wrapped to its width.

    Parameters
    ----------
    ax : Axes
        Axes that a function of `lrnanalysis.plots` returned, or any others.
    text : str
        What to add, for instance the rules by which sessions were selected.

    Returns
    -------
    Axes
        The same axes.

    Examples
    --------
    >>> from matplotlib import pyplot
    >>> ax = label_axes(pyplot.figure().subplots(), x="x", y="y", title="Title", caption="n = 9")
    >>> add_footnote(ax, "completed sessions, first attempts").texts[0].get_text()
    'n = 9\ncompleted sessions, first attempts'
    """
    caption = _caption(ax)
    lines = [*caption.get_text().splitlines(), *_wrap(ax, text, _CAPTION)]
    caption.set_text("\n".join(lines))
    # The title makes room for the caption: the layout keeps only titles clear of other axes.
    high = 72 * caption.get_window_extent().height / ax.figure.dpi if lines else 0
    ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=_TITLE, pad=6 + high)
    return ax


def _caption(ax: Axes) -> Annotation:
    """The caption of a picture, empty where there is none yet."""
    for text in ax.texts:
        if text.get_gid() == "caption":
            return cast("Annotation", text)
    caption = ax.annotate(
        "",
        (0, 1),
        xytext=(0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=_CAPTION,
        alpha=0.7,
        gid="caption",
    )
    # A wide text would squeeze the axes of a grid of pictures.
    caption.set_in_layout(not in_grid(ax))
    return caption


def _wrap(ax: Axes, text: str, size: float) -> list[str]:
    """Lines up to the edge of the figure, or as wide as the axes in a grid."""
    box = ax.get_position()
    room = ax.figure.bbox.width / ax.figure.dpi * (box.width if in_grid(ax) else 1 - box.x0)
    return textwrap.wrap(text, max(24, int(room / (_CHARACTER * size))))


def tick_size(ax: Axes, which: str, number: int, fraction: float = 1.0) -> float:
    """Font size at which a number of tick labels fits on a fraction of an axis."""
    box = ax.get_window_extent()
    pixels = box.width if which == "x" else box.height
    return float(np.clip(50 * fraction * pixels / ax.figure.dpi / number, 4, 8))


def in_grid(ax: Axes) -> bool:
    """Whether the figure has other pictures too; twin axes and colour bars do not count."""
    return len({other.get_subplotspec() for other in ax.figure.axes} - {None}) > 1


def foreground(ax: Axes) -> str:
    """The colour of labels in the style in use: black, or white on a dark background."""
    return str(ax.xaxis.label.get_color())


def interval_points(
    ax: Axes, x: FloatArray, y: FloatArray, low: FloatArray, high: FloatArray, **options: Any
) -> None:
    """Draw points with vertical intervals from `low` to `high`."""
    look: dict[str, Any] = {"marker": "o", "markersize": 4.5, "linestyle": "none", "capsize": 2}
    ax.errorbar(x, y, yerr=np.maximum([y - low, high - y], 0), **look | options)


def seconds_axis(ax: Axes, which: str = "x") -> None:
    """Make an axis of times logarithmic, labelled with plain numbers of seconds."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(ax, f"set_{which}scale")("log")
    axis = getattr(ax, f"{which}axis")
    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if high > 20 * low else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def integer_axis(ax: Axes) -> None:
    """Label the x axis with integers only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def require_data(values: pd.Series | pd.DataFrame, what: str) -> None:
    """Raise `MeasureError` unless any value is known."""
    if len(values) == 0 or not values.notna().to_numpy().any():
        raise MeasureError(f"nothing to draw: the data have no {what}; select rows that have some")


def item_position(items: Iterable[Hashable], item: Hashable, owner: str) -> int:
    """Position of an item among others; `MeasureError` where it is not among them."""
    labels = list(items)
    if item not in labels:
        raise MeasureError(
            f"{owner} has no item {shown(item)}: its items are "
            f"{listed(labels[:8])}{', …' if len(labels) > 8 else ''}"
        )
    return labels.index(item)


def row_noun(matrix: pd.DataFrame) -> str:
    """What the rows of a matrix are: sessions where they are named by session_id, else persons."""
    return "sessions" if matrix.index.name == "session_id" else "persons"


def span(values: pd.Series) -> str:
    """The smallest and the largest integer, or the one that all are."""
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def split_groups(keys: pd.Index, group: PersonValues | None) -> dict[str, BoolArray]:
    """Name of each group → which of the keys belong to it; without groups, all under ""."""
    if group is None:
        return {"": np.ones(len(keys), dtype=bool)}
    by_name = "the pictures of study.analysis().plot"
    given = person_values(group, keys, what="group", by_name=by_name)
    values = pd.Categorical(whole_labels(given))
    return {str(name): values == name for name in values.categories if (values == name).any()}


def legend_outside(
    ax: Axes, *, title: str | None = None, handles: Sequence[Artist] | None = None
) -> None:
    """Put the legend to the right of the axes; inside in a grid, unless it is of an image."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False}
    if handles is not None:
        place["handles"] = handles
    elif in_grid(ax):
        place = {"loc": "best", "framealpha": 0.85, "edgecolor": "none"}
    ax.legend(fontsize=9, title=title, title_fontsize=9, alignment="left", **place)


def line_style(number: int) -> tuple[str, str]:
    """Colour and marker of one of several lines; 42 differ before they repeat."""
    return COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]


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

    Call it once the limits of the axes are set. A name that finds no room is left out, except
    those of `always`, which are placed first; points whose name is None are only avoided.
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
            + 100 * int((box[:2] < frame.p0).any() or (box[2:] > frame.p1).any())
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


#: Places of a name, across and up from its point, best first.
_SIDES = (
    *((1, 0.6), (1, -0.6), (-1, 0.6), (-1, -0.6), (0, 1.2), (0, -1.2)),
    *((1, 1.6), (-1, 1.6), (1, -1.6), (-1, -1.6), (0, 2.2), (0, -2.2)),
)


def _box(
    point: FloatArray, wide: float, high: float, dot: float, across: int, up: float
) -> FloatArray:
    """The box of a name to the right (1), the left (-1) or in the middle (0) of its point."""
    start = {1: 5 * dot, -1: -5 * dot - wide, 0: -wide / 2}[across]
    left, base = point[0] + start, point[1] + 9 * dot * up - high / 2
    return np.array([left, base, left + wide, base + high])
