"""Which likelihood serves some responses: one scalar a person where that is exact, else nodes."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt import kernels
from lrnanalysis.measures.irt.codes import pack
from lrnanalysis.measures.irt.evaluation import Engine
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.models import Layout
from lrnanalysis.measures.irt.nodal import Nodal
from lrnanalysis.measures.irt.reading import Given, Responses
from lrnanalysis.measures.irt.sumscore import Form, SumScores

__all__ = ["build", "loops"]

#: Persons a set of items needs on average for tables of its own to be worth their while.
_PERSONS_A_FORM = 150


def loops(compiled: bool | None) -> ModuleType:
    """The loops over persons: compiled, or NumPy's.

    Parameters
    ----------
    compiled : bool or None
        None takes the compiled ones where numba is installed.
    """
    there = importlib.util.find_spec("numba") is not None
    if compiled is None:
        compiled = there
    if not compiled:
        return kernels
    if not there:
        raise MeasureError(
            "compiled=True needs numba, which is not installed: pip install lrnanalysis[fast], "
            "or leave compiled out"
        )
    from lrnanalysis.measures.irt import compiled as module

    return module


def build(
    layout: Layout,
    responses: Responses,
    given: Given,
    groups: IntArray,
    count: int,
    weights: FloatArray | None,
    grid: Grid,
    module: ModuleType,
) -> tuple[list[Engine], IntArray | None]:
    """One likelihood a group, and the row of the matrix of each of their persons in turn.

    Returns
    -------
    (list of Engine, array of int or None)
        None where the persons stay in the order of the matrix.
    """
    forms = len(given.patterns)
    cell = given.pattern + groups * forms if count > 1 else given.pattern
    cells = np.unique(cell) if forms * count > 1 else np.zeros(1, dtype=np.intp)
    persons = responses.digits.shape[1]
    scalar = layout.one_scalar and len(cells) * _PERSONS_A_FORM <= max(persons, _PERSONS_A_FORM)
    packed = pack(responses.digits, layout.steps, keep_gaps=not scalar)
    order = None
    if count > 1 or (scalar and forms > 1):
        order = np.argsort(cell if scalar else groups, kind="stable")
        packed = packed.take(order)
        weights = None if weights is None else weights[order]
    if not scalar:
        ends = np.cumsum(np.bincount(groups, minlength=count))
        engines: list[Engine] = []
        for start, end in zip(ends - np.bincount(groups, minlength=count), ends, strict=True):
            part = slice(int(start), int(end))
            own = None if weights is None else weights[part]
            engines.append(Nodal(layout, packed.take(part), own, grid, module))
        return engines, order
    sizes = np.bincount(cell, minlength=forms * count) if order is not None else np.array([persons])
    ends = np.cumsum(sizes)
    found = []
    for group in range(count):
        own_forms = []
        for form in range(forms):
            place = group * forms + form
            if sizes[place] == 0:
                continue
            part = slice(int(ends[place] - sizes[place]), int(ends[place]))
            own = None if weights is None else weights[part]
            own_forms.append(Form(packed.take(part), given.patterns[form], own))
        found.append(SumScores(layout, own_forms, grid, module))
    return [*found], order
