"""Curves over ability: probabilities, expected scores, information, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.answers import Answers
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = [
    "abilities_axis",
    "expected_scores",
    "fisher",
    "information",
    "item_information",
    "probabilities",
    "reliability",
]

Theta = Sequence[float] | FloatArray | None


def abilities_axis(theta: Theta) -> pd.Index:
    """Abilities as an index; by default 61 from −6 to 6."""
    values = np.linspace(-6, 6, 61) if theta is None else np.asarray(theta, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise MeasureError("theta must be a list of finite numbers")
    return pd.Index(values, name="theta")


def fisher(model: IRTModel, theta: FloatArray) -> FloatArray:
    """Information of every item, shape (items, θ)."""
    layout = model._design.layout
    found = np.empty((len(layout.models), len(theta)))
    for block in layout.blocks:
        found[block.items] = block.by_theta(model.raw, theta)[1]
    return found


def probabilities(model: IRTModel, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.probabilities`."""
    axis = abilities_axis(theta)
    curve = model._design.layout.probabilities(model.raw, axis.to_numpy())
    columns = pd.MultiIndex.from_tuples(
        [(item, score) for item, own in model.scores.items() for score in own],
        names=["item", "score"],
    )
    rows = [curve[i, : len(own)] for i, own in enumerate(model._scores)]
    return pd.DataFrame(np.concatenate(rows).T, index=axis, columns=columns)


def expected_scores(model: IRTModel, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.expected_scores`."""
    axis = abilities_axis(theta)
    curve = model._design.layout.probabilities(model.raw, axis.to_numpy())
    values = [own @ curve[i, : len(own)] for i, own in enumerate(model._scores)]
    return pd.DataFrame(np.array(values).T, index=axis, columns=model._labels)


def item_information(model: IRTModel, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.item_information`."""
    axis = abilities_axis(theta)
    return pd.DataFrame(fisher(model, axis.to_numpy()).T, index=axis, columns=model._labels)


def information(model: IRTModel, theta: Theta) -> pd.DataFrame:
    """See `IRTModel.information`."""
    axis = abilities_axis(theta)
    total = fisher(model, axis.to_numpy()).sum(axis=0)
    return pd.DataFrame({"information": total, "se": 1 / np.sqrt(total)}, index=axis)


def reliability(model: IRTModel, answers: Answers) -> pd.Series:
    """See `IRTModel.reliability`."""
    from lrnanalysis.measures.irt.abilities import abilities

    sizes = model._group_sizes / model._group_sizes.sum()
    grid = model._grid
    mean = float(sizes @ model._latent[:, 0])
    square = float(sizes @ (model._latent[:, 1] ** 2 + model._latent[:, 0] ** 2))
    variance = square - mean**2
    left = 0.0
    for share, (centre, sd) in zip(sizes, model._latent, strict=True):
        total = fisher(model, centre + sd * grid.points).sum(axis=0)
        left += share * float(np.exp(grid.logs) @ (1 / (total + 1 / variance)))
    scored = abilities(model, answers, "EAP", 20.0)
    between = float(scored["ability"].var(ddof=0))
    within = float((scored["se"] ** 2).mean())
    return pd.Series(
        {"marginal": 1 - left / variance, "empirical": between / (between + within)},
        name="reliability",
    )
