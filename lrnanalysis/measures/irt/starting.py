"""Where the search for the maximum begins: from how often each score was taken."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.design import Design
from lrnanalysis.measures.irt.likelihood import Prior

__all__ = ["start"]

#: By how much an intercept is steeper than the logit of a share, at a slope of 1: the logistic
#: curve is spread by the ability's variance (15 / 16 · √3 / π per unit; Johnson & Kotz 1970).
_SPREAD = np.sqrt(1 + 0.346)


def start(design: Design, counts: list[FloatArray], priors: Mapping[str, Prior]) -> FloatArray:
    """Values of the free parameters to begin with.

    Parameters
    ----------
    design : Design
        What is free.
    counts : list of array
        Persons per score of every item.
    priors : mapping of parameter name → Prior
        A beta distribution's mean is the first guess of an asymptote.
    """
    layout = design.layout
    raw = np.zeros(layout.total)
    c, u = (_asymptote(priors, name, default) for name, default in (("c", 0.15), ("u", 0.95)))
    for item, count in enumerate(counts):
        first, m = int(layout.starts[item]), int(layout.steps[item])
        share = (count + 0.5) / (count.sum() + 0.5 * len(count))
        if layout.kinds[item] == "nominal":
            unit = 1.0 if layout.models[item] in ("Rasch", "PCM", "RSM") else 1 / np.sqrt(m)
            raw[first : first + m] = unit * np.arange(1, m + 1)
            raw[first + m : first + 2 * m] = np.log(share[1:] / share[0]) * _SPREAD
        elif layout.kinds[item] == "graded":
            above = np.cumsum(share[::-1])[::-1][1:]
            raw[first] = 1.0
            raw[first + 1 : first + 1 + m] = np.log(above / (1 - above)) * _SPREAD
        else:
            top = u if layout.models[item] == "4PL" else 1.0
            right = np.clip((share[1] - c) / (top - c), 0.05, 0.95)
            raw[first] = 1.0
            raw[first + 1] = np.log(right / (1 - right)) * _SPREAD
            asymptotes = [c, u][: int(layout.sizes[item]) - 2]
            raw[first + 2 : first + layout.sizes[item]] = special.logit(asymptotes)
    free = np.zeros(design.size)
    items = len(design.names)
    if items:
        # Least squares: the parameters that some items share, or that are tied, need a compromise.
        rows = np.abs(design.matrix).sum(axis=1) > 0
        right = design.matrix.T @ np.where(rows, raw - design.base, 0.0)
        free[:items] = np.linalg.solve(design.matrix.T @ design.matrix, right)
    free[items:] = [float(name == "sd") for _, name in design.moments]
    return free


def _asymptote(priors: Mapping[str, Prior], name: str, default: float) -> float:
    if name in priors and priors[name][0] == "beta":
        _, one, two = priors[name]
        return float(np.clip(one / (one + two), 0.02, 0.98))
    return default
