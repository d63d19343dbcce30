"""Responses that a model is asked about: likelihoods by group, and who is who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.irt import kernels
from lrnanalysis.measures.irt.codes import Packed
from lrnanalysis.measures.irt.engines import build, loops
from lrnanalysis.measures.irt.evaluation import Engine
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.models import Layout
from lrnanalysis.measures.irt.nodal import Nodal
from lrnanalysis.measures.irt.reading import given_items, read_groups, read_responses
from lrnanalysis.measures.irt.sumscore import SumScores

__all__ = ["Answers", "read_answers"]

#: Persons whose scores are dense at a time.
_PART = 2**12


@dataclass(frozen=True, eq=False)
class Answers:
    """Responses in the order in which likelihoods hold them.

    Attributes
    ----------
    engines : list of Engine
        By group.
    order : array of int, or None
        Row of the matrix of each person in turn; None if they are the same.
    persons : Index
        Labels of the matrix's rows.
    """

    engines: list[Engine]
    order: IntArray | None
    persons: pd.Index

    def back(self, values: FloatArray) -> FloatArray:
        """Values of the persons in turn, in the order of the matrix (last axis)."""
        if self.order is None:
            return values
        found = np.empty_like(values)
        found[..., self.order] = values
        return found

    def parts(self) -> Iterator[tuple[int, slice, FloatArray, FloatArray | None]]:
        """Stretches of persons: group, place in turn, scores from 0 with NaN, and weights."""
        start = 0
        for group, engine in enumerate(self.engines):
            for packed, given, weights in _pieces(engine):
                for part in kernels.stretches(packed.persons, _PART):
                    scores = packed.take(part).scores()
                    if given is not None:
                        scores[:, np.logical_not(given)] = np.nan
                    own = None if weights is None else weights[part]
                    yield group, slice(start + part.start, start + part.stop), scores, own
                start += packed.persons


def _pieces(engine: Engine) -> Iterator[tuple[Packed, BoolArray | None, FloatArray | None]]:
    if isinstance(engine, SumScores):
        for form in engine.forms:
            yield form.packed, form.given, form.weights
    elif isinstance(engine, Nodal):
        yield engine.packed, None, engine.weights


def read_answers(
    matrix: pd.DataFrame,
    group: object,
    layout: Layout,
    items: pd.Index,
    scores: list[FloatArray],
    groups: pd.Index,
    grid: Grid,
) -> Answers:
    """Responses of persons to a fitted model's items.

    Raises
    ------
    MeasureError
        If items, scores or groups are not the model's.
    """
    module = loops(False)
    responses = read_responses(matrix, scores, items)
    if group is None and len(groups) > 1:
        raise MeasureError(
            f"the model has the groups {', '.join(map(str, groups))}: say the persons' group"
        )
    own, labels = read_groups(group, responses.persons)
    at = groups.get_indexer(labels) if group is not None else np.zeros(1, dtype=np.intp)
    if (at < 0).any():
        raise MeasureError(f"group {labels[at < 0][0]!r} is not one of the model's")
    given = given_items(responses.digits)
    engines, order = build(layout, responses, given, at[own], len(groups), None, grid, module)
    return Answers(engines, order, responses.persons)
