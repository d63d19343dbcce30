"""The truth of a simulation, for comparison with estimates: its learners, items and sessions.

None of it is part of what the Data API returns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.simulation.assessment import Assessment, SimulatedItem, SimulatedQuestion
from lrnanalysis.simulation.draws import Draws
from lrnanalysis.simulation.response_process import (
    ANSWERED,
    CUT_OFF,
    NOT_REACHED,
    OMITTED,
    OUTCOMES,
)
from lrnanalysis.tables.schema import STATUSES

__all__ = [
    "answers_table",
    "forms_table",
    "items_table",
    "options_table",
    "persons_table",
    "questions_table",
    "sessions_table",
]

IntArray = npt.NDArray[np.int64]

#: Most points of a question, for the columns of thresholds.
_MOST_POINTS = 4


def persons_table(draws: Draws) -> pd.DataFrame:
    """One row per learner."""
    learners = draws.learners
    return pd.DataFrame(
        {
            "user_id": pd.array(learners.user_id, dtype="str"),
            "group": _labels(learners.group, list(draws.settings.groups)),
            "grade": pd.array(learners.grade, dtype="str"),
            "school": pd.array(learners.school, dtype="str"),
            "ability": learners.ability,
            "speed": learners.speed,
            "rapid_guesser": learners.rapid_guesser,
            "attempts": learners.attempts,
        }
    )


def _labels(codes: npt.NDArray[np.integer], labels: Sequence[str]) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes, pd.Index(list(labels), dtype="str"))


def items_table(assessment: Assessment) -> pd.DataFrame:
    """One row per item; ``a``, ``b``, ``c`` only for items of one question."""
    return pd.DataFrame([_item_row(item, assessment) for item in assessment.items]).astype(
        dict.fromkeys(("item_reference", "question_type", "scoring_type", "strand", "key"), "str")
    )


def _item_row(item: SimulatedItem, assessment: Assessment) -> dict[str, object]:
    alone = item.questions[0] if len(item.questions) == 1 else None
    return {
        "item_reference": item.reference,
        "question_type": ", ".join(one.type.name for one in item.questions),
        "n_questions": len(item.questions),
        "scoring_type": item.scoring_type,
        "strand": item.strand,
        "anchor": item.reference in assessment.anchors,
        "a": alone.a if alone else np.nan,
        "b": alone.b if alone else np.nan,
        "c": alone.c if alone else np.nan,
        "chance": alone.catalogue.chance_share if alone else np.nan,
        "alpha": item.alpha,
        "beta": item.beta,
        "dif": item.dif,
        "max_score": item.max_score,
        "key": _key(alone) if alone else None,
    }


def _key(question: SimulatedQuestion) -> str | None:
    """The option if the key is one, else the JSON text of the right answer."""
    if not question.catalogue.key:
        return None
    if question.kind == "mcq":
        return str(json.loads(question.catalogue.key)[0])
    return question.catalogue.key


def questions_table(assessment: Assessment) -> pd.DataFrame:
    """One row per question, with the thresholds of its points."""
    rows = [
        {
            "question_reference": question.reference,
            "item_reference": item.reference,
            "question_type": question.type.name,
            "kind": question.kind,
            "a": question.a,
            "b": question.b,
            "c": question.c,
            **{
                f"b{at + 1}": question.thresholds[at] if at < len(question.thresholds) else np.nan
                for at in range(_MOST_POINTS)
            },
            "max_score": question.catalogue.max_score,
            "chance": question.catalogue.chance_share,
            "dif": item.dif,
            "testlet_sd": item.testlet_sd,
            "key": _key(question),
        }
        for item in assessment.items
        for question in item.questions
    ]
    return pd.DataFrame(rows).astype(
        dict.fromkeys(
            ("question_reference", "item_reference", "question_type", "kind", "key"), "str"
        )
    )


def options_table(assessment: Assessment) -> pd.DataFrame:
    """One row per option of a closed question."""
    rows = [
        (question.reference, item.reference, *option)
        for item in assessment.items
        for question in item.questions
        for option in question.catalogue.options
    ]
    dtypes = {
        "question_reference": "str",
        "item_reference": "str",
        "part": "int64",
        "option": "str",
        "correct": "bool",
        "attractiveness": "float64",
        "slope": "float64",
    }
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


def forms_table(assessment: Assessment) -> pd.DataFrame:
    """One row per form and item, in the order in which the form shows them."""
    rows = [
        (form.number, form.template, position, item.reference, item.reference in assessment.anchors)
        for form in assessment.forms
        for position, item in enumerate(form.items, 1)
    ]
    frame = pd.DataFrame(
        rows, columns=["form", "activity_template_id", "position", "item_reference", "anchor"]
    )
    return frame.astype({"activity_template_id": "str", "item_reference": "str"})


def sessions_table(draws: Draws) -> pd.DataFrame:
    """One row per session, in the order of the records."""
    plans, timeline, forms = draws.plans, draws.timeline, draws.assessment.forms
    counts = {
        name: _per_session(draws, [(one.outcome == code).sum(axis=1) for one in draws.responses])
        for name, code in (
            ("n_omitted", OMITTED),
            ("n_cut_off", CUT_OFF),
            ("n_not_reached", NOT_REACHED),
        )
    }
    lengths = np.array([len(form.items) for form in forms])[plans.form]
    seen = _per_session(draws, [(one.time > 0).sum(axis=1) for one in draws.responses])
    users = np.array(draws.learners.user_id, dtype=object)
    return pd.DataFrame(
        {
            "session_id": pd.array(draws.session_id, dtype="str"),
            "user_id": pd.array(users[plans.learner], dtype="str"),
            "attempt": plans.attempt,
            "form": np.array([form.number for form in forms])[plans.form],
            "status": _labels(timeline.status, STATUSES),
            "ability": plans.ability,
            "speed": plans.speed,
            "rapid_from": _positions(plans.rapid_from, plans.rapid_from < seen),
            "left_at": _positions(plans.stops_at, plans.stops_at < lengths),
            **counts,
            "active": timeline.active,
            "paused": timeline.paused,
            "dt_started": _times(timeline.started),
            "dt_updated": _times(timeline.updated),
        }
    )


def _per_session(draws: Draws, by_form: Sequence[IntArray]) -> IntArray:
    """Values of each form's sessions, in the order of the records."""
    values = np.empty(len(draws.row), dtype=np.int64)
    for at, one in enumerate(by_form):
        own = draws.plans.form == at
        values[own] = one[draws.row[own]]
    return values


