"""Item parameters as arrays, with the curves that they describe."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import special

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray, choice
from lrnanalysis.measures.irt.estimation.anchors import Calibration
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.registry import MODELS, response_model
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["ItemTable"]


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Item parameters as arrays.

    Attributes
    ----------
    items : Index
        Labels.
    names : array of str, shape (items,)
        Each item's model.
    stepped : array of bool, shape (items,)
        Whether an item has thresholds b1, b2 …, not a difficulty b.
    slopes, lower, upper : array, shape (items,)
        Discriminations and asymptotes.
    locations : array, shape (items, most thresholds)
        Difficulty in the first column or the thresholds, NaN where an item has fewer.
    """

    items: pd.Index
    names: np.ndarray
    stepped: BoolArray
    slopes: FloatArray
    lower: FloatArray
    upper: FloatArray
    locations: FloatArray

    @classmethod
    def of(cls, given: pd.DataFrame | Calibration, name: str, model: str | None) -> ItemTable:
        """Read a table of item parameters, or that of a fitted model."""
        frame = given if isinstance(given, pd.DataFrame) else given.items
        thresholds = sorted(
            (column for column in frame.columns if _is_threshold(column)),
            key=lambda column: int(str(column)[1:]),
        )
        if "a" not in frame.columns or not ({"b", *thresholds} & set(frame.columns)):
            raise MeasureError(
                f"{name} has the columns {', '.join(map(str, frame.columns))}: it needs a (slope) "
                "and b (difficulty), or b1, b2, … (thresholds)"
            )
        if not frame.index.is_unique:
            raise MeasureError(f"{name} has an item twice: give every item one row")
        slopes = frame["a"].to_numpy(dtype=np.float64)
        several = [_column(frame, column, np.nan) for column in thresholds]
        locations = np.stack(several or [np.full(len(frame), np.nan)], axis=1)
        stepped = ~np.isnan(locations).all(axis=1)
        locations[~stepped, 0] = _column(frame, "b", np.nan)[~stepped]
        wrong = ~(slopes > 0) | np.isnan(locations).all(axis=1)
        if wrong.any():
            raise MeasureError(
                f"item {shown(frame.index[wrong][0])} of {name} has no slope above 0 or no "
                "location: leave it out"
            )
        lower = _column(frame, "c" if "c" in frame.columns else "g", 0.0)
        upper = _column(frame, "u", 1.0)
        names = _models(frame, stepped, (lower != 0) | (upper != 1), name, model)
        return cls(frame.index, names, stepped, slopes, lower, upper, locations)

    def take(self, items: pd.Index) -> ItemTable:
        """Some of the items, in the order given."""
        at = self.items.get_indexer(items)
        return ItemTable(*(getattr(self, field.name)[at] for field in fields(self)))

    def moved(self, slope: float, intercept: float) -> ItemTable:
        """The items on the scale slope · θ + intercept."""
        locations = slope * self.locations + intercept
        return replace(self, slopes=self.slopes / slope, locations=locations)

    @property
    def means(self) -> FloatArray:
        """Mean location per item."""
        return np.asarray(np.nanmean(self.locations, axis=1), dtype=np.float64)

    @property
    def steps(self) -> list[int]:
        """Number of locations per item."""
        found: list[int] = (~np.isnan(self.locations)).sum(axis=1).tolist()
        return found

    @cached_property
    def layout(self) -> Layout:
        """The items' curves."""
        described = zip(
            self.names, self.stepped, self.steps, self.lower != 0, self.upper != 1, strict=True
        )
        return Layout(tuple(_curves(*item) for item in described))

    @cached_property
    def _vector(self) -> FloatArray:
        with np.errstate(divide="ignore"):
            logits = special.logit(np.stack([self.lower, self.upper], axis=1))
        found = []
        for item, model in enumerate(self.layout.models):
            own = self.locations[item][~np.isnan(self.locations[item])]
            steps = np.linalg.solve(model.location_differences, -self.slopes[item] * own)
            names = [name for name in model.reported if name[0] == "d"]
            parameters = {"a": self.slopes[item], "c": logits[item, 0], "u": logits[item, 1]}
            found.append(model.constants(parameters | dict(zip(names, steps, strict=True))))
        return np.concatenate(found)

    def probabilities(
        self, theta: FloatArray, slope: float = 1.0, intercept: float = 0.0
    ) -> FloatArray:
        """Probability of every score, by abilities on the scale slope · θ + intercept.

        Returns
        -------
        array, shape (items, most scores, abilities)
            0 for scores that an item does not have.
        """
        vector = self.layout.rescaled(self._vector, -intercept / slope, 1 / slope)
        return self.layout.probabilities(vector, theta)

    def frame(self) -> pd.DataFrame:
        """As a table."""
        columns: dict[str, object] = {"model": pd.array(self.names, dtype="str"), "a": self.slopes}
        if not self.stepped.all():
            columns["b"] = np.where(self.stepped, np.nan, self.locations[:, 0])
        if self.stepped.any():
            for step, location in enumerate(self.locations.T, start=1):
                columns[f"b{step}"] = np.where(self.stepped, location, np.nan)
        if (self.lower != 0).any():
            columns["c"] = self.lower
        if (self.upper != 1).any():
            columns["u"] = self.upper
        return pd.DataFrame(columns, index=self.items)


def _curves(name: str, stepped: bool, steps: int, lower: bool, upper: bool) -> ResponseModel:
    """The model of an item's curves.

    A table may name models that are not ours, or give asymptotes to one that has none: a
    dichotomous item is then a 4PL item.
    """
    if stepped:
        return response_model(name, steps)
    model = response_model(name, steps) if name in MODELS else None
    asymptotes = {letter for letter, given in (("c", lower), ("u", upper)) if given}
    if model is None or not model.has_locations or not asymptotes <= set(model.parameters):
        return response_model("4PL", steps)
    return model


def _is_threshold(column: object) -> bool:
    text = str(column)
    return text.startswith("b") and text[1:].isdecimal()


def _column(frame: pd.DataFrame, name: str, default: float) -> FloatArray:
    """A column's numbers; the default without the column, and where it is missing."""
    if name not in frame.columns:
        return np.full(len(frame), default)
    values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), default, values)


def _models(
    frame: pd.DataFrame, stepped: BoolArray, asymptotes: BoolArray, name: str, model: str | None
) -> np.ndarray:
    """Name of each item's model: the table's, or what its parameters are."""
    if model is not None:
        choice("model", model, ("GRM", "GPCM"))
    if "model" in frame.columns:
        named = frame["model"].astype("str").to_numpy(dtype=object)
    else:
        named = np.where(stepped, str(model), np.where(asymptotes, "3PL", "2PL")).astype(object)
    for item, own, several, guessed in zip(frame.index, named, stepped, asymptotes, strict=True):
        if not several:
            continue
        known = own in MODELS and response_model(own, 2)
        if not known or not known.partial_credit or not known.has_locations:
            raise MeasureError(
                f"item {shown(item)} of {name} has thresholds and the model {own}: give "
                'model="GRM" or model="GPCM"'
            )
        if guessed:
            raise MeasureError(
                f"item {shown(item)} of {name} has thresholds and an asymptote: "
                "leave one of them out"
            )
    return named
