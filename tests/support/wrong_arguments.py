"""Every public function, found by itself; a valid value for what it needs; and wrong things.

A new function is found through `lrnanalysis.__all__`. If it has a required parameter whose name is
not in `EXAMPLES`, the test that uses this says so. What is listed in `RIGHT` is no wrong thing for
that parameter; everything else has to be refused.
"""

import functools
import inspect
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import lrnanalysis as lrn
from lrnanalysis.analysis import AnalysisPlots

#: Classes whose objects the package makes itself, of values that it has checked.
MADE_BY_THE_PACKAGE = {
    "AnalysisPlots",
    "Cells",
    "Column",
    "Convergence",
    "EffortScreen",
    "Equating",
    "IRTModel",
    "ItemAnalysis",
    "ItemsAccessor",
    "Link",
    "LoggedRequest",
    "LognormalModel",
    "ResponsesAccessor",
    "SessionsAccessor",
    "Simulation",
    "States",
    "Table",
    "TableAccessor",
    "UpdateCounts",
}


def public():
    """Name → function, class or method that takes arguments, of all that is public."""
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
                if not part.startswith("_") and len(inspect.signature(method).parameters) > 1:
                    found[f"{name}.{part}"] = method
        elif inspect.isfunction(thing) and inspect.signature(thing).parameters:
            found[name] = thing

    walk("lrn", lrn)
    walk("lrn.Analysis.plot", AnalysisPlots)
    return found


# Valid things


@functools.cache
def study():
    """Some sessions of the bundled study."""
    return lrn.load_example()[:30]


@functools.cache
def analysis():
    return study().analysis()


@functools.cache
def shares():
    return study().analysis(value="share").scores


@functools.cache
def right():
    """Sixty persons' right and wrong answers to six items."""
    rng = np.random.default_rng(3)
    ability = rng.normal(size=(60, 1))
    chance = 1 / (1 + np.exp(np.linspace(-1.2, 1.2, 6) - ability))
    values = (rng.random((60, 6)) < chance).astype(float)
    return pd.DataFrame(values, index=[f"p{at:02}" for at in range(60)], columns=list("abcdef"))


@functools.cache
def times():
    """Times [s] of the same persons and items."""
    rng = np.random.default_rng(4)
    logs = 3 - rng.normal(0, 0.4, (60, 1)) + rng.normal(0, 0.5, (60, 6))
    return pd.DataFrame(np.exp(logs), index=right().index, columns=right().columns)


@functools.cache
def model():
    return lrn.irt.fit(right(), "Rasch")


@functools.cache
def speed_model():
    return lrn.response_time.lognormal(times())


@functools.cache
def group():
    return pd.Series(["f", "m"] * 30, index=right().index, name="group")


@functools.cache
def simulation():
    return lrn.simulation.simulate(learners=4, items=5)


@functools.cache
def sandbox():
    return lrn.sandbox.serve(simulation())


@functools.cache
def fetched():
    return lrn.fetch(client=sandbox().client(), progress=False)


@functools.cache
def folder():
    """A folder with a saved model and saved sessions."""
    path = Path(tempfile.mkdtemp())
    model().save(path / "model.json")
    study().to_json(path / "sessions.jsonl")
    return path


def axes():
    from matplotlib.figure import Figure

    return Figure().add_subplot()


def totals():
    return right().sum(axis=1)


