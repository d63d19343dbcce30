"""What is true of a simulation: its learners, items and sessions as tables.

These are what estimates from the simulated records are compared with. None of them is part of
what a Data API returns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.sandbox.design import Design, Form, Item, Question
from lrnanalysis.sandbox.learners import Learners, Sittings
from lrnanalysis.sandbox.responding import (
    ANSWERED,
    CUT_OFF,
    NOT_REACHED,
    OMITTED,
    OUTCOMES,
    Cells,
)
from lrnanalysis.sandbox.timeline import Timeline
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


def persons_table(learners: Learners, groups: Sequence[str]) -> pd.DataFrame:
    """A row a learner."""
    return pd.DataFrame(
        {
            "user_id": pd.array(learners.user_id, dtype="str"),
            "group": _labels(learners.group, groups),
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


def items_table(design: Design) -> pd.DataFrame:
    """A row an item; ``a``, ``b``, ``c`` only where it holds one question."""
    return pd.DataFrame([_item_row(item, design) for item in design.items]).astype(
        dict.fromkeys(("item_reference", "question_type", "scoring_type", "strand", "key"), "str")
    )


def _item_row(item: Item, design: Design) -> dict[str, object]:
    alone = item.questions[0] if len(item.questions) == 1 else None
    return {
        "item_reference": item.reference,
        "question_type": ", ".join(one.format.question_type for one in item.questions),
        "n_questions": len(item.questions),
        "scoring_type": item.scoring_type,
        "strand": item.strand,
        "anchor": item.reference in design.anchors,
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


def _key(question: Question) -> str | None:
    """The option where it is one, else the JSON text of the right answer."""
    if not question.catalogue.key:
        return None
    if question.kind == "mcq":
        return str(json.loads(question.catalogue.key)[0])
    return question.catalogue.key


def questions_table(design: Design) -> pd.DataFrame:
    """A row a question, with the thresholds of its points."""
    rows = [
        {
            "question_reference": question.reference,
            "item_reference": item.reference,
            "question_type": question.format.question_type,
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
        for item in design.items
        for question in item.questions
    ]
    return pd.DataFrame(rows).astype(
        dict.fromkeys(
            ("question_reference", "item_reference", "question_type", "kind", "key"), "str"
        )
    )


def options_table(design: Design) -> pd.DataFrame:
    """A row an option of a closed question."""
    rows = [
        (question.reference, item.reference, *option)
        for item in design.items
        for question in item.questions
        for option in question.catalogue.options
    ]
    names = ["question_reference", "item_reference", "part", "option", "correct"]
    frame = pd.DataFrame(rows, columns=[*names, "attractiveness", "slope"])
    return frame.astype(
        {
            "question_reference": "str",
            "item_reference": "str",
            "part": "int64",
            "option": "str",
            "correct": "bool",
            "attractiveness": "float64",
            "slope": "float64",
        }
    )


def forms_table(design: Design) -> pd.DataFrame:
    """A row a form and item, in the order in which the form shows them."""
    rows = [
        (form.number, form.template, position, item.reference, item.reference in design.anchors)
        for form in design.forms
        for position, item in enumerate(form.items, 1)
    ]
    frame = pd.DataFrame(
        rows, columns=["form", "activity_template_id", "position", "item_reference", "anchor"]
    )
    return frame.astype({"activity_template_id": "str", "item_reference": "str"})


def sessions_table(
    session_id: list[str],
    learners: Learners,
    sittings: Sittings,
    timeline: Timeline,
    design: Design,
    cells: Sequence[Cells],
    rows: IntArray,
) -> pd.DataFrame:
    """A row a session, in the order of the records."""
    counts = {
        name: _per_session(
            [(one.outcome == code).sum(axis=1) for one in cells], sittings.form, rows
        )
        for name, code in (
            ("n_omitted", OMITTED),
            ("n_cut_off", CUT_OFF),
            ("n_not_reached", NOT_REACHED),
        )
    }
    lengths = np.array([len(form.items) for form in design.forms])[sittings.form]
    seen = _per_session([(one.time > 0).sum(axis=1) for one in cells], sittings.form, rows)
    users = np.array(learners.user_id, dtype=object)
    return pd.DataFrame(
        {
            "session_id": pd.array(session_id, dtype="str"),
            "user_id": pd.array(users[sittings.learner], dtype="str"),
            "attempt": sittings.attempt,
            "form": np.array([form.number for form in design.forms])[sittings.form],
            "status": _labels(timeline.status, STATUSES),
            "ability": sittings.ability,
            "speed": sittings.speed,
            "rapid_from": _position(sittings.rapid_from, sittings.rapid_from < seen),
            "left_at": _position(sittings.stops_at, sittings.stops_at < lengths),
            **counts,
            "active": timeline.active,
            "paused": timeline.paused,
            "dt_started": _times(timeline.started),
            "dt_updated": _times(timeline.updated),
        }
    )


def _per_session(by_form: Sequence[IntArray], form: IntArray, rows: IntArray) -> IntArray:
    """Numbers a row of each form's cells, in the order of the records."""
    numbers = np.empty(len(form), dtype=np.int64)
    for at, one in enumerate(by_form):
        mine = form == at
        numbers[mine] = one[rows[mine]]
    return numbers


def _position(position: IntArray, known: npt.NDArray[np.bool_]) -> pd.Series:
    """Positions from 1, missing where there is none."""
    return pd.Series(position + 1, dtype="Int64").where(pd.Series(known))


def _times(seconds: IntArray) -> pd.Series:
    return pd.Series(seconds.astype("datetime64[s]").astype("datetime64[us]")).dt.tz_localize("UTC")


def answers_table(
    session_id: list[str],
    sittings: Sittings,
    design: Design,
    cells: Sequence[Cells],
    rows: IntArray,
) -> pd.DataFrame:
    """A row a session and question, in the order of the records."""
    of_form = [np.flatnonzero(sittings.form == at) for at in range(len(design.forms))]
    frames = [
        _answers_of_form(form, mine, sittings, one[rows[mine]])
        for form, mine, one in zip(design.forms, of_form, cells, strict=True)
    ]
    frame = pd.concat(frames, ignore_index=True)
    if len(frames) > 1:
        frame = frame.sort_values("record", kind="stable", ignore_index=True)
    record = frame.pop("record").to_numpy()
    names = np.array(session_id, dtype=object)[record]
    frame.insert(0, "session_id", pd.array(names, dtype="str"))
    return frame.astype({"item_reference": "category", "question_reference": "category"})


def _answers_of_form(
    form: Form, records: IntArray, sittings: Sittings, cells: Cells
) -> pd.DataFrame:
    n, width = cells.outcome.shape
    position = np.repeat(np.arange(len(form.items)), np.diff(form.starts))
    rapid = position >= sittings.rapid_from[records][:, None]
    references = [form.items[at].reference for at in position]
    return pd.DataFrame(
        {
            "record": np.repeat(records, width),
            "item_reference": np.tile(np.array(references, dtype=object), n),
            "question_reference": np.tile(
                np.array([one.reference for one in form.questions], dtype=object), n
            ),
            "position": np.tile(position + 1, n),
            "outcome": _labels(cells.outcome.ravel(), OUTCOMES),
            "rapid": (rapid & (cells.outcome == ANSWERED)).ravel(),
            "points": cells.points.ravel(),
        }
    )
