"""Every public function, found by itself; a valid value for what it needs; and wrong things."""

import functools
import inspect
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import lrnanalysis as lrn

#: Classes whose objects the package makes itself: their constructors take checked values.
MADE_BY_THE_PACKAGE = {
    "AnalysisPlots",
    "Cells",
    "Column",
    "Convergence",
    "EffortScreen",
    "Equating",
    "IRTModel",
    "ItemAnalysis",
    "Link",
    "LoggedRequest",
    "LognormalModel",
    "Simulation",
    "States",
    "Table",
    "TableAccessor",
    "ItemsAccessor",
    "ResponsesAccessor",
    "SessionsAccessor",
    "UpdateCounts",
}

#: Parameters that take any value on purpose.
ANY_VALUE = {"self"}


def public():
    """Name → function, class or method, of everything that `lrnanalysis.__all__` leads to."""
    found = {}

    def walk(name, thing):
        if inspect.ismodule(thing):
            for part in getattr(thing, "__all__", ()):
                walk(f"{name}.{part}", getattr(thing, part))
        elif inspect.isclass(thing) and thing.__module__.startswith("lrnanalysis"):
            if issubclass(thing, BaseException):
                return
            if thing.__name__ not in MADE_BY_THE_PACKAGE:
                found[name] = thing
            for part, method in inspect.getmembers(thing, inspect.isfunction):
                if not part.startswith("_"):
                    found[f"{name}.{part}"] = method
        elif inspect.isfunction(thing):
            found[name] = thing

    walk("lrn", lrn)
    walk("lrn.plot", type(analysis().plot))
    return found


@functools.cache
def study():
    """Sixty sessions of the bundled study."""
    return lrn.load_example()[:60]


@functools.cache
def analysis():
    return study().analysis()


@functools.cache
def right():
    """Sixty persons' right and wrong answers to six items."""
    rng = np.random.default_rng(3)
    ability = rng.normal(size=(60, 1))
    chance = 1 / (1 + np.exp(np.linspace(-1.2, 1.2, 6) - ability))
    values = (rng.random((60, 6)) < chance).astype(float)
    return pd.DataFrame(values, index=[f"p{at:02}" for at in range(60)], columns=list("abcdef"))


@functools.cache
def model():
    return lrn.irt.fit(right(), "Rasch")


@functools.cache
def times():
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        np.exp(rng.normal(3, 0.5, size=(60, 6))), index=right().index, columns=right().columns
    )


def group():
    return pd.Series(["f", "m"] * 30, index=right().index, name="group")


@functools.cache
def simulation():
    return lrn.simulation.simulate(learners=4, items=5)


@functools.cache
def folder():
    return Path(tempfile.mkdtemp())


@functools.cache
def saved():
    model().save(folder() / "model.json")
    study().to_json(folder() / "sessions.jsonl")
    return folder()


@functools.cache
def sandbox():
    return lrn.sandbox.serve(simulation())


@functools.cache
def ax():
    return plt.figure().add_subplot()


def cells():
    return analysis().cells


#: Parameter (or "function.parameter", which goes first) → a valid value.
EXAMPLES = {
    "sessions": lambda: study().sessions,
    "responses": lambda: study().responses,
    "items": lambda: study().items,
    "frame": lambda: study().items,
    "matrix": right,
    "scores": right,
    "times": times,
    "group": group,
    "status": lambda: "Completed",
    "attempts": lambda: "first",
    "choices": lambda: analysis()._choices,
    "distractors.scores": lambda: analysis().scores,
    "trace_lines.scores": lambda: analysis().scores,
    "guttman.scores": lambda: analysis().scores,
    "guttman.cells": lambda: analysis().cells,
    "plot.times.item": lambda: "item-05",
    "plot.dif_curves.item": lambda: "item-05",
    "plot.dif_curves.group": lambda: "status",
    "statistics": lambda: lrn.classical.item_statistics(right()),
    "rte": lambda: lrn.effort.response_time_effort(times()),
    "flags": lambda: lrn.effort.rapid_guesses(times()),
    "name": lambda: "nt10",
    "Analysis.group.name": lambda: "status",
    "Analysis.dif.group": lambda: "status",
    "method": lambda: "nt10",
    "x": lambda: right().sum(axis=1),
    "y": lambda: right().sum(axis=1),
    "model": model,
    "path": lambda: saved() / "model.json",
    "values": lambda: [0.0, 1.0],
    "new": model,
    "base": model,
    "link": lambda: lrn.linking.link(model(), model()),
    "equated": lambda: lrn.equating.equate(right().sum(axis=1), right().sum(axis=1)),
    "text": lambda: "a note",
    "table": lambda: lrn.dif.mantel_haenszel(right(), group()),
    "empty_frame.table": lambda: lrn.schema.ITEMS,
    "item": lambda: "a",
    "residuals.model": lambda: lrn.response_time.lognormal(times()),
    "speed": lambda: lrn.response_time.lognormal(times()).persons["speed"],
    "ability": lambda: model().abilities().iloc[:, 0],
    "limit": lambda: 200.0,
    "key": lambda: "a key",
    "newer": study,
    "Analysis.fit.model": lambda: "GRM",
    "ax": ax,
    "source": lambda: saved() / "sessions.jsonl",
    "Sandbox.source": simulation,
    "study": study,
    "folder": lambda: folder() / "tables",
    "request": lambda: {"limit": 1},
    "tables": lambda: study()._tables,
    "Analysis.decisions": lambda: analysis().decisions,
    "body": lambda: b"",
    "Sandbox.answer.method": lambda: "GET",
    "Sandbox.answer.path": lambda: "/",
    "records": lambda: [next(simulation().records())],
    "fetch.progress": lambda: False,
    "poll.progress": lambda: False,
    "serve.learners": lambda: 4,
    "serve.items": lambda: 5,
    "irt.IRTModel.simulate.persons": lambda: 5,
    "IRTModel.simulate.persons": lambda: 5,
    "plots.distractors.item": lambda: "item-05",
    "plot.distractors.item": lambda: "item-05",
    "plots.attempts.sessions": lambda: study().sessions,
    "lrn.item_analysis.times": times,
    "lrn.item_analysis.answered_times": times,
    "lrn.item_analysis.shares": right,
    "fetch.client": lambda: sandbox().client(),
    "FlagRule.name": lambda: "own",
    "FlagRule.table": lambda: "items",
    "FlagRule.column": lambda: "p",
    "FlagRule.relation": lambda: "<",
    "FlagRule.limit": lambda: 0.2,
    "FlagRule.meaning": lambda: "difficult",
}

