"""The simulated test: items, their questions, the forms they are arranged in.

Difficulties, discriminations and time parameters are drawn here; nothing in this module knows
learners. The same seed gives the same test whatever the number of learners.

References
----------
van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of
Educational and Behavioral Statistics, 31, 181-204.

Bradlow, E. T., Wainer, H., & Wang, X. (1999). A Bayesian random effects model for testlets.
Psychometrika, 64, 153-168.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from lrnanalysis.sandbox.answers import ESSAY, FORMATS, Catalogue, Format
from lrnanalysis.sandbox.settings import Settings

__all__ = ["STRANDS", "Design", "Form", "Item", "Question", "draw_design"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: What the items are about; a subscore each.
STRANDS = ("Number", "Geometry", "Data")

#: SD of the effect that the questions of one item share, in a person [logits].
TESTLET_SD = 0.6

ScoringType = Literal["per-question", "dichotomous", "dependent"]
_SCORING_TYPES: tuple[ScoringType, ...] = ("per-question", "dichotomous", "dependent")

#: Mean ln a, SD of ln a; the same of alpha.
_LOG_A = (0.1, 0.25)
_LOG_ALPHA = (0.75, 0.18)
#: Distance between a question's thresholds [logits].
_STEP = 0.75


@dataclass(frozen=True, eq=False)
class Question:
    """A question with the parameters of its graded or three-parameter logistic model.

    Attributes
    ----------
    reference : str
        ``question_reference``.
    kind : str
        Name in `lrnanalysis.sandbox.answers.FORMATS`.
    catalogue : Catalogue
        What can be answered.
    a : float
        Discrimination, in the logistic metric.
    thresholds : array, shape (max_score,)
        Ability at which each further point is as likely as not (above the asymptote).
    c : float
        Lower asymptote; 0 where the question has more than one point.
    """

    reference: str
    kind: str
    catalogue: Catalogue
    a: float
    thresholds: FloatArray
    c: float

    @property
    def format(self) -> Format:
        """What kind of question it is."""
        return FORMATS[self.kind]

    @property
    def is_essay(self) -> bool:
        """Whether a person marks it."""
        return self.kind == ESSAY

    @property
    def b(self) -> float:
        """Difficulty: the mean of the thresholds."""
        return float(self.thresholds.mean())


@dataclass(frozen=True, eq=False)
class Item:
    """An item: questions that share a screen, and with it a time.

    Attributes
    ----------
    reference : str
        Item reference.
    questions : tuple of Question
        One, or up to three.
    scoring_type : str
        How the questions' points become the item's.
    alpha : float
        Time discrimination: 1 / SD of ln t [1 / ln s].
    beta : float
        Time intensity: mean of ln t at speed 0 [ln s].
    dif : float
        What is added to the thresholds in the focal group [logits].
    strand : str
        What it is about.
    """

    reference: str
    questions: tuple[Question, ...]
    scoring_type: ScoringType
    alpha: float
    beta: float
    dif: float
    strand: str

    @property
    def testlet_sd(self) -> float:
        """SD of the effect that its questions share in a person [logits]."""
        return TESTLET_SD if len(self.questions) > 1 else 0.0

    @property
    def max_score(self) -> int:
        """Highest possible points."""
        if self.scoring_type == "dichotomous":
            return 1
        return sum(question.catalogue.max_score for question in self.questions)

    def score(self, points: IntArray) -> IntArray:
        """The item's points from those of its questions.

        Parameters
        ----------
        points : array of int, shape (persons, questions)
            Points of each question.

        Returns
        -------
        array of int, shape (persons,)
            Their sum (per-question); 1 where all are complete, else 0 (dichotomous); their sum up
            to the first that is not complete (dependent).
        """
        full = points == [question.catalogue.max_score for question in self.questions]
        if self.scoring_type == "dichotomous":
            points = full.all(axis=1, keepdims=True).astype(np.int64)
        elif self.scoring_type == "dependent":
            counted = np.ones_like(full)
            counted[:, 1:] = np.logical_and.accumulate(full[:, :-1], axis=1)
            points = np.where(counted, points, 0)
        total: IntArray = points.sum(axis=1)
        return total


@dataclass(frozen=True, eq=False)
class Form:
    """A form: items in the order in which they are shown.

    Attributes
    ----------
    number : int
        From 1.
    template : str
        ``activity_template_id``.
    items : tuple of Item
        In order.
    """

    number: int
    template: str
    items: tuple[Item, ...]

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The questions in order."""
        return tuple(question for item in self.items for question in item.questions)

    @cached_property
    def starts(self) -> IntArray:
        """Position of each item's first question, and after them the number of questions."""
        return np.cumsum([0, *(len(item.questions) for item in self.items)])


@dataclass(frozen=True, eq=False)
class Design:
    """The whole test.

    Attributes
    ----------
    items : tuple of Item
        All items.
    forms : tuple of Form
        How they are given; anchor items are in all forms.
    anchors : frozenset of str
        References of the anchor items; empty where there is one form.
    """

    items: tuple[Item, ...]
    forms: tuple[Form, ...]
    anchors: frozenset[str]


