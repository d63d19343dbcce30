"""Item parameters that a fit takes as given, from tables and models to the parameter vector."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.estimation.constraints import AT_EDGE
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.registry import registered_name, response_model
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["Calibration", "Fixed", "known_scores", "read_fixed"]


class Calibration(Protocol):
    """Anything with a table of item parameters: what `lrnanalysis.irt.fit` returns."""

    @property
    def items(self) -> pd.DataFrame:
        """Item parameters, one row per item."""
        ...


#: A table or model of item parameters, or a mapping of item → parameter → value.
Fixed = pd.DataFrame | Calibration | Mapping[Hashable, Mapping[str, float]]


def read_fixed(fixed: Fixed | None, layout: Layout, items: pd.Index) -> dict[int, dict[str, float]]:
    """Item number → parameter name → value, as `constrain` takes them.

    Raises
    ------
    MeasureError
        If a value is out of range, a location lacks its slope, or a table's model or number of
        thresholds is another one.
    """
    found = {}
    for item, (place, named, wanted) in _rows(fixed, items).items():
        model = layout.models[place]
        if named is not None:
            _same_model(item, registered_name(named), model)
        if wanted:
            found[place] = _parameters(item, wanted, model)
    return found


def known_scores(
    fixed: Fixed | None, names: Sequence[str], items: pd.Index
) -> dict[int, FloatArray]:
    """Scores of the items that are fixed in all parameters: they need not occur in the data.

    Parameters
    ----------
    fixed : table, model or mapping
        As for `read_fixed`. Only a model knows other scores than 0, 1, 2, ….
    names : sequence of str
        Model of every item.
    items : Index
        Labels of the items.

    Returns
    -------
    dict of item number → array
    """
    found = {}
    for item, (place, _, wanted) in _rows(fixed, items).items():
        steps = max(sum(name[0] == letter for name in wanted) for letter in "bd")
        model = response_model(names[place], max(steps, 1))
        if steps <= 1 or model.partial_credit:
            intercepts = {name for name in model.reported if name[0] == "d"}
            others = model.reported.keys() - intercepts - ({"a"} if model.unit_slope else set())
            places = {name.replace("d", "b") for name in intercepts if model.has_locations}
            if others <= wanted.keys() and (
                intercepts <= wanted.keys() or (places and places <= wanted.keys())
            ):
                own = getattr(fixed, "scores", {}).get(item, range(model.steps + 1))
                found[place] = np.array(own, dtype=np.float64)
    return found


def _rows(
    fixed: Fixed | None, items: pd.Index
) -> dict[Hashable, tuple[int, object, dict[str, float]]]:
    """By item its number, the model that a table names or None, and the values that are fixed."""
    if fixed is None:
        return {}
    if isinstance(fixed, Mapping):
        rows = {item: dict(values) for item, values in fixed.items()}
        unknown = [item for item in rows if item not in items]
        if unknown:
            raise MeasureError(
                f"fixed has item {shown(unknown[0])}, which the matrix does not have"
            )
    else:
        table = fixed if isinstance(fixed, pd.DataFrame) else fixed.items
        rows = {item: dict(row) for item, row in table.iterrows() if item in items}
    places = {item: place for place, item in enumerate(items)}
    found: dict[Hashable, tuple[int, object, dict[str, float]]] = {}
    for item, row in rows.items():
        values = {
            name: float(value)
            for name, value in row.items()
            if name not in ("model", "n") and not name.endswith("_se") and not pd.isna(value)
        }
        found[item] = places[item], row.get("model"), values
    return found


def _same_model(item: Hashable, named: str, model: ResponseModel) -> None:
    """Raise unless a table's model has the curves of the fitted one."""
    other = response_model(named, model.steps)
    if type(other) is not type(model) or other.has_locations != model.has_locations:
        raise MeasureError(
            f"item {shown(item)} is fixed as {named} and fitted as {model.name}: give it the model "
            f"{named}, or leave it out of fixed"
        )


def _parameters(item: Hashable, wanted: dict[str, float], model: ResponseModel) -> dict[str, float]:
    """One item's values as slopes, intercepts and logits."""
    intercepts = [name for name in model.reported if name[0] == "d"]
    locations = [name.replace("d", "b") for name in intercepts if model.has_locations]
    unknown = wanted.keys() - {*model.reported, *locations, "c", "u"}
    if unknown:
        raise MeasureError(
            f"fixed has a parameter {shown(min(unknown))} for item {shown(item)} "
            f"({model.name}): it has {', '.join(model.reported)}"
        )
    found = {name: value for name, value in wanted.items() if name[0] in "ad"}
    present = [name for name in locations if name in wanted]
    if present and not any(name in wanted for name in intercepts):
        slope = wanted.get("a", 1.0 if model.unit_slope else np.nan)
        if np.isnan(slope) or len(present) < len(locations):
            raise MeasureError(
                f"item {shown(item)} is fixed by {', '.join(present)}: give its slope a and all of "
                f"{', '.join(locations)}, or intercepts {', '.join(intercepts)}"
            )
        b = np.array([wanted[name] for name in locations])
        found |= dict(
            zip(intercepts, np.linalg.solve(model.location_differences, -slope * b), strict=True)
        )
    for name, none in (("c", 0.0), ("u", 1.0)):
        value = wanted.get(name, none)
        if not 0 <= value <= 1:
            raise MeasureError(f"item {shown(item)} has {name} = {value:g}: it must be in [0, 1]")
        if name in wanted and name in model.reported:
            found[name] = float(np.clip(special.logit(value), -AT_EDGE, AT_EDGE))
        elif value != none:
            raise MeasureError(
                f"fixed gives item {shown(item)} {name} = {value:g}, and it is fitted as "
                f"{model.name}, where {name} is {none:g}: give it another model, or "
                f"leave {name} out"
            )
    return found
