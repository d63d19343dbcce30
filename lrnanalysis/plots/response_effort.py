"""Picture of response time effort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures import effort as measures
from lrnanalysis.measures._checks import PersonValues, check_fraction
from lrnanalysis.measures.effort import Method
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["effort"]


@checked
def effort(
    times: pd.DataFrame,
    method: Method = "nt10",
    *,
    minimum: float = 0.9,
    scores: pd.DataFrame | None = None,
    cap: float | None = None,
    group: PersonValues | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of response time effort with the usual screen.

    Parameters
    ----------
    times, method, scores, cap
        As for `lrnanalysis.effort.response_time_effort`.
    minimum : float, default 0.9
        The screen, drawn as a line.
    group : Series, optional
        Group of each person, by the index of `times`: one outline per group.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Response time effort against number of persons, on a logarithmic axis.

    Raises
    ------
    MeasureError
        Nobody has a timed answer or a group.

    References
    ----------
    Wise, S. L. & Kong, X. (2005). doi:10.1207/s15324818ame1802_2

    Examples
    --------
    >>> effort(study.analysis().times).get_xlabel()
    'response time effort (RTE)'
    """
    check_fraction("minimum", minimum, ends=True)
    rte = measures.response_time_effort(times, method, scores=scores, cap=cap)
    style.require_data(rte, "timed answer")
    noun = style.row_noun(times)
    parts = {
        name: rte[members].dropna()
        for name, members in style.split_groups(rte.index, group).items()
    }
    bins = np.linspace(0, 1, 41).tolist()
    ax = style.new_axes(ax)
    for number, (name, part) in enumerate(parts.items()):
        colour, _ = style.line_style(number)
        label = f"{name}, n = {len(part):,}" if name else noun
        if name:
            ax.hist(part, bins, histtype="step", linewidth=1.8, color=colour, label=label)
        else:
            ax.hist(part, bins, color=colour, label=label)
    ax.axvline(
        minimum,
        color=style.foreground(ax),
        linestyle="--",
        linewidth=1.2,
        label=f"screen {minimum:g}",
    )
    ax.set_yscale("log")
    ax.set_xlim(0, 1.01)
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    drawn = pd.concat(parts.values())
    capped = "" if cap is None else f", at most {cap:g} s"
    return style.label_axes(
        ax,
        x="response time effort (RTE)",
        y=f"{noun} (logarithmic)",
        title="Response time effort",
        caption=f"n = {len(drawn):,} {noun}, {(drawn < minimum).sum():,} below {minimum:g}; "
        f"thresholds: {method}{capped}",
    )