def _positions(position: IntArray, known: npt.NDArray[np.bool_]) -> pd.Series:
    """Positions from 1, missing if not `known`."""
    return pd.Series(position + 1, dtype="Int64").where(pd.Series(known))


def _times(seconds: IntArray) -> pd.Series:
    return pd.Series(seconds.astype("datetime64[s]").astype("datetime64[us]")).dt.tz_localize("UTC")


def answers_table(draws: Draws) -> pd.DataFrame:
    """One row per session and question, in the order of the records."""
    frames = [_form_answers(draws, at) for at in range(len(draws.assessment.forms))]
    frame = pd.concat(frames, ignore_index=True)
    if len(frames) > 1:
        frame = frame.sort_values("record", kind="stable", ignore_index=True)
    names = np.array(draws.session_id, dtype=object)[frame.pop("record").to_numpy()]
    frame.insert(0, "session_id", pd.array(names, dtype="str"))
    return frame.astype({"item_reference": "category", "question_reference": "category"})


def _form_answers(draws: Draws, at: int) -> pd.DataFrame:
    form, records = draws.assessment.forms[at], np.flatnonzero(draws.plans.form == at)
    given = draws.responses[at][draws.row[records]]
    n, width = given.outcome.shape
    position = np.repeat(np.arange(len(form.items)), np.diff(form.starts))
    rapid = position >= draws.plans.rapid_from[records][:, None]
    items = np.array([form.items[place].reference for place in position], dtype=object)
    questions = np.array([one.reference for one in form.questions], dtype=object)
    return pd.DataFrame(
        {
            "record": np.repeat(records, width),
            "item_reference": np.tile(items, n),
            "question_reference": np.tile(questions, n),
            "position": np.tile(position + 1, n),
            "outcome": _labels(given.outcome.ravel(), OUTCOMES),
            "rapid": (rapid & (given.outcome == ANSWERED)).ravel(),
            "points": given.points.ravel(),
        }
    )
