"""What happens to sessions later: they are submitted, and what waits for a marker is marked.

The steps work on records of any source. The scores that they give are those of the simulation's
truth, where one is behind the record.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lrnanalysis.sandbox.simulate import Simulation

__all__ = ["Growth", "Marks", "Step", "mark", "submit"]


@dataclass(frozen=True)
class Growth:
    """What is new: by itself at certain requests, or what `Sandbox.grow` did.

    Attributes
    ----------
    sessions : int, default 0
        New sessions, from those that are withheld.
    submitted : int, default 0
        Incomplete sessions that are submitted, those updated first.
    marked : int, default 0
        Sessions Pending Scoring that are marked, those updated first.
    at : tuple of int, optional
        Happens just before the requests with these numbers are answered, from 1. By default
        after every empty page, so that a poll that found nothing is followed by one that does.

    Raises
    ------
    ValueError
        A number is negative.
    """

    sessions: int = 0
    submitted: int = 0
    marked: int = 0
    at: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("sessions", "submitted", "marked"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it is 0 or more")


class Marks:
    """What answers without a score are worth.

    With a simulation, what its truth says. For other records, whole points drawn evenly from 0
    to `max_score`, the same for the same seed and response: they follow no learner's ability.

    Parameters
    ----------
    seed : int
        Source of the points that are drawn.
    simulation : Simulation, optional
        Whose truth is looked up.
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
        open_ones = sessions["session_id"][
            sessions["status"].isin(["Incomplete", "Pending Scoring"])
        ]
        answers = self._simulation.answers
        answers = answers[answers["session_id"].isin(open_ones)]
        keys = zip(answers["session_id"], answers["question_reference"], strict=True)
        return dict(zip(keys, answers["points"].tolist(), strict=True))

    def of(self, session_id: Any, response: Mapping[str, Any]) -> int | None:
        """Points of a response; None where its `max_score` is not known."""
        highest = response.get("max_score")
        if response.get("response") is None:
            return 0
        known = self._true.get((session_id, response.get("question_reference", "")))
        if known is not None or not isinstance(highest, int | float):
            return known
        place = zlib.crc32(f"{session_id} {response.get('response_id')}".encode())
        drawn = np.random.default_rng([self._seed, place]).integers(math.floor(highest) + 1)
        return int(drawn)


#: From a record to the record after its next step: record, time [Unix seconds], marks.
Step = Callable[[Mapping[str, Any], int, Marks], dict[str, Any]]


def submit(record: Mapping[str, Any], now: int, marks: Marks) -> dict[str, Any]:
    """The record of an incomplete session once it is submitted.

    What a machine marks is scored. The session is Completed, or Pending Scoring where an answer
    waits for a marker.

    Parameters
    ----------
    record : mapping
        The session's record; it is not changed.
    now : int
        When it is submitted [Unix seconds].
    marks : Marks
        What answers are worth.
    """
    session = record.get("session_id")
    responses = [
        response if _waits(response) else _scored(session, response, now, marks)
        for response in record.get("responses") or ()
    ]
    waiting = any(_waits(response) for response in responses)
    return _added_up(
        {
            **record,
            "status": "Pending Scoring" if waiting else "Completed",
            "dt_completed": _text(now),
            "session_duration": _minutes(record.get("dt_started"), now),
            "responses": responses,
        }
    )


def mark(record: Mapping[str, Any], now: int, marks: Marks) -> dict[str, Any]:
    """The record of a session Pending Scoring once all of it is marked.

    Parameters
    ----------
    record, now, marks
        As in `submit`.
    """
    session = record.get("session_id")
    responses = [
        _scored(session, response, now, marks) for response in record.get("responses") or ()
    ]
    return _added_up({**record, "status": "Completed", "responses": responses})


def _waits(response: Mapping[str, Any]) -> bool:
    """Whether an answer has no score that a person must give."""
    return (
        response.get("score") is None
        and not response.get("automarkable", True)
        and response.get("response") is not None
    )


def _scored(session: Any, response: Mapping[str, Any], now: int, marks: Marks) -> Mapping[str, Any]:
    """The response with a score, where it has none and can have one."""
    if response.get("score") is not None:
        return response
    score = marks.of(session, response)
    if score is None:
        return response
    return {**response, "score": score, "dt_score_updated": _text(now)}


def _added_up(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the scores of items, subscores and session that follow from its responses."""
    responses = {response.get("response_id"): response for response in record["responses"]}
    items = [_item(item, responses) for item in record.get("items") or ()]
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


def _item(item: Mapping[str, Any], responses: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    if not item.get("scoring"):
        return dict(item)
    own = [responses[key] for key in item.get("response_ids") or () if key in responses]
    return {**item, "scoring": {**item["scoring"], "score": _item_score(item["scoring"], own)}}


def _item_score(scoring: Mapping[str, Any], responses: Iterable[Mapping[str, Any]]) -> Any:
    """Points of an item from its questions' by the item's rule; None until all are scored."""
    pairs = [(response.get("score"), response.get("max_score")) for response in responses]
    if not pairs or any(score is None for score, _ in pairs):
        return scoring.get("score")
    full = [score == highest for score, highest in pairs]
    if "dichotomous" in str(scoring.get("type")):
        return scoring.get("max_score") if all(full) else 0
    if scoring.get("type") == "dependent":
        counted = full.index(False) + 1 if False in full else len(full)
        pairs = pairs[:counted]
    return sum(score for score, _ in pairs)


def _subscore(
    subscore: Mapping[str, Any],
    items: Iterable[Mapping[str, Any]],
    responses: Mapping[Any, Mapping[str, Any]],
    scores: Mapping[Any, Any],
) -> dict[str, Any]:
    named = set(subscore.get("items") or ())
    own = [
        responses[key]
        for item in items
        if item.get("reference") in named
        for key in item.get("response_ids") or ()
        if key in responses
    ]
    unmarked = [response for response in own if response.get("score") is None]
    changed = {
        "score": sum(scores.get(name) or 0 for name in named),
        "num_unmarked": len(unmarked),
        "unmarked_max_score": sum(response.get("max_score") or 0 for response in unmarked),
    }
    return {**subscore, **{name: value for name, value in changed.items() if name in subscore}}


def _text(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes(started: Any, now: int) -> int:
    """Whole minutes since a record's time, rounded up; 0 where it cannot be read."""
    try:
        begun = dt.datetime.fromisoformat(started)
    except (TypeError, ValueError):
        return 0
    begun = begun if begun.tzinfo else begun.replace(tzinfo=dt.UTC)
    return max(0, math.ceil((now - begun.timestamp()) / 60))
