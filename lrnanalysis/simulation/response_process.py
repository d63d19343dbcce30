"""Response process of simulated learners: points, answers, omissions and times.

* Points: the three-parameter logistic model (Birnbaum 1968) for a question of one point, the
  graded response model (Samejima 1969) for one of several. The questions of an item share a
  person's testlet effect (Bradlow, Wainer and Wang 1999).
* Times: the lognormal model (van der Linden 2006), ln t ~ N(beta - tau, 1 / alpha²), rounded to
  whole seconds, at least 1.
* Rapid guesses (Wise and Kong 2005): from some item on, 0.5 to 3 s per item, answers at chance.
* Omissions: more likely on hard and on open questions, and at lower ability.

References
----------
Birnbaum, A. (1968). Some latent trait models. In F. M. Lord & M. R. Novick, Statistical theories
of mental test scores. Addison-Wesley.

Samejima, F. (1969). Estimation of latent ability using a response pattern of graded scores.
Psychometrika Monograph Supplement, 17.

van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of
Educational and Behavioral Statistics, 31, 181-204.

Wise, S. L., & Kong, X. (2005). Response time effort: A new measure of examinee motivation in
computer-based tests. Applied Measurement in Education, 18, 163-183.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lrnanalysis.simulation.assessment import SimulatedForm, SimulatedItem, SimulatedQuestion
from lrnanalysis.simulation.learners import PlannedSessions

__all__ = [
    "ANSWERED",
    "CUT_OFF",
    "NOT_REACHED",
    "OMITTED",
    "OUTCOMES",
    "SimulatedResponses",
    "draw_responses",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Outcome of a question, by code.
OUTCOMES = ("answered", "omitted", "cut off", "not reached")
ANSWERED, OMITTED, CUT_OFF, NOT_REACHED = (np.uint8(code) for code in range(4))

#: Range of the time of a rapid guess [s].
_RAPID_SECONDS = (0.5, 3.0)

#: Longest time on an item [s].
_LONGEST = 65_000
#: Reduction of ln t for an item without an answer.
_SHORTER_IF_OMITTED = 0.6
#: Sessions per block of draws; part of what the seed determines.
_BLOCK = 16_384


@dataclass(frozen=True, eq=False)
class SimulatedResponses:
    """Sessions of one form × its questions or items, in small dtypes.

    Attributes
    ----------
    answer : array of uint16, shape (sessions, questions)
        Position in the question's catalogue; undefined without an answer.
    points : array of uint8, shape (sessions, questions)
        Points of the answer, marked or not; 0 without an answer.
    outcome : array of uint8, shape (sessions, questions)
        Position in `OUTCOMES`.
    revision : array of uint8, shape (sessions, questions)
        Number of times saved.
    time : array of uint16, shape (sessions, items)
        Time on screen [s]; 0 if the item was not reached.
    flagged : array of bool, shape (sessions, items)
        Whether the learner flagged it.
    """

    answer: npt.NDArray[np.uint16]
    points: npt.NDArray[np.uint8]
    outcome: npt.NDArray[np.uint8]
    revision: npt.NDArray[np.uint8]
    time: npt.NDArray[np.uint16]
    flagged: BoolArray

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: IntArray | slice) -> SimulatedResponses:
        return SimulatedResponses(
            **{field.name: getattr(self, field.name)[rows] for field in fields(self)}
        )

    def active(self) -> IntArray:
        """Sum of the item times of each session [s]."""
        total: IntArray = self.time.sum(axis=1, dtype=np.int64)
        return total

    def time_until(self, items: IntArray) -> IntArray:
        """Time of each session on its first items [s]; `items` has one number per session."""
        shown = np.arange(self.time.shape[1]) < items[:, None]
        total: IntArray = self.time.sum(axis=1, dtype=np.int64, where=shown)
        return total

    def apply_time_limit(self, form: SimulatedForm, limit: int) -> None:
        """Apply a time limit [s]: the item on screen is cut off, later ones are not reached."""
        late = np.flatnonzero(self.active() > limit)
        for rows in np.array_split(late, len(late) // _BLOCK + 1):
            until = np.cumsum(self.time[rows], axis=1, dtype=np.int64)
            begun = until - self.time[rows]
            unseen = begun >= limit
            cut = ~unseen & (until > limit)
            self.time[rows] = np.where(
                unseen, 0, np.where(cut, limit - begun, self.time[rows])
            ).astype(np.uint16)
            self.flagged[rows] &= ~unseen
            sizes = np.diff(form.starts)
            for code, items in ((CUT_OFF, cut), (NOT_REACHED, unseen)):
                self._set_unanswered(rows, np.repeat(items, sizes, axis=1), code)

    def _set_unanswered(self, rows: IntArray, questions: BoolArray, code: np.uint8) -> None:
        outcome = self.outcome[rows]
        outcome[questions & (outcome != NOT_REACHED)] = code
        self.outcome[rows] = outcome
        self.points[rows] = np.where(questions, 0, self.points[rows])


def draw_responses(
    seed: np.random.SeedSequence, form: SimulatedForm, plans: PlannedSessions, *, omit: float
) -> SimulatedResponses:
    """Draw the responses to a form without a time limit.

    Parameters
    ----------
    seed : SeedSequence
        Source of randomness.
    form : SimulatedForm
        The form.
    plans : PlannedSessions
        Sessions, all with this form.
    omit : float
        Share of questions omitted at average ability and difficulty.
    """
    n, n_questions, n_items = len(plans), len(form.questions), len(form.items)
    responses = SimulatedResponses(
        answer=np.zeros((n, n_questions), dtype=np.uint16),
        points=np.zeros((n, n_questions), dtype=np.uint8),
        outcome=np.full((n, n_questions), NOT_REACHED),
        revision=np.ones((n, n_questions), dtype=np.uint8),
        time=np.zeros((n, n_items), dtype=np.uint16),
        flagged=np.zeros((n, n_items), dtype=np.bool_),
    )
    blocks = range(0, n, _BLOCK)
    for first, child in zip(blocks, seed.spawn(len(blocks)), strict=True):
        rows = slice(first, min(first + _BLOCK, n))
        _draw_block(
            np.random.default_rng(child), form, plans[np.arange(n)[rows]], omit, responses[rows]
        )
    return responses


def _draw_block(
    rng: np.random.Generator,
    form: SimulatedForm,
    plans: PlannedSessions,
    omit: float,
    responses: SimulatedResponses,
) -> None:
    n = len(plans)
    revised = rng.random((n, len(form.questions)), dtype=np.float32)
    responses.revision[:] = 1 + (revised < 0.3) + (revised < 0.07)
    for position, item in enumerate(form.items):
        seen = position <= plans.stops_at
        rapid = position >= plans.rapid_from
        effect = item.testlet_sd * rng.standard_normal(n) if item.testlet_sd else np.zeros(n)
        ability = plans.ability + effect - np.where(plans.focal, item.dif, 0.0)
        unanswered = np.ones(n, dtype=np.bool_)
        for at, question in enumerate(item.questions, int(form.starts[position])):
            answer, points = _draw_answers(rng, question, ability, rapid)
            omitted = ~rapid & (
                rng.random(n) < _omission_probability(question, plans.ability, omit)
            )
            unanswered &= omitted
            responses.answer[:, at] = answer
            responses.points[:, at] = np.where(seen & ~omitted, points, 0)
            responses.outcome[:, at] = np.where(
                seen, np.where(omitted, OMITTED, ANSWERED), NOT_REACHED
            )
        responses.time[:, position] = np.where(
            seen, _draw_times(rng, item, plans, rapid, unanswered), 0
        )
        hard = 1.0 / (1.0 + np.exp(plans.ability - item.questions[0].b))
        flagged = rng.random(n) < 0.01 + 0.08 * hard
        responses.flagged[:, position] = flagged & seen & ~rapid


def _draw_answers(
    rng: np.random.Generator, question: SimulatedQuestion, ability: FloatArray, rapid: BoolArray
) -> tuple[IntArray, IntArray]:
    """Draw answers; positions in the catalogue, and points."""
    reached = 1.0 / (1.0 + np.exp(-question.a * (ability[:, None] - question.thresholds)))
    reached = question.c + (1.0 - question.c) * reached
    points = (rng.random(len(ability))[:, None] < reached).sum(axis=1)
    answer = question.catalogue.draw(points, ability, rng)
    guessed = np.flatnonzero(rapid)
    answer[guessed] = question.catalogue.guess(len(guessed), rng)
    return answer, question.catalogue.points[answer]


def _omission_probability(
    question: SimulatedQuestion, ability: FloatArray, omit: float
) -> FloatArray:
    """Probability of omitting a question: `omit` at average ability and difficulty."""
    odds = np.exp(0.5 * (question.b - ability) + (0.0 if question.type.closed else 0.7))
    return omit * odds / (1.0 - omit + omit * odds)


def _draw_times(
    rng: np.random.Generator,
    item: SimulatedItem,
    plans: PlannedSessions,
    rapid: BoolArray,
    unanswered: BoolArray,
) -> IntArray:
    """Draw times on screen, in whole seconds."""
    log_time = item.beta - plans.speed + rng.standard_normal(len(plans)) / item.alpha
    seconds = np.exp(log_time - np.where(unanswered, _SHORTER_IF_OMITTED, 0.0))
    seconds[rapid] = rng.uniform(*_RAPID_SECONDS, size=int(rapid.sum()))
    return np.clip(np.round(seconds), 1, _LONGEST).astype(np.int64)
