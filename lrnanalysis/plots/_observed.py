"""What the pictures of fitted models share: the scale, and observed scores by ability."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.plots import _style as style

if TYPE_CHECKING:
    from lrnanalysis.measures.irt import IRTModel

#: Models whose slope of 1 makes a unit of the scale a logit.
_LOGITS = {"Rasch", "PCM", "RSM"}

#: Number of quadrature nodes: fine enough for the narrow posteriors of very long tests.
_NODES = 241


def latent(model: IRTModel) -> tuple[float, float]:
    """Mean and standard deviation of ability over all groups together."""
    groups = model.groups
    weight = (groups["persons"] / groups["persons"].sum()).to_numpy()
    mean = float(weight @ groups["mean"])
    square = float(weight @ (groups["variance"] + groups["mean"] ** 2))
    return mean, float(np.sqrt(square - mean**2))


def ability_axis(model: IRTModel, points: int = 161) -> FloatArray:
    """Abilities of a curve, up to four standard deviations from the mean."""
    mean, sd = latent(model)
    return np.linspace(mean - 4 * sd, mean + 4 * sd, points)


def ability_label(model: IRTModel) -> str:
    """Label of an ability axis, with the unit."""
    if set(model.items["model"]) <= _LOGITS:
        return "ability θ [logits]"
    reference = model.groups.iloc[0]
    if reference["variance"] == 1 and np.isnan(reference["variance_se"]):
        of = " of the reference group" if len(model.groups) > 1 else ""
        return f"ability θ [SD{of}]"
    return "ability θ [scale of the fixed items]"


@dataclass(frozen=True, eq=False)
class Observed:
    """Observed scores on an item in groups of ability on the other items.

    Attributes
    ----------
    ability : array, shape (groups,)
        Where the curve of the item has the score that the model expects of the group.
    n : array, shape (groups,)
        Persons in the group, by weight.
    shares, expected : array, shape (groups, scores)
        Proportion with each score, and the proportion that the model expects.
    mean, variance : array, shape (groups,)
        Mean score [points] and variance of the scores.
    persons, drawn : float
        Persons with a score on the item, and those of them that are used, by weight.
    """

    ability: FloatArray
    n: FloatArray
    shares: FloatArray
    expected: FloatArray
    mean: FloatArray
    variance: FloatArray
    persons: float
    drawn: float


def observed(
    model: IRTModel,
    item: Hashable,
    *,
    groups: int,
    most: int,
    matrix: pd.DataFrame | None,
    group: object,
) -> Observed:
    """Observed scores on an item, in groups of persons by their ability on the other items.

    Abilities are estimated with error: even where the model holds, the mean score of a group
    differs from the height of the curve at its mean ability. The expected score of the group is
    the curve averaged over the posteriors of its persons given the other items. The group is
    placed where the curve has that height, so that its distance from the curve is observed −
    expected score.
    """
    at = style.item_position(model.scores, item, "the model")
    points = np.array(list(model.scores.values())[at])
    responses = model.responses(matrix, group)
    mean, sd = model.groups["mean"].to_numpy(), np.sqrt(model.groups["variance"].to_numpy())
    nodes = np.linspace((mean - 6 * sd).min(), (mean + 6 * sd).max(), _NODES)
    priors = -0.5 * ((nodes - mean[:, None]) / sd[:, None]) ** 2
    curves = model.probabilities(nodes).to_numpy().T
    starts = np.cumsum([0, *(len(own) for own in model.scores.values())])
    own_curves = curves[starts[at] : starts[at + 1]]
    logs = np.log(np.maximum(curves, 1e-300))
    logs[starts[at] : starts[at + 1]] = 0.0
    chosen = chosen_persons(len(responses.persons), most)
    parts = []
    persons = 0.0
    for number, place, digits, weight in responses.chunks():
        has = ~np.isnan(digits[:, at])
        persons += float(has.sum() if weight is None else weight[has].sum())
        has &= chosen[place]
        own = digits[has]
        rows, items = np.nonzero(~np.isnan(own))
        cells = np.zeros((len(own), len(logs)))
        cells[rows, starts[items] + own[rows, items].astype(np.intp)] = 1.0
        posterior = cells @ logs + priors[number]
        posterior = np.exp(posterior - posterior.max(axis=1, keepdims=True))
        posterior /= posterior.sum(axis=1, keepdims=True)
        w = np.ones(len(own)) if weight is None else weight[has]
        expected = posterior @ own_curves.T
        parts.append(np.column_stack([own[:, at], w, posterior @ nodes, expected]))
    if persons == 0:
        raise MeasureError(f"nobody has a score on {shown(item)}: there are no points to draw")
    score, weights, ability, *rest = np.concatenate(parts).T
    member = _groups(ability, weights, groups)
    n = member @ weights
    shares = member @ (np.eye(len(points))[score.astype(np.intp)] * weights[:, None]) / n[:, None]
    expected = member @ (np.column_stack(rest) * weights[:, None]) / n[:, None]
    average = shares @ points
    return Observed(
        _where(points @ own_curves, nodes, expected @ points, (member * weights) @ ability / n),
        n,
        shares,
        expected,
        average,
        shares @ points**2 - average**2,
        persons,
        float(weights.sum()),
    )


def _groups(ability: FloatArray, weights: FloatArray, number: int) -> FloatArray:
    """Members of groups of equal size, shape (groups, persons); equal abilities stay together."""
    levels, level = np.unique(np.round(ability, 9), return_inverse=True)
    counts = np.bincount(level, weights, len(levels))
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    found = np.minimum((middle * number).astype(np.intp), number - 1)[level]
    member = np.zeros((number, len(ability)))
    member[found, np.arange(len(ability))] = 1.0
    return member[member @ weights > 0]


def _where(
    curve: FloatArray, nodes: FloatArray, height: FloatArray, otherwise: FloatArray
) -> FloatArray:
    """Abilities at which a curve has the heights; `otherwise` where it is not monotonic."""
    steps = np.diff(curve)
    if (steps > 0).all():
        return np.interp(height, curve, nodes)
    if (steps < 0).all():
        return np.interp(height, curve[::-1], nodes[::-1])
    return otherwise


def chosen_persons(persons: int, most: int) -> BoolArray:
    """Which persons are used: all, or a random sample of `most`."""
    chosen = np.ones(persons, dtype=bool)
    if persons > most:
        chosen[:] = False
        chosen[np.random.default_rng(0).choice(persons, most, replace=False)] = True
    return chosen
