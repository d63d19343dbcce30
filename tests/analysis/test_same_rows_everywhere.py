"""One study with every complication: all tables, pictures and words state the same n and rules."""

import inspect
import re

import pandas as pd
import pytest

import lrnanalysis as lrn
from analysis_studies import ESSAY, complicated
from lrnanalysis.analysis import AnalysisPlots

DECISIONS = [
    {},
    {"attempts": "all", "status": "all", "omitted": "missing"},
    {"activity": "form-a", "attempts": "last", "rapid": "nt10", "score": "adjusted"},
    {"unit": "user", "activity": "form-a", "value": "share", "item": "source"},
]


#: Measures that need persons who have all items, or every pair of them.
NEEDS_ONE_FORM = ("conditional_sem", "reliability", "stratified_alpha")


@pytest.fixture(scope="module", params=range(len(DECISIONS)), ids=lambda at: f"rules{at}")
def analysis(request):
    return complicated().analysis(**DECISIONS[request.param])


@pytest.fixture(scope="module")
def model(analysis):
    points = analysis.replace(score="raw", value="points").scores
    closed = [name for name in points if _closed(name)]
    return lrn.irt.fit(points[closed], "Rasch")


def _closed(name):
    return ESSAY not in name


def arguments(analysis, name):
    """What a method cannot do without."""
    item = next(column for column in analysis.scores.columns if _closed(column))
    group = "metadata.group"
    return {
        "group": (group,),
        "dif": (group,),
        "dif_curves": (group, item),
        "times": (item,),
        "distractors": (item,),
    }.get(name, ())


def facade():
    skipped = {"replace", "group", "methods_text", "fit", "speed_model", "plot"}
    return [
        name
        for name, method in inspect.getmembers(lrn.Analysis, inspect.isfunction)
        if not name.startswith("_") and name not in skipped
    ]


def tables(result):
    if isinstance(result, pd.DataFrame | pd.Series):
        return [result]
    found = [
        value for value in vars(result).values() if isinstance(value, pd.DataFrame | pd.Series)
    ]
    assert found
    return found


@pytest.mark.parametrize("name", facade())
@pytest.mark.filterwarnings("ignore::lrnanalysis.LrnWarning")
def test_a_result_notes_its_analysis_and_its_rows_are_those_of_the_analysis(analysis, name):
    method = getattr(analysis, name)
    given = () if name == "distractors" else arguments(analysis, name)
    if name == "effort_moderated" and analysis.decisions.rapid is not None:
        given = ("nt10",)
    complete = analysis.scores.notna().all(axis=1).any()
    if name in NEEDS_ONE_FORM and (analysis.decisions.activities is None or not complete):
        with pytest.raises(lrn.MeasureError, match="form"):
            method()
        return
    result = method(*given)
    for table in tables(result):
        if isinstance(result, pd.DataFrame | pd.Series) and name != "to_irw":
            assert table.attrs["analysis"] == analysis.caption
        for level, persons in (
            ("session_id", set(analysis.sessions["session_id"])),
            ("user_id", set(analysis.sessions["user_id"])),
        ):
            if level in table.index.names:
                assert set(table.index.get_level_values(level)) <= persons
        if table.index.name == "item_reference" and name != "outliers":
            assert set(table.index) <= set(analysis.items["item_reference"])


@pytest.mark.filterwarnings("ignore::lrnanalysis.LrnWarning")
def test_counts_agree(analysis):
    n = analysis.n_persons
    report = analysis.item_analysis()
    assert report.scores["persons"] == n
    assert f"{n:,} " in repr(report)
    assert len(analysis.scores) == len(analysis.times) == len(analysis.cells) == n
    assert len(analysis.response_time_effort()) == n
    statistics = analysis.item_statistics()
    assert statistics["n"].to_list() == analysis.scores.count().to_list()
    sessions = len(analysis.sessions)
    assert analysis.flow["sessions"].iloc[-1] == sessions
    assert int(analysis.speededness()["sessions"]) == sessions
    assert int(analysis.status_counts().sum()) == sessions
    assert int(analysis.session_summary("status")["sessions"].sum()) == sessions
    timed = analysis.items["time"].gt(0).sum()
    assert analysis.times.count().sum() <= timed
    assert analysis.time_summary()["n"].sum() == timed
    assert analysis.time_by_position()["n"].sum() == timed
    assert analysis.pacing()["n"].iloc[0] == sessions
    assert analysis.reach()["n"].iloc[0] == sessions
    text = analysis.methods_text()
    size = repr(analysis).splitlines()[0].removeprefix("Analysis: ")
    assert size in text
    assert analysis.caption.startswith(size)
    if analysis.decisions.activities is not None:
        assert report.reliability["n"] == analysis.reliability()["n"]


def pictures():
    return [
        name
        for name, method in inspect.getmembers(AnalysisPlots, inspect.isfunction)
        if not name.startswith("_")
    ]


def results(analysis, model, name):
    """The model or result that a picture draws."""
    first = {
        "characteristic_curves": lambda: (model,),
        "information": lambda: (model,),
        "wright_map": lambda: (model,),
        "person_fit": lambda: (model,),
        "local_dependence": lambda: (model,),
        "residuals": lambda: (analysis.speed_model(),),
        "recovery": lambda: (model.items["a"], model.items["a"]),
        "linking": lambda: (lrn.linking.link(model, model),),
        "equating": lambda: (
            lrn.equating.equate(
                analysis.scores.sum(axis=1).round(), analysis.scores.sum(axis=1).round()
            ),
        ),
        "dif": lambda: (analysis.dif("metadata.group"),),
    }
    return first[name]() if name in first else arguments(analysis, name)


@pytest.mark.parametrize("name", pictures())
@pytest.mark.filterwarnings("ignore::lrnanalysis.LrnWarning")
def test_a_picture_states_the_rules_and_no_other_number_of_sessions(analysis, model, name):
    if name == "attempts" and analysis.decisions.attempts != "all":
        with pytest.raises(lrn.MeasureError, match="replace"):
            analysis.plot.attempts()
        return
    ax = getattr(analysis.plot, name)(*results(analysis, model, name))
    words = [text.get_text() for text in ax.figure.findobj(match=lambda x: hasattr(x, "get_text"))]
    text = " ".join(" ".join(words).split())
    assert " ".join(analysis.caption.split()) in text
    own = text.replace(" ".join(analysis.caption.split()), "")
    said = {
        int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:sessions|persons)", own)
    }
    allowed = {analysis.n_persons, len(analysis.sessions)}
    assert all(number <= max(allowed) for number in said)
