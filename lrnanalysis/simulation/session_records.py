"""Records of simulated sessions as JSON bytes, in the shapes of the Data API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from lrnanalysis.simulation.assessment import SimulatedForm, SimulatedItem, SimulatedQuestion
from lrnanalysis.simulation.draws import USER_AGENTS, Draws
from lrnanalysis.simulation.response_process import ANSWERED
from lrnanalysis.simulation.timeline import NEVER
from lrnanalysis.tables.schema import STATUSES

__all__ = ["form_records"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_QUESTIONS_API = "v2.160.0"
_ITEMS_API = "v1.118.0"
_ORGANISATION = 1


def form_records(draws: Draws, form_index: int, which: IntArray) -> Iterator[bytes]:
    """Write the records of sessions with one form.

    Parameters
    ----------
    draws : Draws
        The simulation.
    form_index : int
        Position of the form.
    which : array of int
        Positions of the sessions.

    Yields
    ------
    bytes
        A record: compact JSON in UTF-8.
    """
    form, activity = draws.assessment.forms[form_index], draws.settings.activity
    given, timeline = draws.responses[form_index][draws.row[which]], draws.timeline[which]
    attempted = given.outcome == ANSWERED
    # An essay that was not attempted needs no marker: its 0 points are automatic.
    by_hand = attempted & [question.is_essay for question in form.questions]
    is_scored, is_marked = timeline.scored != NEVER, timeline.marked != NEVER
    unscored = ~np.where(by_hand, is_marked[:, None], is_scored[:, None])
    item_unscored = np.logical_or.reduceat(unscored, form.starts[:-1], axis=1)
    points = given.points.astype(np.int64)
    bounds = list(zip(form.starts[:-1].tolist(), form.starts[1:].tolist(), strict=True))
    item_points = np.stack(
        [item.score(points[:, slice(*own)]) for item, own in zip(form.items, bounds, strict=True)],
        axis=1,
    )
    counted = np.where(item_unscored, 0, item_points)
    score = np.where(is_scored, counted.sum(axis=1), None)
    subscores = _subscores(form, attempted, unscored, counted, item_unscored)
    max_score = sum(item.max_score for item in form.items)
    references = [item.reference for item in form.items for _ in item.questions]
    of_questions = [
        array.tolist()
        for array in (
            attempted,
            _or_none(points, unscored),
            by_hand,
            given.answer,
            given.revision,
        )
    ]
    of_items = [
        array.tolist()
        for array in (given.time, given.flagged, _or_none(item_points, item_unscored))
    ]
    started, saved, completed, scored, marked = map(
        _utc_texts,
        (timeline.started, timeline.saved, timeline.completed, timeline.scored, timeline.marked),
    )
    for row, at in enumerate(which.tolist()):
        session = draws.session_id[at]
        ids = [f"{session}_{question.reference}" for question in form.questions]
        responses = [
            _response(*values, scored_at=(scored[row], marked[row]))
            for values in zip(
                form.questions, references, ids, *(one[row] for one in of_questions), strict=True
            )
        ]
        items = [
            _item(item, ids[slice(*own)], f"{activity}-pool", *values)
            for item, own, *values in zip(
                form.items, bounds, *(one[row] for one in of_items), strict=True
            )
        ]
        record = {
            "user_id": draws.learners.user_id[draws.plans.learner[at]],
            "activity_id": activity,
            "num_attempted": int(attempted[row].sum()),
            "num_questions": len(ids),
            "session_id": session,
            "score": score[row],
            "max_score": max_score,
            "subscores": subscores[row] if is_scored[row] else None,
            "session_duration": int(timeline.duration[row]),
            "status": STATUSES[timeline.status[row]],
            "dt_started": started[row],
            "dt_saved": saved[row],
            "dt_completed": completed[row],
            "responses": responses,
            "items": items,
            "metadata": {
                "activity_template_id": form.template,
                "items_api_version": _ITEMS_API,
                "max_time": draws.limit,
                "user_agent": USER_AGENTS[draws.user_agent[at]],
            },
        }
        if saved[row] is None:
            del record["dt_saved"]
        yield msgspec.json.encode(record)


def _response(
    question: SimulatedQuestion,
    item_reference: str,
    response_id: str,
    attempted: bool,
    score: int | None,
    by_hand: bool,
    answer: int,
    revision: int,
    *,
    scored_at: tuple[str | None, str | None],
) -> dict[str, Any]:
    """One response; `scored_at` has the times of automatic scoring and of marking by hand."""
    catalogue, words = question.catalogue, {}
    if catalogue.words:
        words = {"wordCount": catalogue.words[answer]}
    return {
        "response_id": response_id,
        "question_type": question.type.name,
        "question_reference": question.reference,
        "item_reference": item_reference,
        "automarkable": not question.is_essay,
        "attempted": attempted,
        "score": score,
        "max_score": catalogue.max_score,
        "dt_score_updated": None if score is None else scored_at[by_hand],
        "response": {
            "value": msgspec.Raw(catalogue.values[answer].encode()),
            "type": question.type.value_type,
            **words,
            "apiVersion": _QUESTIONS_API,
            "revision": revision,
        }
        if attempted
        else None,
    }


def _item(
    item: SimulatedItem,
    response_ids: list[str],
    pool: str,
    time: int,
    flagged: bool,
    score: int | None,
) -> dict[str, Any]:
    """One item; it has no time if it was not reached."""
    return {
        "reference": item.reference,
        **({"time": time} if time else {}),
        "response_ids": response_ids,
        "user_flagged": flagged,
        "scoring": {"score": score, "max_score": item.max_score, "type": item.scoring_type},
        "source": {
            "reference": item.reference,
            "organisation_id": _ORGANISATION,
            "item_pool_id": pool,
        },
    }


def _subscores(
    form: SimulatedForm,
    attempted: BoolArray,
    unscored: BoolArray,
    points: IntArray,
    item_unscored: BoolArray,
) -> list[Any]:
    """Subscores by strand: one list per session.

    Parameters
    ----------
    form : SimulatedForm
        The form.
    attempted, unscored : array of bool, shape (sessions, questions)
        Questions that were answered, and that have no score yet.
    points, item_unscored : array, shape (sessions, items)
        Points of the items, 0 without a score, and whether they have no score yet.
    """
    strands = list(dict.fromkeys(item.strand for item in form.items))
    member = np.array([[item.strand == strand for strand in strands] for item in form.items])
    max_scores = np.array([item.max_score for item in form.items])
    starts = form.starts[:-1]
    n_attempted = np.add.reduceat(attempted, starts, axis=1, dtype=np.int64)
    columns = {
        "num_attempted": n_attempted,
        "score": points,
        "attempted_max_score": np.where(n_attempted > 0, max_scores, 0),
        "num_unmarked": np.add.reduceat(unscored, starts, axis=1, dtype=np.int64),
        "unmarked_max_score": np.where(item_unscored, max_scores, 0),
    }
    fixed = [
        {
            "id": strand.lower(),
            "title": strand,
            "items": [item.reference for item in form.items if item.strand == strand],
            "num_questions": sum(len(i.questions) for i in form.items if i.strand == strand),
            "max_score": sum(item.max_score for item in form.items if item.strand == strand),
        }
        for strand in strands
    ]
    sums = np.stack([column @ member for column in columns.values()], axis=2).tolist()
    return [
        [
            head | dict(zip(columns, values, strict=True))
            for head, values in zip(fixed, session, strict=True)
        ]
        for session in sums
    ]


def _utc_texts(times: IntArray) -> list[str | None]:
    """Unix seconds as ``YYYY-MM-DDTHH:MM:SSZ``; None for `NEVER`.

    Examples
    --------
    >>> _utc_texts(np.array([0, NEVER]))
    ['1970-01-01T00:00:00Z', None]
    """
    texts = np.datetime_as_string(times.astype("datetime64[s]"), timezone="UTC")
    found: list[str | None] = _or_none(texts, times == NEVER).tolist()
    return found


def _or_none(values: npt.NDArray[Any], absent: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """The values as objects, None where they are absent: JSON knows no missing number."""
    found = values.astype(object)
    found[absent] = None
    return found
