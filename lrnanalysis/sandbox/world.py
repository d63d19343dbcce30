"""Everything that a simulation draws, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrnanalysis.sandbox.design import Design, draw_design
from lrnanalysis.sandbox.learners import (
    Learners,
    Sittings,
    draw_learners,
    draw_sittings,
    identifiers,
)
from lrnanalysis.sandbox.records import USER_AGENTS
from lrnanalysis.sandbox.responding import ANSWERED, Cells, respond
from lrnanalysis.sandbox.settings import Settings
from lrnanalysis.sandbox.timeline import Timeline, draw_timeline

__all__ = ["World", "draw_world"]

IntArray = npt.NDArray[np.int64]

#: A limit that no one needs is this much above the longest time.
_AMPLE = 1.2
#: Limits from here on are whole minutes [s].
_WHOLE_MINUTES_FROM = 1800


@dataclass(frozen=True, eq=False)
class World:
    """A simulation's draws. Entries a session are in the order of the records.

    Attributes
    ----------
    settings : Settings
        What was asked for.
    design : Design
        The test.
    learners : Learners
        Who sat it.
    sittings, timeline : Sittings, Timeline
        The sessions.
    session_id : list of str
        Their identifiers.
    user_agent : array of int
        Position of each one's browser in `lrnanalysis.sandbox.records.USER_AGENTS`.
    cells : tuple of Cells
        What they hold, by form.
    row : array of int
        Each session's row in the cells of its form.
    limit : int
        Time limit [s].
    """

    settings: Settings
    design: Design
    learners: Learners
    sittings: Sittings
    timeline: Timeline
    session_id: list[str]
    user_agent: IntArray
    cells: tuple[Cells, ...]
    row: IntArray
    limit: int


def draw_world(settings: Settings) -> World:
    """Draw a simulation; the same settings give the same."""
    test, people, sessions, answers, times, names = np.random.SeedSequence(settings.seed).spawn(6)
    design = draw_design(test, settings)
    learners = draw_learners(people, settings)
    sittings = draw_sittings(sessions, settings, learners, design)
    of_form = [np.flatnonzero(sittings.form == at) for at in range(len(design.forms))]
    cells = tuple(
        respond(seed, form, sittings[mine], omit=settings.omit)
        for seed, form, mine in zip(answers.spawn(len(of_form)), design.forms, of_form, strict=True)
    )
    row = np.empty(len(sittings), dtype=np.int64)
    for mine in of_form:
        row[mine] = np.arange(len(mine))
    finished = sittings.stops_at == _lengths(design)[sittings.form]
    needed = np.concatenate([one.active() for one in cells])
    limit = _limit(settings, needed, finished[np.concatenate(of_form)])
    for form, one in zip(design.forms, cells, strict=True):
        one.run_out(form, limit)
    timeline = _timeline(times, sittings, design, cells, of_form, finished)
    rng = np.random.default_rng(names)
    agents = rng.integers(len(USER_AGENTS), size=len(learners))
    order = np.argsort(timeline.updated, kind="stable")
    return World(
        settings=settings,
        design=design,
        learners=learners,
        sittings=sittings[order],
        timeline=timeline[order],
        session_id=identifiers(rng, len(sittings)),
        user_agent=agents[sittings.learner][order],
        cells=cells,
        row=row[order],
        limit=limit,
    )


def _lengths(design: Design) -> IntArray:
    return np.array([len(form.items) for form in design.forms])


def _limit(settings: Settings, needed: IntArray, finished: npt.NDArray[np.bool_]) -> int:
    """The time limit [s] that the stated share of the finished sessions needs more than."""
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
    sittings: Sittings,
    design: Design,
    cells: Sequence[Cells],
    of_form: Sequence[IntArray],
    finished: npt.NDArray[np.bool_],
) -> Timeline:
    n = len(sittings)
    active = np.empty(n, dtype=np.int64)
    at_pauses = np.empty((n, 2), dtype=np.int64)
    has_essay = np.empty(n, dtype=np.bool_)
    for form, one, mine in zip(design.forms, cells, of_form, strict=True):
        essays = [question.is_essay for question in form.questions]
        has_essay[mine] = (one.outcome[:, essays] == ANSWERED).any(axis=1)
        active[mine] = one.active()
        seen = (one.time > 0).sum(axis=1)
        for pause in range(2):
            after = np.maximum(1, np.floor(sittings.paused_at[mine, pause] * seen))
            at_pauses[mine, pause] = one.time_until(after.astype(np.int64))
    return draw_timeline(
        seed,
        sittings,
        items=_lengths(design)[sittings.form],
        finished=finished,
        has_essay=has_essay,
        active=active,
        active_at_pauses=at_pauses,
    )
