"""Checks that the data identify a model, before anything is estimated."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.data.response_matrix import (
    AdministeredItems,
    ResponseMatrix,
    connected_items,
)
from lrnanalysis.measures.irt.estimation.priors import Prior
from lrnanalysis.measures.irt.response_models.registry import registered_name, response_model
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = [
    "check_conditional",
    "check_counts",
    "check_groups",
    "check_linked",
    "check_persons",
    "read_models",
    "read_names",
]


def read_names(
    model: str | Mapping[Hashable, str] | Sequence[str] | pd.Series, items: pd.Index
) -> list[str]:
    """The name of every item's model, as it is registered.

    Raises
    ------
    MeasureError
        If a model is unknown, or an item has none.
    """
    if isinstance(model, str):
        return [registered_name(model)] * len(items)
    if isinstance(model, Mapping | pd.Series):
        missing = [item for item in items if item not in model]
        if missing:
            raise MeasureError(f"model has no entry for item {shown(missing[0])}: add one")
        return [registered_name(model[item]) for item in items]
    names = [registered_name(name) for name in model]
    if len(names) != len(items):
        raise MeasureError(f"model has {len(names)} names for {len(items)} items")
    return names


def read_models(
    names: Sequence[str], responses: ResponseMatrix, known: Collection[int]
) -> list[ResponseModel]:
    """The model of every item.

    Parameters
    ----------
    names : sequence of str
        Their names.
    responses : ResponseMatrix
        The scores.
    known : collection of int
        Items of which nothing is estimated.

    Raises
    ------
    MeasureError
        If the items cannot be estimated under their models.
    """
    items, steps = responses.items, responses.steps
    if len(items) < 2 and len(known) < max(len(items), 1):
        raise MeasureError(
            f"the matrix has {len(items)} item{'s' * (len(items) != 1)}: ability and difficulty "
            "cannot be separated with fewer than two"
        )
    empty = items[steps < 0]
    if len(empty):
        raise MeasureError(f"items {_some(empty)} have no score: leave them out")
    constant = items[steps == 0]
    if len(constant):
        raise MeasureError(
            f"items {_some(constant)} have the same score for everybody: leave them out, they do "
            "not measure anything"
        )
    models = [response_model(name, m) for name, m in zip(names, steps.tolist(), strict=True)]
    for item, own in zip(items, models, strict=True):
        if own.steps > 1 and not own.partial_credit:
            raise MeasureError(
                f"item {shown(item)} has {own.steps + 1} scores and the model {own.name}, which is "
                'for two: take GPCM, GRM or PCM for it, e.g. model={item: "GPCM", …}, or merge its '
                "scores"
            )
    _check_rating_scale(responses, models)
    free = [
        own
        for item, own in enumerate(models)
        if item not in known
        and any(p.name[0] == "a" and not p.shared for p in own.free_parameters({}))
    ]
    if len(items) < 3 and len(free) > 1:
        raise MeasureError(
            f"{len(items)} items do not identify a slope each: take Rasch, 1PL or PCM, or more "
            "items"
        )
    return models


def _check_rating_scale(responses: ResponseMatrix, models: Sequence[ResponseModel]) -> None:
    """Raise unless all items of the rating scale model have the same scores.

    An item without one of the others' scores has other distances of thresholds: which of them it
    lacks, and whether it might have had it, is not in the data.
    """
    rated = [item for item, own in enumerate(models) if own.name == "RSM"]
    if all(models[item].steps == 1 for item in rated):
        return
    scores = [responses.scores[item] for item in rated]
    most = max(scores, key=len)
    for item, own in zip(rated, scores, strict=True):
        if not np.array_equal(own, most):
            label = shown(responses.items[item])
            raise MeasureError(
                f"item {label} has the scores {_numbers(own)}, other RSM items {_numbers(most)}: "
                "the rating scale model has one set of distances for items that all have the same "
                f'scores. Give item {label} another model, e.g. model={{{label}: "PCM", …}}, or '
                "merge scores so that every item has all of them"
            )


def check_groups(sizes: FloatArray, groups: IntArray, labels: pd.Index) -> None:
    """Raise where nobody of a group has a score: nothing would say where it is."""
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        rows = int((groups == empty[0]).sum())
        raise MeasureError(
            f"nobody of group {shown(labels[empty[0]])} has a score ({rows} rows): leave these "
            "rows out, or merge the group with another"
        )


def check_counts(
    responses: ResponseMatrix, counts: Sequence[FloatArray], known: Collection[int]
) -> None:
    """Raise where only persons of weight 0 have a score: nothing would bound its parameter."""
    for place, (item, scores, count) in enumerate(
        zip(responses.items, responses.scores, counts, strict=True)
    ):
        if not count.all() and place not in known:
            raise MeasureError(
                f"item {shown(item)} has the score {scores[count == 0][0]:g} only in rows of "
                "weight 0: leave these rows out"
            )


def check_conditional(models: Sequence[ResponseModel]) -> None:
    """Raise unless conditional likelihood is possible."""
    other = [model.name for model in models if model.name != "Rasch"]
    if other:
        raise MeasureError(
            f'method="CML" is for the Rasch model, and model has {other[0]}: give model="Rasch", '
            'or method="MML"'
        )


def check_linked(
    given: AdministeredItems, items: pd.Index, fixed: Mapping[int, object], disconnected: str
) -> None:
    """Raise where sets of items have no person in common, unless that is intended."""
    if len(given.forms) == 1 or disconnected == "equivalent":
        return
    sets = connected_items(given.forms)
    count = int(sets.max()) + 1
    if count == 1 or all(any(sets[item] == number for item in fixed) for number in range(count)):
        return
    raise MeasureError(
        f"the items form {count} groups with no person in common, such as "
        f"{_some(items[sets == 0])} and {_some(items[sets == 1])}: their scales are not "
        "comparable. Fit them one by one, fix anchors, or give "
        'disconnected="equivalent" if persons got a group at random'
    )


def check_persons(
    persons: float, models: Sequence[ResponseModel], priors: Mapping[str, Prior], fewest: int | None
) -> None:
    """Raise where persons are too few for the models of the items that are estimated."""
    needed = max((model.min_persons for model in models), default=1)
    least = needed if fewest is None else fewest
    if persons >= least:
        return
    remedy = "take more"
    if needed > ResponseModel.min_persons:
        remedy = "asymptotes cannot be separated from slopes; take 2PL or Rasch, or set min_persons"
        remedy += "" if priors else " and keep the priors"
    raise MeasureError(f"{persons:g} persons with a score, fewer than {least}: {remedy}")


def _numbers(scores: FloatArray) -> str:
    return ", ".join(f"{score:g}" for score in scores)


def _some(labels: pd.Index, most: int = 5) -> str:
    named = listed(labels[:most])
    return named + (f" and {len(labels) - most} more" if len(labels) > most else "")
