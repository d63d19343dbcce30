"""What keeps data from identifying a model, said before anything is estimated."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice
from lrnanalysis.measures.irt.likelihood import Prior
from lrnanalysis.measures.irt.models import MODELS
from lrnanalysis.measures.irt.reading import Given, Responses, connect

__all__ = [
    "check_conditional",
    "check_items",
    "check_linked",
    "check_persons",
    "check_weighed",
    "read_models",
]

#: Models of items scored 0 or 1.
_TWO_SCORES = ("Rasch", "1PL", "2PL", "3PL", "4PL")

#: Fewest persons with which asymptotes can be told from slopes.
_FEWEST = 250


def read_models(
    model: str | Mapping[Hashable, str] | Sequence[str] | pd.Series, responses: Responses
) -> list[str]:
    """One model an item.

    Raises
    ------
    MeasureError
        If a model is unknown, or an item has none.
    """
    items = responses.items
    if isinstance(model, str):
        found = [model] * len(items)
    elif isinstance(model, Mapping | pd.Series):
        lost = [item for item in items if item not in model]
        if lost:
            raise MeasureError(f"model says nothing of item {lost[0]!r}: give it one")
        found = [str(model[item]) for item in items]
    else:
        found = [str(name) for name in model]
        if len(found) != len(items):
            raise MeasureError(f"model has {len(found)} names for {len(items)} items")
    for name in set(found):
        choice("model", name, MODELS)
    return found


def check_items(responses: Responses, models: list[str]) -> None:
    """Raise where items cannot be estimated under their models."""
    items, steps = responses.items, responses.steps
    if len(items) < 2:
        raise MeasureError(
            f"the matrix has {len(items)} item{'s' * (len(items) != 1)}: ability and difficulty "
            "cannot be told apart below two"
        )
    empty = items[steps < 0]
    if len(empty):
        raise MeasureError(f"items {_some(empty)} have no score: leave them out")
    constant = items[steps == 0]
    if len(constant):
        raise MeasureError(
            f"items {_some(constant)} have the same score for everybody: leave them out, they say "
            "nothing of ability"
        )
    for item, m, name in zip(items, steps.tolist(), models, strict=True):
        if m > 1 and name in _TWO_SCORES:
            raise MeasureError(
                f"item {item!r} has {m + 1} scores and the model {name}, which is for two: take "
                'GPCM, GRM or PCM for it, e.g. model={item: "GPCM", …}, or fold its scores'
            )
    free = [name for name in models if name not in ("Rasch", "1PL", "PCM", "RSM")]
    if len(items) < 3 and len(free) > 1:
        raise MeasureError(
            f"{len(items)} items do not identify a slope each: take Rasch, 1PL or PCM, or more "
            "items"
        )


def check_weighed(responses: Responses, counts: Sequence[FloatArray]) -> None:
    """Raise where a score is only had by persons of weight 0: nothing would bound its parameter."""
    for item, scores, count in zip(responses.items, responses.scores, counts, strict=True):
        if not count.all():
            raise MeasureError(
                f"item {item!r} has the score {scores[count == 0][0]:g} only in rows of weight 0: "
                "leave these rows out"
            )


def check_conditional(models: Sequence[str]) -> None:
    """Raise where conditional likelihood does not serve."""
    other = [name for name in models if name != "Rasch"]
    if other:
        raise MeasureError(
            f'method="CML" is for the Rasch model, and model says {other[0]}: give model="Rasch", '
            'or method="MML"'
        )


def check_linked(
    given: Given, items: pd.Index, fixed: Mapping[int, object], disconnected: str
) -> None:
    """Raise where sets of items have no person in common, unless that is said to be meant."""
    if given.patterns.shape[0] == 1 or disconnected == "equivalent":
        return
    sets = connect(given.patterns)
    count = int(sets.max()) + 1
    if count == 1 or all(any(sets[item] == number for item in fixed) for number in range(count)):
        return
    first = items[sets == 0]
    other = items[sets == 1]
    raise MeasureError(
        f"the items fall into {count} sets that no person links, such as {_some(first)} and "
        f"{_some(other)}: their scales have nothing in common. Fit them one by one, fix anchors, "
        'or say disconnected="equivalent" if persons got a set at random'
    )


def check_persons(
    persons: float, models: list[str], priors: Mapping[str, Prior], fewest: int | None
) -> None:
    """Raise where persons are too few."""
    asymptotes = bool({"3PL", "4PL"} & set(models))
    least = fewest if fewest is not None else _FEWEST if asymptotes else 3
    if persons >= least:
        return
    why = (
        "asymptotes cannot be told from slopes; take 2PL or Rasch, or say min_persons"
        if asymptotes
        else "take more"
    )
    if asymptotes and not priors:
        why += " and keep the priors"
    raise MeasureError(f"{persons:g} persons with a score, fewer than {least}: {why}")


def _some(labels: pd.Index, most: int = 5) -> str:
    named = ", ".join(repr(label) for label in labels[:most])
    return named + (f" and {len(labels) - most} more" if len(labels) > most else "")
