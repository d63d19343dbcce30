"""Picture of the lognormal model's residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrnanalysis.plots._style import BLACK, BLUE, ORANGE, label_axes, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrnanalysis.measures.response_time import LognormalModel

__all__ = ["residuals"]


def residuals(model: LognormalModel, *, z: float = 1.96, ax: Axes | None = None) -> Axes:
    """Draw the standardised residuals of a lognormal model against the normal distribution.

    Parameters
    ----------
    model : LognormalModel
        What `lrnanalysis.speed.lognormal` gave.
    z : float, default 1.96
        Residuals beyond ±z count as aberrant: 5 % are expected.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        Residual [SD] against density. Left is too fast, right too slow.

    Examples
    --------
    >>> import lrnanalysis as lrn
    >>> residuals(lrn.speed.lognormal(study.items.lrn.time_matrix())).get_ylabel()
    'density'
    """
    found = model.residuals().to_numpy().ravel()
    found = found[~np.isnan(found)]
    shown = np.clip(found, -5, 5)
    ax = new_axes(ax)
    edges = np.linspace(-5, 5, 81)
    ax.hist(shown, bins=edges.tolist(), density=True, color=BLUE, label="residuals")
    ax.hist(
        shown[np.abs(found) > z],
        bins=edges.tolist(),
        weights=np.full(int((np.abs(found) > z).sum()), 8 / len(found)),
        color=ORANGE,
        label=f"beyond ±{z:g}",
    )
    ax.plot(edges, np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi), color=BLACK, label="normal")
    ax.legend(frameon=False, fontsize=9)
    fast, slow = (found < -z).mean(), (found > z).mean()
    return label_axes(
        ax,
        x="standardised residual of ln time [SD]: too fast to too slow",
        y="density",
        title="Residuals of the lognormal model",
        caption=f"n = {len(found):,} times; {fast:.1%} too fast, {slow:.1%} too slow; beyond ±5 "
        "drawn at ±5",
    )
