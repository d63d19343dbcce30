"""Times at which simulated sessions were saved, submitted, scored and changed.

As documented: ``dt_completed`` only after submission; ``session_duration`` from start to completion
in minutes, rounded up, pauses included, 0 while Incomplete; Pending Scoring while an answered essay
waits for its mark.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lrnanalysis.simulation.learners import PlannedSessions
from lrnanalysis.tables.schema import STATUSES

__all__ = ["NEVER", "Timeline", "draw_timeline"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Marks a time as not yet reached.
NEVER = -1

_INCOMPLETE, _COMPLETED, _DISCARDED, _PENDING = (
    STATUSES.index(status) for status in ("Incomplete", "Completed", "Discarded", "Pending Scoring")
)

_HOUR, _DAY = 3600, 86400
#: Time from the last change of a session until it is discarded [s].
_DISCARDED_AFTER = 30 * _DAY


@dataclass(frozen=True, eq=False)
class Timeline:
    """Status and times of sessions; one entry per session. Times in Unix seconds, or `NEVER`.

    Attributes
    ----------
    status : array of int
        Position in `lrnanalysis.tables.schema.STATUSES`.
    started, saved, completed : array of int
        ``dt_started``, ``dt_saved`` (of paused or abandoned sessions), ``dt_completed``.
    scored, marked : array of int
        Time of automatic scoring, and of marking by hand.
    updated : array of int
        Last update of the record.
    duration : array of int
        ``session_duration`` [min].
    paused, active : array of int
        Sums of the pauses and of the item times [s].
    """

    status: IntArray
    started: IntArray
    saved: IntArray
    completed: IntArray
    scored: IntArray
    marked: IntArray
    updated: IntArray
    duration: IntArray
    paused: IntArray
    active: IntArray

    def __getitem__(self, which: IntArray) -> Timeline:
        return Timeline(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def draw_timeline(
    seed: np.random.SeedSequence,
    plans: PlannedSessions,
    *,
    items: IntArray,
    finished: BoolArray,
    has_essay: BoolArray,
    active: IntArray,
    active_at_pauses: IntArray,
) -> Timeline:
    """Draw the times of sessions.

    Parameters
    ----------
    seed : SeedSequence
        Source of randomness.
    plans : PlannedSessions
        The sessions.
    items : array of int
        Number of items of each.
    finished : array of bool
        Whether it was not abandoned.
    has_essay : array of bool
        Whether an essay was answered.
    active : array of int
        Sum of the item times [s].
    active_at_pauses : array of int, shape (sessions, 2)
        Sum of the item times before each pause [s].
    """
    rng = np.random.default_rng(seed)
    n = len(plans)
    # Time outside items: the start page, and moving between items.
    outside = np.round(3 + rng.exponential(12.0, size=n)).astype(np.int64) + items // 3
    paused = plans.pauses.sum(axis=1)
    ended = plans.started + outside + active + paused
    completed = np.where(finished, ended, NEVER)
    two = plans.pauses[:, 1] > 0
    saved = plans.started + np.where(
        two, active_at_pauses[:, 1] + plans.pauses[:, 0], active_at_pauses[:, 0]
    )
    saved = np.where(finished, np.where(paused > 0, saved, NEVER), ended)

    waiting = finished & ~plans.discarded & plans.pending & has_essay
    machine = ended + rng.integers(1, 6, size=n)
    scored = np.where(finished | plans.scored_early, machine, NEVER)
    by_hand = machine + rng.integers(_HOUR, 6 * _DAY, size=n)
    marked = np.where(finished & has_essay & ~waiting, by_hand, NEVER)
    changed = np.maximum(np.maximum(ended, scored), marked)
    status = np.select(
        [plans.discarded, ~finished, waiting],
        [_DISCARDED, _INCOMPLETE, _PENDING],
        default=_COMPLETED,
    )
    return Timeline(
        status=status,
        started=plans.started,
        saved=saved,
        completed=completed,
        scored=scored,
        marked=marked,
        updated=changed + np.where(plans.discarded, _DISCARDED_AFTER, 0),
        duration=np.where(finished, -((plans.started - ended) // 60), 0),
        paused=paused,
        active=active,
    )
