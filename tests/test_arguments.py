"""Arguments held against annotations: what is taken, what is refused, and how it is said."""

import ast
import importlib
import inspect

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis import arguments
from wrong_arguments import analysis, model, public, right, study


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (
            lambda: lrn.timing.outliers(study()),
            "items is a SessionData: pass the items table, a DataFrame, such as study.items",
        ),
        (
            lambda: lrn.timing.outliers(study().responses),
            "items is the responses table: pass the items table, a DataFrame, such as study.items",
        ),
        (
            lambda: lrn.classical.reliability(analysis()),
            "matrix is an Analysis: pass a DataFrame with persons in rows and items in columns, "
            "such as analysis.scores",
        ),
        (
            lambda: lrn.classical.reliability(study().items),
            "matrix is the items table: pass a DataFrame with persons in rows and items in "
            "columns, such as study.analysis().scores",
        ),
        (
            lambda: lrn.classical.reliability(model()),
            "matrix is an IRTModel: pass a DataFrame with persons in rows and items in columns, "
            "such as the one that the model was fitted to",
        ),
        (
            lambda: lrn.plots.information(right()),
            "model is a DataFrame of shape (60, 6): pass an IRTModel, such as "
            "lrnanalysis.irt.fit(matrix)",
        ),
        (
            lambda: lrn.classical.reliability(right().astype(str)),
            "matrix has dtype str on item 'a': numbers are needed; convert it with "
            "pandas.to_numeric",
        ),
        (
            lambda: lrn.timing.active_time(study().items, unit="hours"),
            "unit is 'hours': it must be one of ['s', 'min', 'h']",
        ),
        (
            lambda: lrn.timing.active_time(study().items, by=3),
            "by is 3: pass a string or a list of strings",
        ),
        (
            lambda: lrn.dif.mantel_haenszel(right(), ["f", "m"] * 30, anchor="a"),
            "anchor is 'a': pass a list of labels",
        ),
        (
            lambda: lrn.dif.mantel_haenszel(right(), ["f", "m"] * 30, purify="no"),
            "purify is 'no': pass True or False",
        ),
        (
            lambda: lrn.read(3),
            "source is 3: pass a string, a Path or a list",
        ),
        (
            lambda: study().pseudonymise(["hidden"]),
            "key is of type list: pass a string or bytes",
        ),
    ],
)
def test_a_refusal_says_what_was_given_and_what_to_pass(refused, said):
    with pytest.raises(lrn.LrnError) as refusal:
        refused()
    assert str(refusal.value) == said


def test_numbers_and_flags_of_numpy_are_taken():
    plain = lrn.dif.mantel_haenszel(right(), ["f", "m"] * 30, strata=4, level=0.1, correct=False)
    numpy = lrn.dif.mantel_haenszel(
        right(),
        np.array(["f", "m"] * 30),
        strata=np.int64(4),
        level=np.float64(0.1),
        correct=np.bool_(False),
    )
    pd.testing.assert_frame_equal(plain, numpy)


def test_merged_tables_are_still_tables():
    merged = study().items.merge(study().sessions[["session_id", "user_id"]], on="session_id")
    assert lrn.timing.active_time(merged, "user_id").sum() > 0


def test_an_unknown_keyword_is_pythons_own_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'units'"):
        lrn.timing.active_time(study().items, units="s")


def test_names_that_only_type_checkers_import_are_classes(monkeypatch):
    # Such a name is compared with the names of a value's classes, which no alias has.
    named = []
    monkeypatch.setattr(arguments, "_named", lambda name: named.append(name) or _nothing())
    for function in public().values():
        plain = inspect.unwrap(function)
        if plain is function or inspect.isclass(function):
            continue
        named.clear()
        arguments._kinds_of_parameters.__wrapped__(plain)
        for name in named:
            assert inspect.isclass(_imported(plain, name)), f"{plain.__qualname__}: {name}"


def _nothing():
    return arguments._Kind("nothing", lambda value: False)


def _imported(function, name):
    """What a module imports under a name, also where only type checkers do."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and name in {one.name for one in node.names}:
            return getattr(importlib.import_module(node.module), name)
    raise AssertionError(f"{name} is imported nowhere in {function.__module__}")
