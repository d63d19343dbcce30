"""Warnings: one family, each at the line of the caller's own code."""

import warnings

import pandas as pd
import pytest

import lrnanalysis as lrn


def negative_times():
    return pd.DataFrame(
        {"session_id": ["s", "t"], "item_reference": "a", "time": [-1.0, 5.0], "position": 1}
    )


@pytest.mark.parametrize("kind", [lrn.DataWarning, lrn.ConvergenceWarning, lrn.RuleWarning])
def test_all_warnings_are_of_one_family(kind):
    assert issubclass(kind, lrn.LrnWarning)
    assert issubclass(lrn.LrnWarning, UserWarning)
    assert kind.__doc__


@pytest.mark.parametrize(
    "call",
    [lambda frame: lrn.timing.active_time(frame), lambda frame: frame.lrn.active_time()],
    ids=["function", "accessor"],
)
def test_a_warning_points_at_the_line_that_asked(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(negative_times())
    (warning,) = caught
    assert warning.category is lrn.DataWarning
    assert warning.filename == __file__
    assert "1 of 2 item times are negative" in str(warning.message)


def test_a_filter_by_family_turns_them_into_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error", lrn.LrnWarning)
        with pytest.raises(lrn.DataWarning):
            lrn.timing.active_time(negative_times())


def test_no_module_warns_by_itself():
    from pathlib import Path

    package = Path(lrn.__file__).parent
    for file in package.rglob("*.py"):
        if file.name != "warnings.py":
            assert "warnings.warn(" not in file.read_text(), file
