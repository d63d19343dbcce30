"""A study with every complication that an analysis has to decide on, made of plain records."""

import functools

import numpy as np

from lrnanalysis.study import SessionData
from record_tables import tables_of

#: Items of the two activities; four are in both.
ITEMS = {"form-a": [f"i{at}" for at in range(8)], "form-b": [f"i{at}" for at in range(4, 12)]}
ESSAY, SURVEY, PAGE = "essay", "survey", "welcome"


def session_record(
    session,
    *,
    user="u",
    activity="form-a",
    status="Completed",
    started="2026-01-05T08:00:00Z",
    completed="2026-01-05T08:30:00Z",
    items=(),
    responses=(),
    **more,
):
    """One session's record."""
    scored = [item for item in items if item.get("scoring")]
    return {
        "session_id": session,
        "user_id": user,
        "activity_id": activity,
        "status": status,
        "score": sum(item["scoring"]["score"] or 0 for item in scored),
        "max_score": sum(item["scoring"]["max_score"] or 0 for item in scored),
        "num_attempted": sum(bool(response.get("attempted")) for response in responses),
        "num_questions": len(responses),
        "session_duration": 30,
        "dt_started": started,
        "dt_completed": completed if status != "Incomplete" else None,
        "items": list(items),
        "responses": list(responses),
        **more,
    }


def answer(session, reference, *, score, time, most=1, attempted=True, kind="mcq", **more):
    """An item of one question, and its response."""
    response = f"{session}-{reference}"
    item = {
        "reference": reference,
        "time": time,
        "response_ids": [response],
        "scoring": {"score": score, "max_score": most},
        "source": {"reference": f"bank-{reference}", "organisation_id": 7},
    }
    given = {
        "response_id": response,
        "item_reference": reference,
        "question_reference": f"q-{reference}",
        "question_type": kind,
        "attempted": attempted,
        "automarkable": kind != "longtextV2",
        "score": score,
        "max_score": most,
        "response": {"value": ["0" if score else "1"], "type": "array"} if attempted else None,
        **more,
    }
    return item, given


def _session(rng, number, user, activity, status, day, group):
    session = f"s{number:03}"
    ability = rng.normal()
    names = ITEMS[activity]
    reached = len(names) if rng.random() < 0.8 else len(names) - int(rng.integers(1, 4))
    pairs = []
    for at, reference in enumerate(names):
        if at >= reached:
            pairs.append(answer(session, reference, score=0, time=None, attempted=False))
        elif rng.random() < 0.06:
            pairs.append(
                answer(
                    session, reference, score=0, time=float(rng.integers(5, 60)), attempted=False
                )
            )
        elif rng.random() < 0.05:
            pairs.append(answer(session, reference, score=int(rng.random() < 0.25), time=1.0))
        else:
            right = rng.random() < 1 / (1 + np.exp(-(ability - (at - 4) / 3)))
            pairs.append(
                answer(session, reference, score=int(right), time=float(rng.integers(15, 120)))
            )
    waiting = status == "Pending Scoring"
    mark = None if waiting else int(rng.integers(0, 5))
    pairs.append(answer(session, ESSAY, score=mark, time=300.0, most=4, kind="longtextV2"))
    pairs.append(
        answer(session, SURVEY, score=None, time=12.0, most=None, kind="rating", automarkable=False)
    )
    items, responses = map(list, zip(*pairs, strict=True))
    items.insert(0, {"reference": PAGE, "time": 8.0, "response_ids": []})
    if number % 9 == 0:
        responses[0]["adjustment_points"] = 1
        responses[0]["score_after_adjustment"] = responses[0]["score"] + 1
    return session_record(
        session,
        user=user,
        activity=activity,
        status=status,
        started=f"2026-01-{day:02}T08:00:00Z",
        completed=f"2026-01-{day:02}T08:40:00Z",
        items=items,
        responses=responses,
        metadata={"group": group, "max_time": 1800},
    )


@functools.cache
def complicated(learners=80, seed=5) -> SessionData:
    """Two linked forms, retests, every status, groups, essays, a survey, adjustments, gaps."""
    rng = np.random.default_rng(seed)
    records, number = [], 0
    for learner in range(learners):
        user, group = f"u{learner:03}", "fr" if learner % 2 else "de"
        activity = "form-b" if learner % 3 == 0 else "form-a"
        sittings = 1 + int(rng.random() < 0.2) + int(rng.random() < 0.05)
        for sitting in range(sittings):
            status = rng.choice(
                ["Completed", "Pending Scoring", "Incomplete", "Discarded"],
                p=[0.8, 0.1, 0.06, 0.04],
            )
            records.append(_session(rng, number, user, activity, str(status), 5 + sitting, group))
            number += 1
    records.append(session_record("empty", user="u000", activity="form-b"))
    records.append(
        session_record("nobody", user=None, items=records[0]["items"][:3], activity="form-a")
    )
    records.append(session_record("odd", user="u001", status="Archived"))
    return SessionData(tables_of(*records))
