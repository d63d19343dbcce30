"""Picture of the residuals of a lognormal response time model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import check_above
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrnanalysis.measures.response_time import LognormalModel

__all__ = ["residuals"]


@checked
def residuals(model: LognormalModel, *, z: float = 1.96, ax: Axes | None = None) -> Axes:
    """Draw the standardised residuals of a lognormal model against the normal distribution.

    Parameters
    ----------
    model : LognormalModel
        A fitted model of `lrnanalysis.response_time`.
    z : float, default 1.96
        Residuals beyond ±z are counted as aberrant; ±1.96 expects 5 %.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Standardised residual [SD] against density: fast answers to the left, slow ones to the
        right.

    Raises
    ------
    MeasureError
        There are no residuals.

    Examples
    --------
    >>> residuals(lrn.response_time.lognormal(study.analysis().times)).get_ylabel()
    'density'
    """
    check_above("z", z)
    table = model.residuals()
    used = table.notna().to_numpy()
    found = table.to_numpy()[used]
    style.require_data(pd.Series(found), "residual")
    shown = np.clip(found, -5, 5)
    ax = style.new_axes(ax)
    edges = np.linspace(-5, 5, 81)
    ax.hist(shown, bins=edges.tolist(), density=True, color=style.BLUE, label="residuals")
    ax.hist(
        shown[np.abs(found) > z],
        bins=edges.tolist(),
        weights=np.full(int((np.abs(found) > z).sum()), 8 / len(found)),
        color=style.ORANGE,
        label=f"beyond ±{z:g}",
    )
    normal = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    ax.plot(edges, normal, color=style.foreground(ax), label="normal")
    ax.legend(frameon=False, fontsize=9)
    fast, slow = (found < -z).mean(), (found > z).mean()
    return style.label_axes(
        ax,
        x="standardised residual of ln time [SD], fast to slow",
        y="density",
        title="Residuals of the lognormal model",
        caption=f"n = {used.any(axis=1).sum():,} {style.row_noun(table)}, {len(found):,} times; "
        f"{fast:.1%} below −{z:g}, {slow:.1%} above {z:g}; values beyond ±5 are drawn at ±5",
    )