#: Class → an object on which its methods are called.
OBJECTS = {
    "Analysis": analysis,
    "plot": lambda: analysis().plot,
    "Client": lambda: sandbox().client(),
    "IRTModel": model,
    "ItemAnalysis": lambda: lrn.item_analysis(right()),
    "Link": EXAMPLES["link"],
    "LognormalModel": EXAMPLES["residuals.model"],
    "Query": lambda: lrn.Query(activity_id="demo"),
    "Sandbox": sandbox,
    "SessionData": study,
    "Simulation": simulation,
    "ItemsAccessor": lambda: study().items.lrn,
    "ResponsesAccessor": lambda: study().responses.lrn,
    "SessionsAccessor": lambda: study().sessions.lrn,
    "ExploreForm": lambda: lrn.ExploreForm(study()),
    "FetchForm": lambda: lrn.FetchForm(),
    "Cells": lambda: lrn.scores.item_cells(study().items, study().responses),
}

#: What is passed by mistake.
WRONG = {
    "study": study,
    "analysis": analysis,
    "sessions": lambda: study().sessions,
    "responses": lambda: study().responses,
    "items": lambda: study().items,
    "matrix": right,
    "array": lambda: right().to_numpy(),
    "model": model,
    "text": lambda: "no such thing",
    "None": lambda: None,
    "number": lambda: -3.5,
    "NaN": lambda: float("nan"),
    "empty frame": pd.DataFrame,
    "frame of text": lambda: right().astype("str").replace({"0.0": "no", "1.0": "yes"}),
    "names": lambda: ["no such a", "no such b"],
    "unhashable": lambda: [["a"], {"b": []}],
    "dict": lambda: {"no such": "thing"},
    "object": object,
    "function": lambda: len,
}


def example(name, parameter):
    """A valid value of a parameter of a function, or an AssertionError that says what to add."""
    for key in _keys(name, parameter):
        if key in EXAMPLES:
            return EXAMPLES[key]()
    raise AssertionError(f"add an example of {parameter} for {name} to EXAMPLES")


def bound(name, function):
    """The function with the object that it is a method of, and its parameters."""
    owner = name.split(".")[-2]
    if owner in OBJECTS and not inspect.isclass(function):
        function = getattr(OBJECTS[owner](), name.split(".")[-1])
    return function, inspect.signature(function).parameters


def valid_arguments(name, parameters):
    """What has to be given, by name."""
    given = {}
    for one in parameters.values():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        own = next((key for key in _keys(name, one.name)[:2] if key in EXAMPLES), None)
        if one.default is one.empty or own:
            given[one.name] = example(name, one.name)
    return given


def _keys(name, parameter):
    parts = name.split(".")
    return f"{'.'.join(parts[-2:])}.{parameter}", f"{parts[-1]}.{parameter}", parameter


def call(function, arguments):
    """What comes of a call: ("returned", result) or ("raised", error)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(**arguments)
        except Exception as error:
            return "raised", error
    if hasattr(result, "close") and not inspect.isgenerator(result):
        result.close()
    return "returned", result
