"""When simulated sessions were saved, submitted, scored and changed.

The rules are the documentation's: ``dt_completed`` only after submission; ``session_duration``
from start to completion in minutes, rounded up, saved gaps included, 0 while Incomplete; a
session is Pending Scoring while an answered essay waits for its mark.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lrnanalysis.sandbox.learners import Sittings
from lrnanalysis.tables.schema import STATUSES

__all__ = ["NEVER", "Timeline", "draw_timeline"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Stands for a time that has not come.
NEVER = -1

_INCOMPLETE, _COMPLETED, _DISCARDED, _PENDING = (
    STATUSES.index(status) for status in ("Incomplete", "Completed", "Discarded", "Pending Scoring")
)

_HOUR, _DAY = 3600, 86400
#: When an administrator's job discards a session, after its last change.
_DISCARDED_AFTER = 30 * _DAY


@dataclass(frozen=True, eq=False)
class Timeline:
    """What became of sessions, an entry each. Times in Unix seconds, `NEVER` for none.

    Attributes
    ----------
    status : array of int
        Position in `lrnanalysis.tables.schema.STATUSES`.
    started, saved, completed : array of int
        ``dt_started``, ``dt_saved`` (of sessions that were paused or left), ``dt_completed``.
    scored, marked : array of int
        When machine and marker set the scores.
    updated : array of int
        Last change of the record.
    duration : array of int
        ``session_duration`` [min].
    paused, active : array of int
        Sums of the pauses and of the items' times [s].
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
    sittings: Sittings,
    *,
    items: IntArray,
    finished: BoolArray,
    has_essay: BoolArray,
    active: IntArray,
    active_at_pauses: IntArray,
) -> Timeline:
    """Draw when things happened.

    Parameters
    ----------
    seed : SeedSequence
        Source of chance.
    sittings : Sittings
        The sessions.
    items : array of int
        Items of each.
    finished : array of bool
        Whether it was not left before its end.
    has_essay : array of bool
        Whether an essay was answered.
    active : array of int
        Sum of the items' times [s].
    active_at_pauses : array of int, shape (sessions, 2)
        The same until each pause.
    """
    rng = np.random.default_rng(seed)
    n = len(sittings)
    # What no item's time counts: the start page, and going from item to item.
    around = np.round(3 + rng.exponential(12.0, size=n)).astype(np.int64) + items // 3
    paused = sittings.pauses.sum(axis=1)
    ended = sittings.started + around + active + paused
    completed = np.where(finished, ended, NEVER)
    two = sittings.pauses[:, 1] > 0
    saved = sittings.started + np.where(
        two, active_at_pauses[:, 1] + sittings.pauses[:, 0], active_at_pauses[:, 0]
    )
    saved = np.where(finished, np.where(paused > 0, saved, NEVER), ended)

    waiting = finished & ~sittings.discarded & sittings.pending & has_essay
    machine = ended + rng.integers(1, 6, size=n)
    scored = np.where(finished | sittings.scored_early, machine, NEVER)
    by_hand = machine + rng.integers(_HOUR, 6 * _DAY, size=n)
    marked = np.where(finished & has_essay & ~waiting, by_hand, NEVER)
    changed = np.maximum(np.maximum(ended, scored), marked)
    status = np.select(
        [sittings.discarded, ~finished, waiting],
        [_DISCARDED, _INCOMPLETE, _PENDING],
        default=_COMPLETED,
    )
    return Timeline(
        status=status,
        started=sittings.started,
        saved=saved,
        completed=completed,
        scored=scored,
        marked=marked,
        updated=changed + np.where(sittings.discarded, _DISCARDED_AFTER, 0),
        duration=np.where(finished, -((sittings.started - ended) // 60), 0),
        paused=paused,
        active=active,
    )
