"""Later updates of sessions: they are submitted, and what waits for a marker is marked.

They apply to records of any origin. Scores are those of the simulation's truth, if there is one.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from lrnanalysis.simulation import Simulation

__all__ = ["LaterScores", "UpdateCounts", "UpdateStep", "mark", "submit"]


class UpdateCounts(NamedTuple):
    """How many sessions were updated by `Sandbox.update`.

    Attributes
    ----------
    new : int
        Sessions that were withheld and are now shown.
    submitted : int
        Incomplete sessions that were submitted.
    marked : int
        Sessions Pending Scoring that were marked.
    """

    new: int
    submitted: int
    marked: int


class LaterScores:
    """Points of responses that have no score yet.

    With a simulation, those of its truth. For other records, integers drawn uniformly from 0 to
    `max_score`, the same for the same seed and response, and unrelated to ability.

    Parameters
    ----------
    seed : int
        Random seed of the points that are drawn.
    simulation : Simulation, optional
        The simulation behind the records.
    """

    def __init__(self, seed: int, simulation: Simulation | None = None) -> None:
        self._seed = seed
        self._simulation = simulation

    @cached_property
    def _true(self) -> Mapping[tuple[str, str], int]:
        """Points by session and question, of the sessions that may still be scored."""
        if self._simulation is None:
            return {}
        sessions = self._simulation.truth["sessions"]
        unscored = sessions["session_id"][
            sessions["status"].isin(["Incomplete", "Pending Scoring"])
        ]
        answers = self._simulation.answers
        answers = answers[answers["session_id"].isin(unscored)]
        keys = zip(answers["session_id"], answers["question_reference"], strict=True)
        return dict(zip(keys, answers["points"].tolist(), strict=True))

    def points(self, session_id: Any, response: Mapping[str, Any]) -> int | None:
        """Return the points of a response; None if its `max_score` is unknown."""
        highest = response.get("max_score")
        if response.get("response") is None:
            return 0
        known = self._true.get((session_id, response.get("question_reference", "")))
        if known is not None or not isinstance(highest, int | float):
            return known
        place = zlib.crc32(f"{session_id} {response.get('response_id')}".encode())
        drawn = np.random.default_rng([self._seed, place]).integers(math.floor(highest) + 1)
        return int(drawn)


#: Gives a record after its next step, from the record, the time [Unix seconds] and the scores.
UpdateStep = Callable[[Mapping[str, Any], int, LaterScores], dict[str, Any]]


def submit(record: Mapping[str, Any], now: int, scores: LaterScores) -> dict[str, Any]:
    """Submit an incomplete session.

    Automatic scores are set. The session becomes Completed, or Pending Scoring if an answer waits
    for a marker.

    Parameters
    ----------
    record : mapping
        The session's record; it is not changed.
    now : int
        Time of submission [Unix seconds].
    scores : LaterScores
        Points of the responses.

    Returns
    -------
    dict
        The new record.
    """
    session = record.get("session_id")
    responses = [
        response if _waits(response) else _scored(session, response, now, scores)
        for response in record.get("responses") or ()
    ]
    return _with_totals(
        {
            **record,
            "status": "Pending Scoring" if any(map(_waits, responses)) else "Completed",
            "dt_completed": _utc_text(now),
            "session_duration": _minutes_since(record.get("dt_started"), now),
            "responses": responses,
        }
    )


def mark(record: Mapping[str, Any], now: int, scores: LaterScores) -> dict[str, Any]:
    """Mark every response of a session Pending Scoring.

    Parameters
    ----------
    record, now, scores
        As in `submit`.

    Returns
    -------
    dict
        The new record.
    """
    session = record.get("session_id")
    responses = [
        _scored(session, response, now, scores) for response in record.get("responses") or ()
    ]
    return _with_totals({**record, "status": "Completed", "responses": responses})


def _waits(response: Mapping[str, Any]) -> bool:
    """Whether an answer waits for a marker."""
    return (
        response.get("score") is None
        and not response.get("automarkable", True)
        and response.get("response") is not None
    )


def _scored(
    session: Any, response: Mapping[str, Any], now: int, scores: LaterScores
) -> Mapping[str, Any]:
    """The response with a score, if it has none and can have one."""
    if response.get("score") is not None:
        return response
    score = scores.points(session, response)
    if score is None:
        return response
    return {**response, "score": score, "dt_score_updated": _utc_text(now)}


def _with_totals(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the scores of items, subscores and session that follow from its responses."""
    responses = {response.get("response_id"): response for response in record["responses"]}
    items = [_scored_item(item, responses) for item in record.get("items") or ()]
    scores = {
        item.get("reference"): item["scoring"]["score"] for item in items if item.get("scoring")
    }
    if not scores:
        scores = {key: response.get("score") for key, response in responses.items()}
    record["items"] = items
    record["score"] = sum(score for score in scores.values() if score is not None)
    record["subscores"] = [
        _subscore(subscore, items, responses, scores) for subscore in record.get("subscores") or ()
    ] or record.get("subscores")
    return record


def _scored_item(
    item: Mapping[str, Any], responses: Mapping[Any, Mapping[str, Any]]
) -> dict[str, Any]:
    if not item.get("scoring"):
        return dict(item)
    own = [responses[key] for key in item.get("response_ids") or () if key in responses]
    return {**item, "scoring": {**item["scoring"], "score": _item_score(item["scoring"], own)}}


def _item_score(scoring: Mapping[str, Any], responses: Iterable[Mapping[str, Any]]) -> Any:
    """Points of an item by its scoring type; unchanged until all its questions are scored."""
    pairs = [(response.get("score"), response.get("max_score")) for response in responses]
    if not pairs or any(score is None for score, _ in pairs):
        return scoring.get("score")
    full = [score == highest for score, highest in pairs]
    if "dichotomous" in str(scoring.get("type")):
        return scoring.get("max_score") if all(full) else 0
    if scoring.get("type") == "dependent" and False in full:
        pairs = pairs[: full.index(False) + 1]
    return sum(score for score, _ in pairs)


def _subscore(
    subscore: Mapping[str, Any],
    items: Iterable[Mapping[str, Any]],
    responses: Mapping[Any, Mapping[str, Any]],
    scores: Mapping[Any, Any],
) -> dict[str, Any]:
    names = set(subscore.get("items") or ())
    unmarked = [
        responses[key]
        for item in items
        if item.get("reference") in names
        for key in item.get("response_ids") or ()
        if key in responses and responses[key].get("score") is None
    ]
    changed = {
        "score": sum(scores.get(name) or 0 for name in names),
        "num_unmarked": len(unmarked),
        "unmarked_max_score": sum(response.get("max_score") or 0 for response in unmarked),
    }
    return {**subscore, **{name: value for name, value in changed.items() if name in subscore}}


def _utc_text(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes_since(started: Any, now: int) -> int:
    """Minutes since a record's time, rounded up; 0 without a readable time."""
    try:
        begun = dt.datetime.fromisoformat(started)
    except (TypeError, ValueError):
        return 0
    begun = begun if begun.tzinfo else begun.replace(tzinfo=dt.UTC)
    return max(0, math.ceil((now - begun.timestamp()) / 60))
