"""Checks that the data identify a model, before anything is estimated."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice
from lrnanalysis.measures.irt.data.response_matrix import (
    AdministeredItems,
    ResponseMatrix,
    connected_items,
)
from lrnanalysis.measures.irt.estimation.priors import Prior
from lrnanalysis.measures.irt.response_models.registry import MODELS, response_model
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["check_conditional", "check_counts", "check_linked", "check_persons", "read_models"]


def read_models(
    model: str | Mapping[Hashable, str] | Sequence[str] | pd.Series, responses: ResponseMatrix
) -> list[ResponseModel]:
    """The model of every item.

    Raises
    ------
    MeasureError
        If a model is unknown, an item has none, or the items cannot be estimated under theirs.
    """
    items, steps = responses.items, responses.steps
    if isinstance(model, str):
        names = [model] * len(items)
    elif isinstance(model, Mapping | pd.Series):
        missing = [item for item in items if item not in model]
        if missing:
            raise MeasureError(f"model has no entry for item {missing[0]!r}: add one")
        names = [str(model[item]) for item in items]
    else:
        names = [str(name) for name in model]
        if len(names) != len(items):
            raise MeasureError(f"model has {len(names)} names for {len(items)} items")
    for name in set(names):
        choice("model", name, MODELS)
    if len(items) < 2:
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
                f"item {item!r} has {own.steps + 1} scores and the model {own.name}, which is for "
                'two: take GPCM, GRM or PCM for it, e.g. model={item: "GPCM", …}, or merge its '
                "scores"
            )
    free = [
        own
        for own in models
        if any(p.name[0] == "a" and not p.shared for p in own.free_parameters({}))
    ]
    if len(items) < 3 and len(free) > 1:
        raise MeasureError(
            f"{len(items)} items do not identify a slope each: take Rasch, 1PL or PCM, or more "
            "items"
        )
    return models


def check_counts(responses: ResponseMatrix, counts: Sequence[FloatArray]) -> None:
    """Raise where only persons of weight 0 have a score: nothing would bound its parameter."""
    for item, scores, count in zip(responses.items, responses.scores, counts, strict=True):
        if not count.all():
            raise MeasureError(
                f"item {item!r} has the score {scores[count == 0][0]:g} only in rows of weight 0: "
                "leave these rows out"
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
    """Raise where persons are too few."""
    needed = max(model.min_persons for model in models)
    least = needed if fewest is None else fewest
    if persons >= least:
        return
    remedy = "take more"
    if needed > ResponseModel.min_persons:
        remedy = "asymptotes cannot be separated from slopes; take 2PL or Rasch, or set min_persons"
        remedy += "" if priors else " and keep the priors"
    raise MeasureError(f"{persons:g} persons with a score, fewer than {least}: {remedy}")


def _some(labels: pd.Index, most: int = 5) -> str:
    named = ", ".join(repr(label) for label in labels[:most])
    return named + (f" and {len(labels) - most} more" if len(labels) > most else "")
