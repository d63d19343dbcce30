"""Everything that a simulation draws, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrnanalysis.simulation.assessment import Assessment, draw_assessment
from lrnanalysis.simulation.learners import (
    Learners,
    PlannedSessions,
    draw_ids,
    draw_learners,
    plan_sessions,
)
from lrnanalysis.simulation.response_process import (
    ANSWERED,
    SimulatedResponses,
    draw_responses,
)
from lrnanalysis.simulation.simulation_settings import SimulationSettings
from lrnanalysis.simulation.timeline import Timeline, draw_timeline

__all__ = ["USER_AGENTS", "Draws", "draw_study"]

IntArray = npt.NDArray[np.int64]

USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Mobile/15E148 Safari/604.1",
)

#: Factor on the longest time for a limit that no session reaches.
_AMPLE = 1.2
#: Limits from here on are whole minutes [s].
_WHOLE_MINUTES_FROM = 1800


@dataclass(frozen=True, eq=False)
class Draws:
    """What a simulation drew. Entries per session are in the order of the records.

    Attributes
    ----------
    settings : SimulationSettings
        The arguments.
    assessment : Assessment
        The test.
    learners : Learners
        The learners.
    plans, timeline : PlannedSessions, Timeline
        The sessions.
    session_id : list of str
        Their identifiers.
    user_agent : array of int
        Position of each session's browser in `USER_AGENTS`.
    responses : tuple of SimulatedResponses
        The responses by form.
    row : array of int
        Row of each session in the responses of its form.
    limit : int
        Time limit [s].
    """

    settings: SimulationSettings
    assessment: Assessment
    learners: Learners
    plans: PlannedSessions
    timeline: Timeline
    session_id: list[str]
    user_agent: IntArray
    responses: tuple[SimulatedResponses, ...]
    row: IntArray
    limit: int


def draw_study(settings: SimulationSettings) -> Draws:
    """Draw a simulation; the same settings give the same one."""
    test, people, sessions, answers, times, names = np.random.SeedSequence(settings.seed).spawn(6)
    assessment = draw_assessment(test, settings)
    learners = draw_learners(people, settings)
    plans = plan_sessions(sessions, settings, learners, assessment)
    by_form = [np.flatnonzero(plans.form == at) for at in range(len(assessment.forms))]
    responses = tuple(
        draw_responses(seed, form, plans[rows], omit=settings.omit)
        for seed, form, rows in zip(
            answers.spawn(len(by_form)), assessment.forms, by_form, strict=True
        )
    )
    row = np.empty(len(plans), dtype=np.int64)
    for rows in by_form:
        row[rows] = np.arange(len(rows))
    finished = plans.stops_at == _lengths(assessment)[plans.form]
    needed = np.concatenate([one.active() for one in responses])
    limit = _time_limit(settings, needed, finished[np.concatenate(by_form)])
    for form, one in zip(assessment.forms, responses, strict=True):
        one.apply_time_limit(form, limit)
    timeline = _timeline(times, plans, assessment, responses, by_form, finished)
    rng = np.random.default_rng(names)
    agents = rng.integers(len(USER_AGENTS), size=len(learners))
    order = np.argsort(timeline.updated, kind="stable")
    return Draws(
        settings=settings,
        assessment=assessment,
        learners=learners,
        plans=plans[order],
        timeline=timeline[order],
        session_id=draw_ids(rng, len(plans)),
        user_agent=agents[plans.learner][order],
        responses=responses,
        row=row[order],
        limit=limit,
    )


def _lengths(assessment: Assessment) -> IntArray:
    return np.array([len(form.items) for form in assessment.forms])


def _time_limit(
    settings: SimulationSettings, needed: IntArray, finished: npt.NDArray[np.bool_]
) -> int:
    """The time limit [s] that the given share of the finished sessions would exceed."""
    if settings.time_limit is not None:
        return settings.time_limit
    counted = np.sort(needed[finished] if finished.any() else needed)
    late = round(settings.not_reached * len(counted))
    if late == 0:
        limit = int(needed.max() * _AMPLE) + _WHOLE_MINUTES_FROM
    elif late == len(counted):
        limit = int(counted[0]) - 1
    else:
        limit = int(counted[-1 - late])
    return max(1, limit if limit < _WHOLE_MINUTES_FROM else limit // 60 * 60)


def _timeline(
    seed: np.random.SeedSequence,
    plans: PlannedSessions,
    assessment: Assessment,
    responses: Sequence[SimulatedResponses],
    by_form: Sequence[IntArray],
    finished: npt.NDArray[np.bool_],
) -> Timeline:
    n = len(plans)
    active = np.empty(n, dtype=np.int64)
    at_pauses = np.empty((n, 2), dtype=np.int64)
    has_essay = np.empty(n, dtype=np.bool_)
    for form, one, rows in zip(assessment.forms, responses, by_form, strict=True):
        essays = [question.is_essay for question in form.questions]
        has_essay[rows] = (one.outcome[:, essays] == ANSWERED).any(axis=1)
        active[rows] = one.active()
        seen = (one.time > 0).sum(axis=1)
        for pause in range(2):
            after = np.maximum(1, np.floor(plans.paused_at[rows, pause] * seen))
            at_pauses[rows, pause] = one.time_until(after.astype(np.int64))
    return draw_timeline(
        seed,
        plans,
        items=_lengths(assessment)[plans.form],
        finished=finished,
        has_essay=has_essay,
        active=active,
        active_at_pauses=at_pauses,
    )
