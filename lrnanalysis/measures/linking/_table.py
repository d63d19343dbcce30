"""Item parameters as arrays, with the curves that they describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, choice

__all__ = ["Fitted", "ItemTable"]


class Fitted(Protocol):
    """A fitted model: what `lrnanalysis.irt.fit` returns."""

    @property
    def items(self) -> pd.DataFrame: ...


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Item parameters as arrays.

    Attributes
    ----------
    items : Index
        Labels.
    kinds : list of str
        "logistic", "GRM" or "GPCM" per item.
    slopes, lower, upper : array, shape (items,)
        Discriminations and asymptotes.
    locations : array, shape (items, most thresholds)
        Difficulty in the first column or the thresholds, NaN where an item has fewer.
    """

    items: pd.Index
    kinds: list[str]
    slopes: FloatArray
    lower: FloatArray
    upper: FloatArray
    locations: FloatArray

    @classmethod
    def of(cls, given: pd.DataFrame | Fitted, name: str, model: str | None) -> ItemTable:
        """Read a table of item parameters, or that of a fitted model."""
        frame = given if isinstance(given, pd.DataFrame) else given.items
        thresholds = sorted(
            (column for column in frame.columns if _is_threshold(column)),
            key=lambda column: int(str(column)[1:]),
        )
        if "a" not in frame.columns or not ({"b", *thresholds} & set(frame.columns)):
            raise MeasureError(
                f"{name} has the columns {', '.join(map(str, frame.columns))}: a (slope) and b "
                "(difficulty), or b1, b2, … (thresholds), are needed"
            )
        if not frame.index.is_unique:
            raise MeasureError(f"{name} has an item twice: give every item one row")
        slopes = frame["a"].to_numpy(dtype=np.float64)
        single = _column(frame, "b", np.nan)
        several = np.array([_column(frame, column, np.nan) for column in thresholds])
        several = several.reshape(len(thresholds), len(frame)).T
        stepped = ~np.isnan(several).all(axis=1) if len(thresholds) else np.zeros(len(frame), bool)
        locations = np.full((len(frame), max(len(thresholds), 1)), np.nan)
        locations[~stepped, 0] = single[~stepped]
        if stepped.any():
            locations[stepped] = several[stepped]
        wrong = ~(slopes > 0) | np.isnan(locations).all(axis=1)
        if wrong.any():
            raise MeasureError(
                f"item {frame.index[wrong][0]!r} of {name} has no slope above 0 or no location: "
                "leave it out"
            )
        return cls(
            frame.index,
            _kinds(frame, stepped, name, model),
            slopes,
            _column(frame, "c", 0.0) if "c" in frame.columns else _column(frame, "g", 0.0),
            _column(frame, "u", 1.0),
            locations,
        )

    def take(self, items: pd.Index) -> ItemTable:
        """Some of the items, in the order given."""
        at = self.items.get_indexer(items)
        return ItemTable(
            items,
            [self.kinds[place] for place in at],
            self.slopes[at],
            self.lower[at],
            self.upper[at],
            self.locations[at],
        )

    def moved(self, slope: float, intercept: float) -> ItemTable:
        """The items on the scale slope · θ + intercept."""
        return ItemTable(
            self.items,
            self.kinds,
            self.slopes / slope,
            self.lower,
            self.upper,
            slope * self.locations + intercept,
        )

    @property
    def means(self) -> FloatArray:
        """Mean location per item."""
        return np.asarray(np.nanmean(self.locations, axis=1), dtype=np.float64)

    def probabilities(self, theta: FloatArray) -> list[FloatArray]:
        """Per item, the probability of each score above 0, shape (abilities, scores)."""
        found = []
        for at, kind in enumerate(self.kinds):
            cuts = self.locations[at][~np.isnan(self.locations[at])]
            logits = self.slopes[at] * (theta[:, None] - cuts)
            if kind == "GPCM":
                steps = np.concatenate([np.zeros((len(theta), 1)), logits.cumsum(axis=1)], axis=1)
                found.append(special.softmax(steps, axis=1)[:, 1:])
            else:
                above = special.expit(logits)
                above = self.lower[at] + (self.upper[at] - self.lower[at]) * above
                found.append(-np.diff(above, axis=1, append=0.0))
        return found

    def frame(self, slopes: FloatArray, locations: FloatArray) -> pd.DataFrame:
        """As a table, with the given slopes and locations."""
        columns: dict[str, object] = {"model": pd.array(self.kinds, dtype="str"), "a": slopes}
        one = np.array([kind == "logistic" for kind in self.kinds])
        if one.any():
            columns["b"] = np.where(one, locations[:, 0], np.nan)
        if not one.all():
            for step in range(locations.shape[1]):
                columns[f"b{step + 1}"] = np.where(one, np.nan, locations[:, step])
        if (self.lower != 0).any():
            columns["c"] = self.lower
        if (self.upper != 1).any():
            columns["u"] = self.upper
        return pd.DataFrame(columns, index=self.items)


def _is_threshold(column: object) -> bool:
    text = str(column)
    return text.startswith("b") and text[1:].isdecimal()


def _column(frame: pd.DataFrame, name: str, default: float) -> FloatArray:
    """A column's numbers; the default without the column, and where it is missing."""
    if name not in frame.columns:
        return np.full(len(frame), default)
    values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), default, values)


def _kinds(frame: pd.DataFrame, stepped: BoolArray, name: str, model: str | None) -> list[str]:
    """What the locations of each item mean."""
    if model is not None:
        choice("model", model, ("GRM", "GPCM"))
    named = frame["model"].astype("str").tolist() if "model" in frame.columns else None
    found = []
    for at, steps in enumerate(stepped):
        kind = named[at] if named else model
        if not steps:
            found.append("logistic")
        elif kind in ("GRM",):
            found.append("GRM")
        elif kind in ("GPCM", "PCM", "RSM"):
            found.append("GPCM")
        else:
            raise MeasureError(
                f"item {frame.index[at]!r} of {name} has thresholds of the model {kind}: say "
                'model="GRM" or model="GPCM"'
            )
    return found
