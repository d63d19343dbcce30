"""Persons with their responses: those that a model was fitted to, or others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, listed, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.irt.data.packing import chunks
from lrnanalysis.measures.irt.data.response_matrix import (
    administered_items,
    read_groups,
    read_responses,
)
from lrnanalysis.measures.irt.likelihood.backends import build_backends, select_kernels
from lrnanalysis.measures.irt.likelihood.protocol import LikelihoodBackend
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.response_models.layout import Layout

__all__ = ["PersonResponses", "read_persons"]

#: Persons whose scores are dense at a time.
_CHUNK = 2**12


@dataclass(frozen=True, eq=False)
class PersonResponses:
    """Responses of persons, in the order in which likelihoods hold them.

    Attributes
    ----------
    backends : list of LikelihoodBackend
        By group.
    order : array of int, or None
        Row of the matrix of each person in turn; None if they are the same.
    persons : Index
        Labels of the matrix's rows.
    answered : array of bool
        Whether a person has a score, in the order of the matrix.
    """

    backends: list[LikelihoodBackend]
    order: IntArray | None
    persons: pd.Index
    answered: BoolArray

    @property
    def weights(self) -> FloatArray:
        """Number of persons that each person in turn represents; 0 without a score."""
        forms = [form for backend in self.backends for form in backend.forms]
        mass = [
            np.ones(form.packed.persons) if form.weights is None else form.weights for form in forms
        ]
        answered = self.answered if self.order is None else self.answered[self.order]
        return np.concatenate([np.empty(0), *mass]) * answered

    def in_matrix_order(self, values: FloatArray) -> FloatArray:
        """Values of the persons in turn, in the order of the matrix (last axis)."""
        if self.order is None:
            return values
        found = np.empty_like(values)
        found[..., self.order] = values
        return found

    def chunks(self) -> Iterator[tuple[int, slice, FloatArray, FloatArray | None]]:
        """Some persons at a time: group, place in turn, scores from 0 with NaN, and weights."""
        start = 0
        for group, backend in enumerate(self.backends):
            for form in backend.forms:
                for part in chunks(form.packed.persons, _CHUNK):
                    weights = None if form.weights is None else form.weights[part]
                    place = slice(start + part.start, start + part.stop)
                    yield group, place, form.scores(part), weights
                start += form.packed.persons


def read_persons(
    matrix: pd.DataFrame,
    group: object,
    layout: Layout,
    items: pd.Index,
    scores: list[FloatArray],
    groups: pd.Index,
    grid: Quadrature,
) -> PersonResponses:
    """Responses of persons to a fitted model's items.

    Raises
    ------
    MeasureError
        If items, scores or groups are not the model's.
    """
    responses = read_responses(matrix, scores, items)
    if group is None and len(groups) > 1:
        raise MeasureError(
            f"the model has the groups {listed(groups)}: give the group of every person"
        )
    own, labels = read_groups(group, responses.persons)
    at = groups.get_indexer(labels) if group is not None else np.zeros(1, dtype=np.intp)
    if (at < 0).any():
        raise MeasureError(f"group {shown(labels[at < 0][0])} is not one of the model's")
    given, kernels = administered_items(responses.digits), select_kernels(False)
    backends, order = build_backends(
        layout, responses, given, at[own], len(groups), None, grid, kernels
    )
    return PersonResponses(backends, order, responses.persons, given.answered)
