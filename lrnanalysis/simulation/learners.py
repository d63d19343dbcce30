"""Simulated learners and the sessions planned for them: abilities, speeds, behaviour, dates.

The answers of a session are drawn in `lrnanalysis.simulation.response_process`, its time stamps
in `lrnanalysis.simulation.timeline`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lrnanalysis.simulation.assessment import Assessment
from lrnanalysis.simulation.simulation_settings import SimulationSettings

__all__ = ["Learners", "PlannedSessions", "draw_ids", "draw_learners", "plan_sessions"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Gain in ability and in speed from one attempt to the next.
_PRACTICE_GAIN = 0.2
_PRACTICE_SPEED = 0.05
_MAX_ATTEMPTS = 3

_GRADES = ("7", "8", "9")
_LEARNERS_PER_SCHOOL = 30
_HOUR, _DAY = 3600, 86400


@dataclass(frozen=True, eq=False)
class Learners:
    """Learners; one entry per learner.

    Attributes
    ----------
    user_id : list of str
        Opaque identifiers.
    group : array of int
        Position in the groups.
    grade, school : list of str
        Attributes that are unrelated to ability.
    ability, speed : array
        Ability, with mean 0 and SD 1 over all groups; speed, tau of the lognormal model.
    rapid_guesser : array of bool
        Whether the learner guesses rapidly from some item on.
    attempts : array of int
        Number of attempts.
    """

    user_id: list[str]
    group: IntArray
    grade: list[str]
    school: list[str]
    ability: FloatArray
    speed: FloatArray
    rapid_guesser: BoolArray
    attempts: IntArray

    def __len__(self) -> int:
        return len(self.user_id)


@dataclass(frozen=True, eq=False)
class PlannedSessions:
    """Sessions as planned before any answer is drawn; one entry per session.

    Attributes
    ----------
    learner, attempt, form : array of int
        Position of the learner, number of the attempt from 1, position of the form.
    ability, speed : array
        The learner's, practice included.
    focal : array of bool
        Whether the learner belongs to the focal group of DIF.
    rapid_from : array of int
        Position from 0 of the first item with a rapid guess; the number of items if there is none.
    stops_at : array of int
        Position of the last item seen before the session is abandoned; the number of items if it
        is finished.
    discarded, scored_early, pending : array of bool
        Whether an administrator discards it; whether it has automatic scores although it is
        abandoned; whether its marking takes longer than the study.
    started : array of int
        Start [Unix s].
    pauses : array of int, shape (sessions, 2)
        Lengths of its pauses [s], 0 for none.
    paused_at : array, shape (sessions, 2)
        Share of the items seen after which each pause begins.
    """

    learner: IntArray
    attempt: IntArray
    form: IntArray
    ability: FloatArray
    speed: FloatArray
    focal: BoolArray
    rapid_from: IntArray
    stops_at: IntArray
    discarded: BoolArray
    scored_early: BoolArray
    pending: BoolArray
    started: IntArray
    pauses: IntArray
    paused_at: FloatArray

    def __len__(self) -> int:
        return len(self.learner)

    def __getitem__(self, which: IntArray) -> PlannedSessions:
        return PlannedSessions(
            **{field.name: getattr(self, field.name)[which] for field in fields(self)}
        )


def draw_ids(rng: np.random.Generator, number: int) -> list[str]:
    """Draw UUID-like identifiers (version 4)."""
    text = rng.bytes(16 * number).hex()
    return [
        f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{'89ab'[int(one[16], 16) % 4]}{one[17:20]}-{one[20:]}"
        for one in (text[at : at + 32] for at in range(0, len(text), 32))
    ]


def draw_learners(seed: np.random.SeedSequence, settings: SimulationSettings) -> Learners:
    """Draw learners."""
    learners = settings.learners
    traits, habits, names = (np.random.default_rng(child) for child in seed.spawn(3))
    means = np.array(list(settings.groups.values()), dtype=np.float64)
    means -= means.mean()
    within = np.sqrt(1.0 - (means**2).mean())
    group = traits.integers(len(means), size=learners)
    ability = means[group] + within * traits.standard_normal(learners)
    shared = settings.speed_correlation
    own = np.sqrt(1.0 - shared**2)
    speed = settings.speed_sd * (shared * ability + own * traits.standard_normal(learners))
    schools = max(1, learners // _LEARNERS_PER_SCHOOL)
    grade = habits.integers(len(_GRADES), size=learners).tolist()
    school = habits.integers(schools, size=learners).tolist()
    again = habits.random((learners, _MAX_ATTEMPTS - 1)) < settings.attempts
    return Learners(
        user_id=draw_ids(names, learners),
        group=group,
        grade=[_GRADES[at] for at in grade],
        school=[f"school-{at + 1:02d}" for at in school],
        ability=ability,
        speed=speed,
        rapid_guesser=habits.random(learners) < settings.rapid_guessers,
        attempts=1 + np.logical_and.accumulate(again, axis=1).sum(axis=1),
    )


def plan_sessions(
    seed: np.random.SeedSequence,
    settings: SimulationSettings,
    learners: Learners,
    assessment: Assessment,
) -> PlannedSessions:
    """Plan the sessions of learners, ordered by learner and attempt."""
    behaviour, outcomes, calendar = (np.random.default_rng(child) for child in seed.spawn(3))
    learner = np.repeat(np.arange(len(learners)), learners.attempts)
    number = len(learner)
    first = np.cumsum(learners.attempts) - learners.attempts
    attempt = np.arange(number) - first[learner] + 1
    # Each form is used equally often; a further attempt gets another form.
    form = (behaviour.permutation(len(learners))[learner] + attempt - 1) % len(assessment.forms)
    lengths = np.array([len(one.items) for one in assessment.forms])[form]

    rapid = np.floor(behaviour.uniform(0.3, 1.0, size=number) * lengths).astype(np.int64)
    outcome = outcomes.random(number)
    is_discarded = outcome < settings.discarded
    abandoned = ~is_discarded & (outcome < settings.discarded + settings.incomplete)
    abandoned |= is_discarded & (outcomes.random(number) < 0.5)
    stops = np.floor(outcomes.uniform(0.0, 0.95, size=number) * lengths).astype(np.int64)
    return PlannedSessions(
        learner=learner,
        attempt=attempt,
        form=form,
        ability=learners.ability[learner] + _PRACTICE_GAIN * (attempt - 1),
        speed=learners.speed[learner] + _PRACTICE_SPEED * (attempt - 1),
        focal=learners.group[learner] == len(settings.groups) - 1,
        rapid_from=np.where(learners.rapid_guesser[learner], rapid, lengths),
        stops_at=np.where(abandoned, stops, lengths),
        discarded=is_discarded,
        scored_early=outcomes.random(number) < 0.5,
        pending=outcomes.random(number) < settings.pending,
        started=_draw_starts(calendar, attempt, first[learner], settings),
        pauses=_draw_pauses(behaviour, number, settings.pauses),
        paused_at=np.sort(behaviour.uniform(0.1, 1.0, size=(number, 2)), axis=1),
    )


def _draw_starts(
    rng: np.random.Generator, attempt: IntArray, first: IntArray, settings: SimulationSettings
) -> IntArray:
    """Start of each session [Unix s]: a later attempt follows after 6 to 20 days."""
    day = rng.integers(settings.days, size=len(attempt))
    hour = rng.uniform(0.0, 8.0, size=len(attempt))
    gap = rng.integers(6, 21, size=len(attempt))
    gap[attempt == 1] = 0
    waited = np.cumsum(gap)
    day = day[first] + waited - waited[first]
    return settings.first_start + day * _DAY + np.round(hour * _HOUR).astype(np.int64)


def _draw_pauses(rng: np.random.Generator, number: int, share: float) -> IntArray:
    """Lengths of up to two pauses [s]: a break of 2 to 25 minutes, or until a later day."""
    length = np.exp(rng.uniform(np.log(120), np.log(1500), size=(number, 2)))
    later = rng.random((number, 2)) < 0.35
    length[later] = rng.uniform(0.6 * _DAY, 2.0 * _DAY, size=int(later.sum()))
    paused = rng.random(number) < share
    length[~paused] = 0.0
    length[rng.random(number) < 0.7, 1] = 0.0
    return np.round(length).astype(np.int64)
