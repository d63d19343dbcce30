"""Curves over ability: probabilities, expected scores, information."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.results.estimates import Estimates

__all__ = [
    "Theta",
    "expected_scores",
    "fisher_information",
    "item_information",
    "probabilities",
    "read_abilities",
    "total_information",
]

Theta = Sequence[float] | FloatArray | pd.Series | None


def read_abilities(theta: Theta) -> FloatArray:
    """Abilities as an array; by default 61 from −6 to 6."""
    values = np.linspace(-6, 6, 61) if theta is None else np.asarray(theta, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise MeasureError("theta must be a list of finite numbers")
    return values


def fisher_information(estimates: Estimates, theta: FloatArray) -> FloatArray:
    """Information of every item about ability, shape (items, θ)."""
    found = np.empty((len(estimates.items), len(theta)))
    for block in estimates.layout.blocks:
        p = estimates.parameter_vector[block.at]
        found[block.items] = block.model.by_ability(p, theta)[1]
    return found


def probabilities(estimates: Estimates, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.probabilities`."""
    values = read_abilities(theta)
    curve = estimates.probabilities(values)
    rows = [curve[item, : len(own)] for item, own in enumerate(estimates.scores)]
    columns = pd.MultiIndex.from_tuples(
        [
            (item, score)
            for item, own in zip(estimates.items, estimates.scores, strict=True)
            for score in own.tolist()
        ],
        names=["item", "score"],
    )
    return pd.DataFrame(np.concatenate(rows).T, _axis(values), columns)


def expected_scores(estimates: Estimates, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.expected_scores`."""
    values = read_abilities(theta)
    curve = estimates.probabilities(values)
    rows = [own @ curve[item, : len(own)] for item, own in enumerate(estimates.scores)]
    return pd.DataFrame(np.array(rows).T, _axis(values), estimates.items)


def item_information(estimates: Estimates, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.item_information`."""
    values = read_abilities(theta)
    return pd.DataFrame(fisher_information(estimates, values).T, _axis(values), estimates.items)


def total_information(estimates: Estimates, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.information`."""
    values = read_abilities(theta)
    total = fisher_information(estimates, values).sum(axis=0)
    return pd.DataFrame({"information": total, "se": 1 / np.sqrt(total)}, _axis(values))


def _axis(values: FloatArray) -> pd.Index:
    return pd.Index(values, name="theta")