#: Parameter → a valid value; "function.parameter" goes first, and is given although optional.
EXAMPLES = {
    "ability": lambda: model().abilities().iloc[:, 0],
    "attempts": lambda: "first",
    "ax": axes,
    "base": model,
    "estimate": lambda: model().items["b"],
    "cells": lambda: analysis().cells,
    "choices": lambda: analysis()._choices,
    "equated": lambda: lrn.equating.equate(totals(), totals()),
    "flags": lambda: lrn.effort.rapid_guesses(times()),
    "folder": lambda: Path("tables"),
    "frame": lambda: study().items,
    "group": group,
    "item": lambda: "a",
    "items": lambda: study().items,
    "key": lambda: "a secret",
    "limit": lambda: 200.0,
    "link": lambda: lrn.linking.link(model(), model()),
    "matrix": right,
    "method": lambda: "nt10",
    "model": model,
    "name": lambda: "nt10",
    "new": model,
    "newer": study,
    "path": lambda: folder() / "model.json",
    "records": lambda: [next(simulation().records())],
    "request": lambda: {"limit": 1},
    "responses": lambda: study().responses,
    "rte": lambda: lrn.effort.response_time_effort(times()),
    "scores": right,
    "sessions": lambda: study().sessions,
    "source": lambda: folder() / "sessions.jsonl",
    "speed": lambda: speed_model().persons["speed"],
    "statistics": lambda: lrn.classical.item_statistics(right()),
    "status": lambda: "Completed",
    "study": study,
    "table": lambda: lrn.dif.mantel_haenszel(right(), group()),
    "tables": lambda: study()._tables,
    "text": lambda: "a note",
    "times": times,
    "truth": lambda: model().items["b"] + 0.1,
    "values": lambda: [0.0, 1.0],
    "x": totals,
    "y": totals,
    # Of one function
    "Analysis.decisions": lambda: analysis().decisions,
    "Analysis.dif.group": lambda: "status",
    "Analysis.fit.model": lambda: "PCM",
    "Analysis.group.name": lambda: "status",
    "Client.consumer_key": lambda: "key",
    "Client.consumer_secret": lambda: "secret",
    "Client.domain": lambda: "localhost",
    "FlagRule.column": lambda: "p",
    "FlagRule.limit": lambda: 0.2,
    "FlagRule.meaning": lambda: "difficult",
    "FlagRule.name": lambda: "own",
    "FlagRule.relation": lambda: "<",
    "FlagRule.table": lambda: "items",
    "IRTModel.simulate.persons": lambda: 5,
    "Sandbox.answer.body": lambda: b"",
    "Sandbox.answer.method": lambda: "GET",
    "Sandbox.answer.path": lambda: "/",
    "Sandbox.source": simulation,
    "SessionData.poll.progress": lambda: False,
    "classical.distractors.scores": lambda: analysis().scores,
    "classical.trace_lines.scores": lambda: analysis().scores,
    "dif.likelihood_ratio.matrix": lambda: right()[["a", "b", "c"]],
    "dif.likelihood_ratio.model": lambda: "Rasch",
    "lrn.fetch.client": lambda: sandbox().client(),
    "lrn.fetch.progress": lambda: False,
    "lrn.item_analysis.answered_times": lambda: analysis().times,
    "lrn.item_analysis.choices": lambda: analysis()._choices,
    "lrn.item_analysis.scores": lambda: analysis().scores,
    "lrn.item_analysis.shares": shares,
    "lrn.item_analysis.times": lambda: analysis().times,
    "plot.dif_curves.group": lambda: "status",
    "plot.dif_curves.item": lambda: "item-05",
    "plot.distractors.item": lambda: "item-05",
    "plot.times.item": lambda: "item-05",
    "plots.distractors.item": lambda: "item-05",
    "plots.distractors.scores": lambda: analysis().scores,
    "plots.guttman.scores": lambda: analysis().scores,
    "plots.residuals.model": speed_model,
    "plot.residuals.model": speed_model,
    "sandbox.serve.items": lambda: 5,
    "sandbox.serve.learners": lambda: 4,
    "schema.empty_frame.table": lambda: lrn.schema.ITEMS,
    "simulation.simulate.items": lambda: 5,
    "simulation.simulate.learners": lambda: 4,
}

#: Class, or one of its methods → an object on which methods are called.
OBJECTS = {
    "Analysis": analysis,
    "Cells": lambda: lrn.scores.item_cells(study().items, study().responses),
    "Client": lambda: sandbox().client(),
    "FetchForm": lambda: lrn.FetchForm(),
    "IRTModel": model,
    "ItemAnalysis": lambda: lrn.item_analysis(right()),
    "ItemsAccessor": lambda: study().items.lrn,
    "Link": EXAMPLES["link"],
    "LognormalModel": speed_model,
    "Query": lambda: lrn.Query(activity_id="demo"),
    "ResponsesAccessor": lambda: study().responses.lrn,
    "Sandbox": sandbox,
    "SessionData": study,
    "SessionData.poll": fetched,
    "SessionsAccessor": lambda: study().sessions.lrn,
    "Simulation": simulation,
    "plot": lambda: analysis().plot,
    "plot.attempts": lambda: analysis().replace(attempts="all").plot,
}


# Wrong things

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
}

_NUMBERS = {"number", "NaN"}
_TEXTS = {"text", "names"}

