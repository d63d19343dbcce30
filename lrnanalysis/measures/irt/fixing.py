"""Item parameters that a fit takes as given: from tables and models to the flat vector's terms."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.irt.design import parameter_names
from lrnanalysis.measures.irt.models import Layout, kind_of

__all__ = ["Fixed", "read_fixed"]


class _Fitted(Protocol):
    @property
    def items(self) -> pd.DataFrame: ...


#: A table or model of item parameters, or a mapping of item → parameter → value.
Fixed = pd.DataFrame | _Fitted | Mapping[Hashable, Mapping[str, float]]


def read_fixed(fixed: Fixed | None, layout: Layout, items: pd.Index) -> dict[int, dict[str, float]]:
    """Item number → parameter name → value, as `design` takes them.

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
        lost = [item for item in rows if item not in items]
        if lost:
            raise MeasureError(f"fixed names item {lost[0]!r}, which the matrix does not have")
    else:
        table = fixed if isinstance(fixed, pd.DataFrame) else fixed.items
        rows = {item: dict(row) for item, row in table.iterrows() if item in items}
    found = {}
    for item, row in rows.items():
        place = int(items.get_indexer(pd.Index([item]))[0])
        named = row.pop("model", None)
        if named is not None:
            _same_model(item, str(named), layout, place)
        wanted = {
            name: float(value)
            for name, value in row.items()
            if not name.endswith("_se") and name != "n" and not pd.isna(value)
        }
        if wanted:
            found[place] = _flat(item, wanted, layout, place)
    return found


def _same_model(item: Hashable, named: str, layout: Layout, place: int) -> None:
    m = int(layout.steps[place])
    if kind_of(named, m) != layout.kinds[place] or (named == "NRM") != (
        layout.models[place] == "NRM"
    ):
        raise MeasureError(
            f"item {item!r} is fixed as {named} and fitted as {layout.models[place]}: say "
            f"{named} in model, or leave it out of fixed"
        )


def _flat(item: Hashable, wanted: dict[str, float], layout: Layout, place: int) -> dict[str, float]:
    """One item's values in slopes, intercepts and logits."""
    m, model = int(layout.steps[place]), layout.models[place]
    own = parameter_names(layout, place)
    intercepts = [name for name in own if name[0] == "d"]
    locations = ["b" if m == 1 else f"b{k}" for k in range(1, m + 1)]
    found = {name: value for name, value in wanted.items() if name[0] in "ad"}
    present = [name for name in locations if name in wanted]
    if present and not any(name in wanted for name in intercepts):
        slope = wanted.get("a", 1.0 if model in ("Rasch", "PCM", "RSM") else np.nan)
        if np.isnan(slope) or len(present) < m:
            raise MeasureError(
                f"item {item!r} is fixed by {', '.join(present)}: give its slope a and all of "
                f"{', '.join(locations)}, or intercepts {', '.join(intercepts)}"
            )
        values = -slope * np.array([wanted[name] for name in locations])
        if layout.kinds[place] == "nominal":
            values = np.cumsum(values)
        found.update(zip(intercepts, values.tolist(), strict=True))
    for name, none in (("c", 0.0), ("u", 1.0)):
        if name not in wanted:
            continue
        value = wanted[name]
        if not 0 <= value <= 1:
            raise MeasureError(f"item {item!r} has {name} = {value}: it must lie in [0, 1]")
        if name in own:
            found[name] = float(np.clip(special.logit(value), -40, 40))
        elif value != none:
            raise MeasureError(
                f"fixed gives item {item!r} {name} = {value:g}, and it is fitted as {model}, where "
                f"{name} is {none:g}: say another model for it, or leave {name} out"
            )
    strange = [name for name in wanted if name not in {*own, *locations, "a", "b", "c", "u"}]
    if strange:
        raise MeasureError(
            f"fixed gives item {item!r} ({model}) a parameter {strange[0]!r}: it has "
            f"{', '.join(own)}"
        )
    return found
