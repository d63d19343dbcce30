"""Picture of response time effort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.measures import effort as measures
from lrnanalysis.measures.effort import Method
from lrnanalysis.plots._style import BLACK, BLUE, label_axes, new_axes, require_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["effort"]


def effort(
    items: pd.DataFrame,
    method: Method = "nt10",
    *,
    minimum: float = 0.9,
    responses: pd.DataFrame | None = None,
    sessions: pd.DataFrame | None = None,
    cap: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of sessions' response time effort with the usual screen.

    Parameters
    ----------
    items, method, responses, sessions, cap
        As for `effort.response_time_effort`.
    minimum : float, default 0.9
        The screen (Wise & Kong 2005), drawn as a line.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Response time effort against sessions, on a logarithmic axis of counts.

    Raises
    ------
    MeasureError
        No session has a timed answer.

    Examples
    --------
    >>> completed = study[study.sessions["status"] == "Completed"]
    >>> effort(completed.items).get_xlabel()
    'response time effort (RTE)'
    """
    rte = measures.response_time_effort(
        items, method, responses=responses, sessions=sessions, cap=cap
    ).dropna()
    require_data(rte, "session with timed answers")
    ax = new_axes(ax)
    below = int((rte < minimum).sum())
    ax.hist(rte, bins=np.linspace(0, 1, 41).tolist(), color=BLUE, label="sessions")
    ax.axvline(minimum, color=BLACK, linestyle="--", linewidth=1.2, label=f"screen {minimum:g}")
    ax.set_yscale("log")
    ax.set_xlim(0, 1.01)
    ax.legend(frameon=False, fontsize=9, loc="upper left")
    capped = "" if cap is None else f", at most {cap:g} s"
    return label_axes(
        ax,
        x="response time effort (RTE)",
        y="sessions (logarithmic)",
        title="Response time effort",
        caption=f"n = {len(rte):,} sessions, {below:,} below {minimum:g}; thresholds: "
        f"{method}{capped}",
    )