#: Parameter, or "function.parameter" → what is no mistake there, and is not passed.
RIGHT = {
    "activity": {"text"},
    "activity_id": _TEXTS,
    "adjust": {"None"},
    "alpha": _NUMBERS,  # alpha may be negative, and undefined
    "answered_times": {"matrix"},
    "base": {"model"},
    "column": {"text"},
    "domain": {"text"},
    "fixed": {"model"},
    "frame": {"sessions", "responses", "items"},
    "include": _TEXTS,
    "items": {"items"},
    "key": {"text"},
    "matrix": {"matrix"},
    "meaning": {"text"},
    "model": {"model"},
    "name": {"text"},
    "new": {"model"},
    "newer": {"study"},
    "next": {"text"},
    "not_reached": _NUMBERS,  # points that such cells become
    "omitted": _NUMBERS,
    "partial": _NUMBERS,
    "path": {"text"},
    "presets": {"text"},
    "responses": {"responses"},
    "right": _NUMBERS,
    "scores": {"matrix"},
    "session_id": _TEXTS,
    "sessions": {"sessions"},
    "shares": {"matrix"},
    "skipped": {"names"},
    "study": {"study"},
    "text": {"text"},
    "times": {"matrix"},
    # An empty matrix gives an empty result.
    **{
        f"effort.{name}.times": {"matrix", "empty frame"}
        for name in (
            "rapid_guesses",
            "response_time_effort",
            "response_time_fidelity",
            "screen",
            "thresholds",
        )
    },
    "effort.effort_moderated.scores": {"matrix", "empty frame"},
    "difficulty_discrimination.flags": {"empty frame"},  # nothing is flagged
    "unmarked": _NUMBERS,
    "unscored": _NUMBERS,
    "user_id": _TEXTS,
    "version": {"text"},
    "wrong": _NUMBERS,
    "Analysis.group.name": set(),
    "Client.consumer_key": {"text"},
    "Client.consumer_secret": {"text"},
    "Client.post.request": {"dict"},
    "FetchForm.wait.timeout": _NUMBERS,
    "FlagRule.limit": {"text", "number"},
    "IRTModel.responses.matrix": {"matrix"},
    "Sandbox.answer.method": {"text"},
    "SessionData.analysis.activity": set(),
    "SessionData.to_parquet.folder": {"text"},
    "effort.find_rule.name": set(),
    "irt.fit.matrix": {"matrix", "array"},
    "irt.fit.model": set(),
    "irt.load.path": set(),
    "linking.fixed_anchors.model": {"text"},  # passed on for the items that are not fixed: none
    "lrn.item_analysis.times": {"empty frame"},  # nobody has a time
    "lrn.item_analysis.choices": {"empty frame"},  # nothing could be decoded
    "lrn.read.metadata": {"names"},
    "scores.is_status.status": {"text"},  # a status may be of one's own
    "Query.replace": set(),
    "recovery.quantity": {"text"},
    "recovery.unit": {"text"},
}


def _look_up(table, name, parameter):
    parts = name.split(".")
    for key in (f"{'.'.join(parts[-2:])}.{parameter}", f"{parts[-1]}.{parameter}", parameter):
        if key in table:
            return key
    return None


def arguments_of(name, function):
    """A function bound to its object, its parameters, and valid arguments by name."""
    *_, owner, own = name.split(".")
    make = OBJECTS.get(f"{owner}.{own}", OBJECTS.get(owner))
    if make is not None and not inspect.isclass(function):
        function = getattr(make(), own)
    parameters = {
        one.name: one
        for one in inspect.signature(function).parameters.values()
        if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    }
    given = {}
    for parameter in parameters.values():
        key = _look_up(EXAMPLES, name, parameter.name)
        required = parameter.default is parameter.empty
        assert key or not required, f"add an example of {parameter.name} of {name} to EXAMPLES"
        if key and (required or "." in key):
            given[parameter.name] = call(EXAMPLES[key], {})
    return function, parameters, given


def wrong_things(name, parameter):
    """Label → value of what must not be passed as a parameter."""
    key = _look_up(RIGHT, name, parameter.name)
    fine = RIGHT[key] if key else set()
    for label, make in WRONG.items():
        optional = label == "None" and "None" in str(parameter.annotation)
        if label not in fine and not optional:
            value = make()
            if value is not parameter.default:
                yield label, value


def call(function, arguments):
    """What a call returns, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = function(**arguments)
    if hasattr(result, "close") and not inspect.isgenerator(result):
        result.close()
    return result
