"""Where the search for the maximum begins: from how often each score was taken."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.estimation.priors import Prior

__all__ = ["start_values"]


def start_values(
    constraints: Constraints, counts: list[FloatArray], priors: Mapping[str, Prior]
) -> FloatArray:
    """Values of the free parameters to begin with.

    Parameters
    ----------
    constraints : Constraints
        What is free.
    counts : list of array
        Persons per score of every item.
    priors : mapping of parameter name → Prior
        A beta distribution's mean is the first guess of an asymptote.
    """
    asymptotes = {"c": 0.15, "u": 0.95}
    for name in asymptotes:
        if name in priors and priors[name][0] == "beta":
            _, one, two = priors[name]
            asymptotes[name] = float(np.clip(one / (one + two), 0.02, 0.98))
    vector = np.concatenate(
        [
            model.start_values((count + 0.5) / (count.sum() + 0.5 * len(count)), asymptotes)
            for model, count in zip(constraints.layout.models, counts, strict=True)
        ]
    )
    matrix = constraints.matrix
    # Least squares: the parameters that some items share, or that are tied, need a compromise.
    used = np.abs(matrix).sum(axis=1) > 0
    wanted = matrix.T @ np.where(used, vector - constraints.base, 0.0)
    items = np.linalg.solve(matrix.T @ matrix, wanted)
    return np.concatenate([items, [float(name == "sd") for _, name in constraints.moments]])
