"""Who took which form: the samples of each design, and how an anchor is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import FloatArray, choice

__all__ = ["EquatingDesign", "Method", "Sample", "Scores", "Via", "choose_via", "read_sample"]

Scores = pd.Series | Sequence[float] | FloatArray
Method = Literal["equipercentile", "linear", "mean"]
EquatingDesign = Literal["equivalent groups", "single group", "NEAT"]
Via = Literal["post-stratification", "chained", "Tucker", "Levine", "Braun-Holland"]

_FOR_CURVES = ("post-stratification", "chained")
_FOR_LINES = ("Tucker", "Levine", "Braun-Holland", "chained")


@dataclass(frozen=True, eq=False)
class Sample:
    """Scores on the two forms and, in a NEAT design, on the anchor.

    Attributes
    ----------
    x, y : array
        Scores on the forms [points].
    anchors : (array, array) or None
        Scores on the anchor of the persons of `x` and of `y`.
    together : bool
        Whether `x` and `y` are of the same persons.
    """

    x: FloatArray
    y: FloatArray
    anchors: tuple[FloatArray, FloatArray] | None
    together: bool

    def drawn(self, rng: np.random.Generator) -> Sample:
        """As many persons, drawn with replacement from each group."""
        one = rng.integers(len(self.x), size=len(self.x))
        two = one if self.together else rng.integers(len(self.y), size=len(self.y))
        anchors = None if self.anchors is None else (self.anchors[0][one], self.anchors[1][two])
        return Sample(self.x[one], self.y[two], anchors, self.together)


def read_sample(
    x: Scores,
    y: Scores,
    anchor_x: Scores | None,
    anchor_y: Scores | None,
    design: EquatingDesign | None,
) -> tuple[Sample, EquatingDesign]:
    """Check the scores and settle the design.

    Raises
    ------
    MeasureError
        If anchors and design contradict each other, scores are missing or do not belong
        together, or nobody differs.
    """
    anchored = anchor_x is not None and anchor_y is not None
    if (anchor_x is None) != (anchor_y is None):
        raise MeasureError(
            "anchor_x or anchor_y is missing: both groups must have taken the anchor"
        )
    if design is None:
        design = "NEAT" if anchored else "equivalent groups"
    choice("design", design, ("equivalent groups", "single group", "NEAT"))
    if anchored != (design == "NEAT"):
        raise MeasureError(
            f"design is {shown(design)} {'with' if anchored else 'without'} anchors: anchor_x and "
            'anchor_y go with "NEAT"'
        )
    if anchor_x is not None and anchor_y is not None:
        (one, v_one), (two, v_two) = (
            _together(form, anchor, (name, f"anchor_{name}"))
            for name, form, anchor in (("x", x, anchor_x), ("y", y, anchor_y))
        )
        sample = Sample(one, two, (v_one, v_two), together=False)
    elif design == "single group":
        sample = Sample(*_together(x, y, ("x", "y")), None, together=True)
    else:
        sample = Sample(_numbers(x, "x"), _numbers(y, "y"), None, together=False)
    for name, scores in (("x", sample.x), ("y", sample.y)):
        if np.ptp(scores) == 0:
            raise MeasureError(
                f"all persons have {scores[0]:g} points on {name}: there is nothing to equate"
            )
    return sample, design


def _numbers(scores: Scores, name: str) -> FloatArray:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise MeasureError(
            f"{name} has the shape {values.shape}: pass one score per person, for two or more"
        )
    lost = int((~np.isfinite(values)).sum())
    if lost:
        raise MeasureError(f"{lost} of {len(values)} scores of {name} are missing: drop them first")
    return values


def _together(
    first: Scores, second: Scores, names: tuple[str, str]
) -> tuple[FloatArray, FloatArray]:
    """Two scores of the same persons, by index where both are Series, else by position."""
    if isinstance(first, pd.Series) and isinstance(second, pd.Series):
        if not (first.index.is_unique and second.index.is_unique):
            raise MeasureError(
                f"{names[0]} or {names[1]} has several scores for one person: pass one score per "
                "person"
            )
        if len(first) != len(second) or not second.index.isin(first.index).all():
            raise MeasureError(
                f"{names[0]} and {names[1]} are not of the same persons: pass persons who have both"
            )
        second = second.reindex(first.index)
    one, two = _numbers(first, names[0]), _numbers(second, names[1])
    if len(one) != len(two):
        raise MeasureError(
            f"{names[0]} has {len(one)} scores and {names[1]} {len(two)}: they must be of the same "
            "persons"
        )
    return one, two


def choose_via(design: EquatingDesign, via: Via | None, method: Method) -> Via | None:
    """How the anchor is used, by default or checked against the method."""
    if design != "NEAT":
        if via is not None:
            raise MeasureError(f"via is {shown(via)}: it requires an anchor test")
        return None
    allowed = _FOR_CURVES if method == "equipercentile" else _FOR_LINES
    if via is None:
        return "post-stratification" if method == "equipercentile" else "Tucker"
    if via not in allowed:
        raise MeasureError(
            f"via is {shown(via)}: with method={shown(method)} it must be one of {allowed}"
        )
    return via
