"""Scores of simulated persons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures.irt.data.packing import chunks
from lrnanalysis.measures.irt.results.curves import Theta, read_abilities
from lrnanalysis.measures.irt.results.estimates import Estimates

__all__ = ["simulate"]

#: Persons simulated at a time.
_CHUNK = 2**13


def simulate(
    estimates: Estimates,
    persons: int | None,
    theta: Theta,
    group: object,
    seed: int | np.random.Generator | None,
) -> pd.DataFrame:
    """See `IRTModel.simulate`."""
    rng = np.random.default_rng(seed)
    if (persons is None) == (theta is None):
        raise MeasureError("give either persons, how many, or theta, their abilities")
    index = theta.index if isinstance(theta, pd.Series) else None
    if persons is None:
        values = read_abilities(theta)
    else:
        if not 0 <= persons == int(persons):
            raise MeasureError(f"persons is {shown(persons)}: it must be an integer of at least 0")
        labels = estimates.groups.tolist()
        if group is not None and group not in labels:
            raise MeasureError(f"group is {shown(group)}: it must be one of {listed(labels)}")
        mean, sd = estimates.latent[0 if group is None else labels.index(group)]
        values = mean + sd * rng.standard_normal(int(persons))
    found = np.empty((len(estimates.items), len(values)))
    for part in chunks(len(values), _CHUNK):
        above = estimates.probabilities(values[part]).cumsum(axis=1)[:, :-1]
        drawn = rng.random((len(found), 1, above.shape[2]))
        category = (drawn > above).sum(axis=1)
        for item, own in enumerate(estimates.scores):
            found[item, part] = own[np.minimum(category[item], len(own) - 1)]
    return pd.DataFrame(found.T, index=index, columns=estimates.items, copy=False)
