"""Item parameters that a fit takes as given, from tables and models to the parameter vector."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.registry import MODELS, response_model
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["Calibration", "Fixed", "read_fixed"]


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
    if fixed is None:
        return {}
    if isinstance(fixed, Mapping):
        rows = {item: dict(values) for item, values in fixed.items()}
        unknown = [item for item in rows if item not in items]
        if unknown:
            raise MeasureError(f"fixed has item {unknown[0]!r}, which the matrix does not have")
    else:
        table = fixed if isinstance(fixed, pd.DataFrame) else fixed.items
        rows = {item: dict(row) for item, row in table.iterrows() if item in items}
    found = {}
    for item, row in rows.items():
        place = int(items.get_indexer(pd.Index([item]))[0])
        model = layout.models[place]
        named = row.pop("model", None)
        if named is not None:
            _same_model(item, str(named), model)
        wanted = {
            name: float(value)
            for name, value in row.items()
            if not name.endswith("_se") and name != "n" and not pd.isna(value)
        }
        if wanted:
            found[place] = _parameters(item, wanted, model)
    if not found and not isinstance(fixed, Mapping):
        raise MeasureError(
            f"fixed is {shown(fixed)} without a parameter of any item of the matrix: pass a table "
            "of item parameters indexed by item, such as model.items"
        )
    return found


def _same_model(item: Hashable, named: str, model: ResponseModel) -> None:
    """Raise unless a table's model has the curves of the fitted one."""
    other = response_model(named, model.steps) if named in MODELS else None
    if type(other) is not type(model) or other.has_locations != model.has_locations:
        raise MeasureError(
            f"item {item!r} is fixed as {named} and fitted as {model.name}: give it the model "
            f"{named}, or leave it out of fixed"
        )


def _parameters(item: Hashable, wanted: dict[str, float], model: ResponseModel) -> dict[str, float]:
    """One item's values as slopes, intercepts and logits."""
    intercepts = [name for name in model.reported if name[0] == "d"]
    locations = [name.replace("d", "b") for name in intercepts if model.has_locations]
    unknown = wanted.keys() - {*model.reported, *locations, "c", "u"}
    if unknown:
        raise MeasureError(
            f"fixed has a parameter {min(unknown)!r} for item {item!r} ({model.name}): it has "
            f"{', '.join(model.reported)}"
        )
    found = {name: value for name, value in wanted.items() if name[0] in "ad"}
    present = [name for name in locations if name in wanted]
    if present and not any(name in wanted for name in intercepts):
        slope = wanted.get("a", 1.0 if model.unit_slope else np.nan)
        if np.isnan(slope) or len(present) < len(locations):
            raise MeasureError(
                f"item {item!r} is fixed by {', '.join(present)}: give its slope a and all of "
                f"{', '.join(locations)}, or intercepts {', '.join(intercepts)}"
            )
        b = np.array([wanted[name] for name in locations])
        found |= dict(
            zip(intercepts, np.linalg.solve(model.location_differences, -slope * b), strict=True)
        )
    for name, none in (("c", 0.0), ("u", 1.0)):
        value = wanted.get(name, none)
        if not 0 <= value <= 1:
            raise MeasureError(f"item {item!r} has {name} = {value}: it must be in [0, 1]")
        if name in wanted and name in model.reported:
            found[name] = float(np.clip(special.logit(value), -40, 40))
        elif value != none:
            raise MeasureError(
                f"fixed gives item {item!r} {name} = {value:g}, and it is fitted as {model.name}, "
                f"where {name} is {none:g}: give it another model, or leave {name} out"
            )
    return found