def draw_design(seed: np.random.SeedSequence, settings: Settings) -> Design:
    """Draw a test."""
    layout, parameters, content, arrangement = (
        np.random.default_rng(child) for child in seed.spawn(4)
    )
    kinds = _kinds(layout, settings)
    difficulties = _spread(layout, len(kinds))
    sizes = _sizes(layout, kinds, settings.testlets)
    shifts = _shifts(layout, settings)
    names, shares = _shares(settings)
    width = max(2, len(str(len(kinds))))
    scoring_types = itertools.cycle(_SCORING_TYPES)
    items = []
    for at, kind in enumerate(kinds):
        further = layout.choice(len(names), size=sizes[at] - 1, p=shares)
        all_kinds = [kind, *(names[one] for one in further.tolist())]
        seconds = sum(FORMATS[one].seconds for one in all_kinds)
        items.append(
            Item(
                reference=f"item-{at + 1:0{width}d}",
                questions=tuple(
                    _question(parameters, content, one, difficulties[at], settings.guessing)
                    for one in all_kinds
                ),
                scoring_type=next(scoring_types) if len(all_kinds) > 1 else "per-question",
                alpha=float(np.exp(parameters.normal(*_LOG_ALPHA))),
                beta=float(
                    np.log(seconds) + 0.15 * difficulties[at] + parameters.normal(0.0, 0.25)
                ),
                dif=float(shifts[at]),
                strand=STRANDS[int(layout.integers(len(STRANDS)))],
            )
        )
    return _arrange(arrangement, tuple(items), settings)


def _shares(settings: Settings) -> tuple[list[str], FloatArray]:
    """Kinds that are no essays, and their shares."""
    shares = np.array(list(settings.question_types.values()), dtype=np.float64)
    return list(settings.question_types), shares / shares.sum()


def _kinds(rng: np.random.Generator, settings: Settings) -> list[str]:
    """Kind of each item's first question: shares kept to the nearest item, order random."""
    n_essays = round(settings.items * settings.essays)
    names, shares = _shares(settings)
    exact = shares * (settings.items - n_essays)
    counts = np.floor(exact).astype(np.int64)
    left = settings.items - n_essays - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    kinds = np.repeat([*names, ESSAY], [*counts, n_essays])
    return [str(kind) for kind in rng.permutation(kinds)]


def _spread(rng: np.random.Generator, items: int) -> FloatArray:
    """Difficulties: spread over -2 to 1.4, denser in the middle, in random order."""
    place = (np.arange(items) + 0.5) / items * 2 - 1
    spread = -0.3 + 1.7 * np.sign(place) * np.abs(place) ** 1.3
    return rng.permutation(spread) + rng.normal(0.0, 0.15, size=items)


def _sizes(rng: np.random.Generator, kinds: list[str], testlets: float) -> IntArray:
    """Number of questions of each item; essays stand alone."""
    sizes = np.ones(len(kinds), dtype=np.int64)
    free = np.flatnonzero([kind != ESSAY for kind in kinds])
    chosen = rng.permutation(free)[: round(testlets * len(free))]
    sizes[chosen] = rng.integers(2, 4, size=len(chosen))
    return sizes


def _shifts(rng: np.random.Generator, settings: Settings) -> FloatArray:
    """DIF of each item, in turn against and in favour of the focal group."""
    shifts = np.zeros(settings.items)
    if len(settings.groups) > 1:
        chosen = rng.permutation(settings.items)[: round(settings.dif_items * settings.items)]
        shifts[chosen] = settings.dif * np.where(np.arange(len(chosen)) % 2, -1.0, 1.0)
    return shifts


def _question(
    parameters: np.random.Generator,
    content: np.random.Generator,
    kind: str,
    difficulty: float,
    guessing: float,
) -> Question:
    catalogue = FORMATS[kind].draw(content)
    middle = (catalogue.max_score - 1) / 2
    steps = np.arange(catalogue.max_score, dtype=np.float64) - middle
    noise = np.sort(parameters.normal(0.0, 0.1, size=catalogue.max_score))
    return Question(
        reference=content.bytes(16).hex(),
        kind=kind,
        catalogue=catalogue,
        a=float(np.exp(parameters.normal(*_LOG_A))),
        thresholds=difficulty + _STEP * steps + noise,
        c=guessing * catalogue.chance_full
        if catalogue.max_score == 1 and FORMATS[kind].closed
        else 0.0,
    )


def _arrange(rng: np.random.Generator, items: tuple[Item, ...], settings: Settings) -> Design:
    """Deal the items that are no anchors out to the forms in turn."""
    order = rng.permutation(len(items)).tolist()
    anchors, own = order[: settings.n_anchors], order[settings.n_anchors :]
    forms = tuple(
        Form(
            number,
            f"{settings.activity}-form-{number}",
            tuple(items[at] for at in sorted([*anchors, *own[number - 1 :: settings.forms]])),
        )
        for number in range(1, settings.forms + 1)
    )
    return Design(items, forms, frozenset(items[at].reference for at in anchors))
