"""Scores of simulated persons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.kernels import stretches

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["simulate"]


def simulate(
    model: IRTModel,
    persons: int | None,
    theta: Sequence[float] | FloatArray | pd.Series | None,
    group: object,
    seed: int | np.random.Generator | None,
) -> pd.DataFrame:
    """See `IRTModel.simulate`."""
    rng = np.random.default_rng(seed)
    if (persons is None) == (theta is None):
        raise MeasureError("give either persons, how many, or theta, their abilities")
    if theta is None:
        if persons is None or not 0 <= persons == int(persons):
            raise MeasureError(f"persons is {persons}: it must be a whole number of at least 0")
        if group is not None and group not in model._groups:
            raise MeasureError(
                f"group {group!r} is not one of {', '.join(map(str, model._groups))}"
            )
        at = 0 if group is None else int(model._groups.get_indexer(pd.Index([group]))[0])
        mean, sd = model._latent[at]
        values, index = mean + sd * rng.standard_normal(int(persons)), None
    else:
        values = np.asarray(theta, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise MeasureError("theta must be a list of finite numbers")
        index = theta.index if isinstance(theta, pd.Series) else None
    found = np.empty((len(model._labels), len(values)))
    for part in stretches(len(values), 2**13):
        curves = model._design.layout.probabilities(model.raw, values[part])
        above = curves.cumsum(axis=1)[:, :-1]
        drawn = rng.random((len(found), 1, above.shape[2]))
        category = (drawn > above).sum(axis=1)
        for item, own in enumerate(model._scores):
            found[item, part] = own[np.minimum(category[item], len(own) - 1)]
    return pd.DataFrame(found.T, index=index, columns=model._labels, copy=False)
