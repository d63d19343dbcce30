"""No number changes by accident: every public measure and model against figures that are kept.

They were equal to those of the code before a reorganisation, but for changes made on purpose.
"""

import json

import pytest
from figures import figures
from freeze import FILE

KEPT = json.loads(FILE.read_text())

#: Relative tolerance: estimates stop where the likelihood no longer rises.
CLOSE = 1e-5


@pytest.fixture(scope="module")
def now():
    return json.loads(json.dumps(figures()))


def test_all_measures_are_there(now):
    assert list(now) == list(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_figures_are_those_that_were_kept(now, name):
    kept, found = KEPT[name], now[name]
    assert found["rows"] == kept["rows"]
    assert list(found["columns"]) == list(kept["columns"])
    for column, values in kept["columns"].items():
        for was, is_ in zip(values, found["columns"][column], strict=True):
            if isinstance(was, str) or was is None:
                assert is_ == was, column
            else:
                assert is_ == pytest.approx(was, rel=CLOSE, abs=1e-6), column
