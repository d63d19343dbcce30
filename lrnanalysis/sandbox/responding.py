"""How simulated learners answer: points, answers, omissions, times of every session and item.

* Points: the three-parameter logistic model (Birnbaum 1968) where a question has one point, the
  graded response model (Samejima 1969) where it has more. Questions of one item share a person's
  testlet effect (Bradlow, Wainer and Wang 1999).
* Times: the lognormal model (van der Linden 2006), ln t ~ N(beta - tau, 1 / alpha²), rounded to
  whole seconds, at least 1.
* Rapid guesses (Wise and Kong 2005): from some item on, 0.5 to 3 s an item, answers at chance.
* Omissions: likelier on hard and on open questions and with less ability.

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

from lrnanalysis.sandbox.design import Form, Item, Question
from lrnanalysis.sandbox.learners import Sittings

__all__ = ["ANSWERED", "CUT_OFF", "NOT_REACHED", "OMITTED", "OUTCOMES", "Cells", "respond"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: What became of a question, by code.
OUTCOMES = ("answered", "omitted", "cut off", "not reached")
ANSWERED, OMITTED, CUT_OFF, NOT_REACHED = (np.uint8(code) for code in range(4))

#: Range of a rapid guess's time [s].
RAPID_SECONDS = (0.5, 3.0)

#: Longest time on an item [s].
_LONGEST = 65_000
#: ln t of an item that is left open, beside that of an answer.
_SHORTER_IF_OMITTED = 0.6
#: Sessions drawn at a time.
_BLOCK = 16_384


@dataclass(frozen=True, eq=False)
class Cells:
    """Sessions of one form × its questions or items, in as few bytes as they need.

    Attributes
    ----------
    answer : array of uint16, shape (sessions, questions)
        Position in the question's catalogue; of no meaning where it was not answered.
    points : array of uint8, shape (sessions, questions)
        What the answer is worth, marked or not; 0 where there is none.
    outcome : array of uint8, shape (sessions, questions)
        Position in `OUTCOMES`.
    revision : array of uint8, shape (sessions, questions)
        Times saved.
    time : array of uint16, shape (sessions, items)
        Time on screen [s]; 0 where the item was not reached.
    flagged : array of bool, shape (sessions, items)
        Flagged by the learner.
    """

    answer: npt.NDArray[np.uint16]
    points: npt.NDArray[np.uint8]
    outcome: npt.NDArray[np.uint8]
    revision: npt.NDArray[np.uint8]
    time: npt.NDArray[np.uint16]
    flagged: BoolArray

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: IntArray | slice) -> Cells:
        return Cells(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def active(self) -> IntArray:
        """Sum of the times of each session [s]."""
        total: IntArray = self.time.sum(axis=1, dtype=np.int64)
        return total

    def time_until(self, items: IntArray) -> IntArray:
        """Time of each session on its first `items` items [s]."""
        shown = np.arange(self.time.shape[1]) < items[:, None]
        total: IntArray = self.time.sum(axis=1, dtype=np.int64, where=shown)
        return total

    def run_out(self, form: Form, limit: int) -> None:
        """Let the time run out at `limit` seconds: what comes later was never there."""
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
                self._leave_open(rows, np.repeat(items, sizes, axis=1), code)

    def _leave_open(self, rows: IntArray, questions: BoolArray, code: np.uint8) -> None:
        outcome = self.outcome[rows]
        outcome[questions & (outcome != NOT_REACHED)] = code
        self.outcome[rows] = outcome
        self.points[rows] = np.where(questions, 0, self.points[rows])


def respond(seed: np.random.SeedSequence, form: Form, sittings: Sittings, *, omit: float) -> Cells:
    """Draw what learners do with every item of a form, as if time had no limit.

    Parameters
    ----------
    seed : SeedSequence
        Source of chance.
    form : Form
        What they are given.
    sittings : Sittings
        Their sessions, all of this form.
    omit : float
        Share of questions left open at average ability and difficulty.
    """
    n, n_questions, n_items = len(sittings), len(form.questions), len(form.items)
    cells = Cells(
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
        _respond_block(
            np.random.default_rng(child), form, sittings[np.arange(n)[rows]], omit, cells[rows]
        )
    return cells


def _respond_block(
    rng: np.random.Generator, form: Form, sittings: Sittings, omit: float, cells: Cells
) -> None:
    n = len(sittings)
    revised = rng.random((n, len(form.questions)), dtype=np.float32)
    cells.revision[:] = 1 + (revised < 0.3) + (revised < 0.07)
    for position, item in enumerate(form.items):
        seen = position <= sittings.stops_at
        rapid = position >= sittings.rapid_from
        effect = item.testlet_sd * rng.standard_normal(n) if item.testlet_sd else np.zeros(n)
        ability = sittings.ability + effect - np.where(sittings.focal, item.dif, 0.0)
        left = np.ones(n, dtype=np.bool_)
        for at, question in enumerate(item.questions, int(form.starts[position])):
            answer, points = _answers(rng, question, ability, rapid)
            open_ = ~rapid & (rng.random(n) < _omission(question, sittings.ability, omit))
            left &= open_
            cells.answer[:, at] = answer
            cells.points[:, at] = np.where(seen & ~open_, points, 0)
            cells.outcome[:, at] = np.where(seen, np.where(open_, OMITTED, ANSWERED), NOT_REACHED)
        cells.time[:, position] = np.where(seen, _times(rng, item, sittings, rapid, left), 0)
        hard = 1.0 / (1.0 + np.exp(sittings.ability - item.questions[0].b))
        flagged = rng.random(n) < 0.01 + 0.08 * hard
        cells.flagged[:, position] = flagged & seen & ~rapid


def _answers(
    rng: np.random.Generator, question: Question, ability: FloatArray, rapid: BoolArray
) -> tuple[IntArray, IntArray]:
    """Answers and their points."""
    reached = 1.0 / (1.0 + np.exp(-question.a * (ability[:, None] - question.thresholds)))
    reached = question.c + (1.0 - question.c) * reached
    points = (rng.random(len(ability))[:, None] < reached).sum(axis=1)
    answer = question.catalogue.take(points, ability, rng)
    guessed = np.flatnonzero(rapid)
    answer[guessed] = question.catalogue.guess(len(guessed), rng)
    return answer, question.catalogue.points[answer]


def _omission(question: Question, ability: FloatArray, omit: float) -> FloatArray:
    """Probability that a question is left open: `omit` at average ability and difficulty."""
    odds = np.exp(0.5 * (question.b - ability) + (0.0 if question.format.closed else 0.7))
    return omit * odds / (1.0 - omit + omit * odds)


def _times(
    rng: np.random.Generator, item: Item, sittings: Sittings, rapid: BoolArray, left: BoolArray
) -> IntArray:
    """Times on screen, in whole seconds."""
    log_time = item.beta - sittings.speed + rng.standard_normal(len(sittings)) / item.alpha
    seconds = np.exp(log_time - np.where(left, _SHORTER_IF_OMITTED, 0.0))
    seconds[rapid] = rng.uniform(*RAPID_SECONDS, size=int(rapid.sum()))
    return np.clip(np.round(seconds), 1, _LONGEST).astype(np.int64)
