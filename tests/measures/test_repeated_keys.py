"""Rows that a merge multiplied are refused by every measure of the tables."""

import inspect

import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis.measures import answer_decoding, completion, scores, timing

#: Arguments that some measures need besides the tables.
OTHERS = {"is_status": {"status": "Completed"}, "pick_attempts": {"attempts": "first"}}
TABLES = ("sessions", "responses", "items")


def measures_of_tables():
    for module in (answer_decoding, completion, scores, timing):
        for name in module.__all__:
            measure = getattr(module, name)
            if not inspect.isfunction(measure):
                continue
            for table in TABLES:
                if table in inspect.signature(measure).parameters:
                    yield pytest.param(measure, table, id=f"{name}-{table}")


@pytest.fixture(scope="module")
def tables():
    return dict(zip(TABLES, lrn.load_example(), strict=True))


@pytest.mark.parametrize(("measure", "table"), [*measures_of_tables()])
def test_rows_that_occur_twice_are_refused(tables, measure, table):
    needed = [
        name
        for name, parameter in inspect.signature(measure).parameters.items()
        if name in TABLES and parameter.default is inspect.Parameter.empty
    ]
    given = {name: tables[name] for name in {table, *needed}} | OTHERS.get(measure.__name__, {})
    measure(**given)
    given[table] = pd.concat([tables[table], tables[table].iloc[:2]])
    with pytest.raises(lrn.MeasureError, match=f"2 rows of {table} repeat|2 rows fall on a cell"):
        measure(**given)
