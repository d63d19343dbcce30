"""Which likelihood backend serves some responses: one scalar per person where exact, else nodes."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.data.packing import pack
from lrnanalysis.measures.irt.data.response_matrix import AdministeredItems, ResponseMatrix
from lrnanalysis.measures.irt.likelihood import kernels_numpy
from lrnanalysis.measures.irt.likelihood.protocol import FormResponses, LikelihoodBackend
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.likelihood.quadrature_likelihood import QuadratureLikelihood
from lrnanalysis.measures.irt.likelihood.sum_score_likelihood import SumScoreLikelihood
from lrnanalysis.measures.irt.response_models.layout import Layout

__all__ = ["build_backends", "select_kernels"]

#: Persons per form on average for which tables of its own are worth their while.
_PERSONS_PER_FORM = 150


def select_kernels(compiled: bool | None) -> ModuleType:
    """The loops over persons: compiled, or NumPy's.

    Parameters
    ----------
    compiled : bool or None
        None takes the compiled ones where numba is installed.
    """
    installed = importlib.util.find_spec("numba") is not None
    if compiled is None:
        compiled = installed
    if not compiled:
        return kernels_numpy
    if not installed:
        raise MeasureError(
            "compiled=True needs numba, which is not installed: pip install lrnanalysis[fast], "
            "or leave compiled out"
        )
    from lrnanalysis.measures.irt.likelihood import kernels_numba

    return kernels_numba


def build_backends(
    layout: Layout,
    responses: ResponseMatrix,
    items: AdministeredItems,
    groups: IntArray,
    count: int,
    weights: FloatArray | None,
    grid: Quadrature,
    kernels: ModuleType,
) -> tuple[list[LikelihoodBackend], IntArray | None]:
    """One likelihood per group, and the row of the matrix of each of their persons in turn.

    Returns
    -------
    (list of LikelihoodBackend, array of int or None)
        None where the persons stay in the order of the matrix.
    """
    persons, sets = responses.digits.shape[1], items.forms
    cell: IntArray = items.form + groups * len(sets)
    cells = len(np.unique(cell)) if len(sets) * count > 1 else 1
    scalar = layout.exponential_family and cells * _PERSONS_PER_FORM <= max(
        persons, _PERSONS_PER_FORM
    )
    if not scalar:
        # Missing scores are digits, so that a group is one form, whoever answered what.
        cell, sets = groups, np.ones((1, len(layout.models)), dtype=bool)
    packed = pack(responses.digits, layout.steps, keep_gaps=not scalar)
    order = None
    if len(sets) * count > 1:
        order = np.argsort(cell, kind="stable")
        packed = packed.take(order)
        weights = None if weights is None else weights[order]
    sizes = np.bincount(cell, minlength=len(sets) * count)
    forms = []
    for place, (size, end) in enumerate(zip(sizes, np.cumsum(sizes), strict=True)):
        part = slice(int(end - size), int(end))
        own = None if weights is None else weights[part]
        forms.append(FormResponses(packed.take(part), sets[place % len(sets)], own))
    family = SumScoreLikelihood if scalar else QuadratureLikelihood
    found: list[LikelihoodBackend] = []
    for group in range(count):
        own_forms = forms[group * len(sets) : (group + 1) * len(sets)]
        if scalar:
            own_forms = [form for form in own_forms if form.packed.persons]
        found.append(family(layout, own_forms, grid, kernels))
    return found, order
