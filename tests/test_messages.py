"""What messages name exists, and they show values as plain Python writes them."""

import ast
import inspect
import re
import secrets
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis.errors import listed, shown
from wrong_arguments import analysis, model, public, right, study, times

PACKAGE = Path(lrn.__file__).parent

#: Names that messages use → what they stand for.
ROOTS = {
    "Query": lambda: lrn.Query,
    "analysis": analysis,
    "frame": lambda: study().items,
    "lrn": lambda: lrn,
    "lrnanalysis": lambda: lrn,
    "matrix": right,
    "model": model,
    "pandas": lambda: pd,
    "secrets": lambda: secrets,
    "study": study,
}

_CHAIN = re.compile(r"(?<![\w./])([A-Za-z]+)((?:\.\w+(?:\([^()]*\))?)+)")
_CALL = re.compile(r"(?<![\w.])(\w+)\(")
_KEYWORD = re.compile(r"\b(\w+)=(?!=)")


def written(node):
    """The text of a message in the source, with {} for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(written, node.values))
    return "{}"


def messages():
    """Place and text of every message that is raised or warned."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else node
            if not isinstance(call, ast.Call) or not call.args:
                continue
            warned = isinstance(call.func, ast.Name) and call.func.id == "warn"
            if isinstance(node, ast.Raise) or warned:
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", written(call.args[0])


def exists(root, chain):
    """Whether an object has the attributes of a chain such as ``.analysis().scores``."""
    found = ROOTS[root]()
    for name in re.findall(r"\.(\w+)", re.sub(r"\([^()]*\)", "", chain)):
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
        if name in ("analysis", "replace", "reset_index"):  # called, and gives the same again
            found = study().items if name == "reset_index" else analysis()
    return True


def parameters():
    """Every name of a parameter that public functions, or pandas' methods, have."""
    functions = [*public().values(), pd.DataFrame.dropna, pd.cut, pd.to_datetime]
    return {name for one in functions for name in inspect.signature(one).parameters}


def test_code_in_messages_exists():
    known, functions = parameters(), {name.rpartition(".")[2] for name in public()}
    functions |= {*dir(pd.DataFrame), "range"}
    faults, seen = [], 0
    for place, text in messages():
        for root, chain in _CHAIN.findall(text):
            if root + chain != "e.g":
                seen += 1
                if root not in ROOTS or not exists(root, chain):
                    faults.append(f"{place}: {root}{chain}")
        faults += [f"{place}: {one}(" for one in _CALL.findall(text) if one not in functions]
        faults += [f"{place}: {one}=" for one in _KEYWORD.findall(text) if one not in known]
    assert not faults
    assert seen > 20


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(8), "8"),
        (np.float64(0.5), "0.5"),
        (np.bool_(True), "True"),
        (np.str_("a"), "'a'"),
        ((np.int64(1), np.str_("a")), "(1, 'a')"),
        ([np.float64("nan"), None], "[nan, None]"),
        ({np.str_("a"): np.int64(1)}, "{'a': 1}"),
        (pd.Timestamp("2024-03-01"), "2024-03-01 00:00:00"),
        (np.datetime64("2024-03-01"), "2024-03-01"),
        (pd.NA, "<NA>"),
        (right(), "a DataFrame of shape (60, 6)"),
        (lrn.irt, "the module lrnanalysis.measures.irt"),
        ("x" * 100, f"'{'x' * 59}'…"),
    ],
)
def test_values_are_shown_as_plain_python_writes_them(value, text):
    assert shown(value) == text


def test_the_first_of_many_are_listed():
    assert listed(pd.Index([1, 2, 3]), most=2) == "1, 2, …"


def numbered(matrix):
    """A matrix whose persons and items are NumPy's numbers."""
    return matrix.set_axis(np.arange(len(matrix)), axis=0).set_axis(
        np.arange(matrix.shape[1]), axis=1
    )


SCORES, TIMES = numbered(right()), numbered(times())
INFINITE = SCORES.replace(1.0, np.inf)
GROUP = pd.Series(np.arange(60) % 2, index=SCORES.index)
PARTS = pd.DataFrame(
    {
        "session_id": np.repeat(np.arange(3), 2),
        "response_id": np.arange(6).astype(str),
        "item_reference": np.tile(np.arange(2), 3),
        "slot": 0,
        "choice": "a",
    }
)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: lrn.classical.reliability(INFINITE),
        lambda: lrn.classical.item_statistics(SCORES, {0: 1}),
        lambda: lrn.classical.item_statistics(SCORES, dict.fromkeys(SCORES.columns, 0)),
        lambda: lrn.classical.item_statistics(SCORES + 1, 1),
        lambda: lrn.classical.item_statistics(SCORES, cells=SCORES.astype(str)),
        lambda: lrn.classical.distractors(PARTS, key={9: "a"}),
        lambda: lrn.dif.mantel_haenszel(SCORES, GROUP, focal=7),
        lambda: lrn.dif.mantel_haenszel(SCORES, GROUP, focal=np.int64(1), reference=np.int64(1)),
        lambda: lrn.dif.mantel_haenszel(SCORES, GROUP.where(GROUP.index > 0, 2), focal=2),
        lambda: lrn.dif.mantel_haenszel(SCORES, GROUP, anchor=[np.int64(9)]),
        lambda: lrn.dif.logistic(SCORES, pd.concat([GROUP, GROUP])),
        lambda: lrn.effort.thresholds(TIMES, np.float64(-1.0)),
        lambda: lrn.effort.effort_moderated(SCORES, SCORES.iloc[:, :2] > 0),
        lambda: lrn.plots.times(TIMES, np.int64(9)),
        lambda: lrn.plots.guttman(SCORES, SCORES, most=np.float64(0.5)),
        lambda: lrn.timing.outliers(study().items, k=np.float64(-1.0)),
        lambda: lrn.timing.time_summary(study().items, [np.str_("a"), np.int64(1)]),
        lambda: lrn.equating.equate([1, 2], [1, 2], method=np.str_("a")),
        lambda: study()[np.array([1, 2])],
        lambda: study().analysis(omitted=np.str_("a")),
        lambda: study().analysis(activity=np.array([1])),
        lambda: lrn.Query(activity_id=[np.int64(1)]),
        lambda: lrn.Query(limit=np.float64(1.5)),
        lambda: lrn.Query(mintime=pd.Timestamp("1960-01-01")),
        lambda: lrn.simulation.simulate(forms=np.int64(-1)),
    ],
)
def test_numpy_labels_and_values_are_plain_in_messages(refused):
    with pytest.raises(lrn.LrnError) as refusal:
        refused()
    assert not re.search(r"\bnp\.|Timestamp\(", str(refusal.value))
