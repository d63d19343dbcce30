"""The simulated test: items, their questions, and the forms they are arranged in.

Difficulties, discriminations and time parameters are drawn here, without reference to learners:
the same seed gives the same test for any number of learners.

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

from lrnanalysis.simulation.answer_catalogues import (
    ESSAY,
    QUESTION_TYPES,
    AnswerCatalogue,
    QuestionType,
)
from lrnanalysis.simulation.simulation_settings import SimulationSettings

__all__ = ["Assessment", "SimulatedForm", "SimulatedItem", "SimulatedQuestion", "draw_assessment"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Content areas of the items, with a subscore each.
_STRANDS = ("Number", "Geometry", "Data")

#: SD of the effect that the questions of one item share within a person [logits].
_TESTLET_SD = 0.6

ScoringType = Literal["per-question", "dichotomous", "dependent"]
_SCORING_TYPES: tuple[ScoringType, ...] = ("per-question", "dichotomous", "dependent")

#: Mean and SD of ln a, and of ln alpha.
_LOG_A = (0.1, 0.25)
_LOG_ALPHA = (0.75, 0.18)
#: Distance between a question's thresholds [logits].
_STEP = 0.75


@dataclass(frozen=True, eq=False)
class SimulatedQuestion:
    """A question with the parameters of its graded or three-parameter logistic model.

    Attributes
    ----------
    reference : str
        ``question_reference``.
    kind : str
        Name in `lrnanalysis.simulation.answer_catalogues.QUESTION_TYPES`.
    catalogue : AnswerCatalogue
        Possible answers.
    a : float
        Discrimination, in the logistic metric.
    thresholds : array, shape (max_score,)
        Ability at which each further point has a probability of 0.5 (above the asymptote).
    c : float
        Lower asymptote; 0 if the question has more than one point.
    """

    reference: str
    kind: str
    catalogue: AnswerCatalogue
    a: float
    thresholds: FloatArray
    c: float

    @property
    def type(self) -> QuestionType:
        """Type of the question."""
        return QUESTION_TYPES[self.kind]

    @property
    def is_essay(self) -> bool:
        """Whether it is marked by hand."""
        return self.kind == ESSAY

    @property
    def b(self) -> float:
        """Difficulty: the mean of the thresholds."""
        return float(self.thresholds.mean())


@dataclass(frozen=True, eq=False)
class SimulatedItem:
    """An item: questions that share a screen, and therefore a time.

    Attributes
    ----------
    reference : str
        Item reference.
    questions : tuple of SimulatedQuestion
        One to three.
    scoring_type : str
        Rule that gives the item's score from the questions' points.
    alpha : float
        Time discrimination: 1 / SD of ln t [1 / ln s].
    beta : float
        Time intensity: mean of ln t at speed 0 [ln s].
    dif : float
        Added to the thresholds in the focal group [logits].
    strand : str
        Content area.
    """

    reference: str
    questions: tuple[SimulatedQuestion, ...]
    scoring_type: ScoringType
    alpha: float
    beta: float
    dif: float
    strand: str

    @property
    def testlet_sd(self) -> float:
        """SD of the effect that its questions share within a person [logits]."""
        return _TESTLET_SD if len(self.questions) > 1 else 0.0

    @cached_property
    def max_score(self) -> int:
        """Highest possible score [points]."""
        if self.scoring_type == "dichotomous":
            return 1
        return sum(question.catalogue.max_score for question in self.questions)

    def score(self, points: IntArray) -> IntArray:
        """Score the item from the points of its questions.

        Parameters
        ----------
        points : array of int, shape (persons, questions)
            Points of each question.

        Returns
        -------
        array of int, shape (persons,)
            Sum of the points (per-question); 1 if all questions have full points, else 0
            (dichotomous); sum up to the first question without full points (dependent).
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
class SimulatedForm:
    """A form: items in the order in which they are shown.

    Attributes
    ----------
    number : int
        From 1.
    template : str
        ``activity_template_id``.
    items : tuple of SimulatedItem
        In order.
    """

    number: int
    template: str
    items: tuple[SimulatedItem, ...]

    @cached_property
    def questions(self) -> tuple[SimulatedQuestion, ...]:
        """The questions in order."""
        return tuple(question for item in self.items for question in item.questions)

    @cached_property
    def starts(self) -> IntArray:
        """Position of each item's first question, followed by the number of questions."""
        return np.cumsum([0, *(len(item.questions) for item in self.items)])


@dataclass(frozen=True, eq=False)
class Assessment:
    """The whole test.

    Attributes
    ----------
    items : tuple of SimulatedItem
        All items.
    forms : tuple of SimulatedForm
        The forms; anchor items are in all of them.
    anchors : frozenset of str
        References of the anchor items; empty with one form.
    """

    items: tuple[SimulatedItem, ...]
    forms: tuple[SimulatedForm, ...]
    anchors: frozenset[str]


def draw_assessment(seed: np.random.SeedSequence, settings: SimulationSettings) -> Assessment:
    """Draw a test."""
    layout, parameters, content, arrangement = (
        np.random.default_rng(child) for child in seed.spawn(4)
    )
    kinds = _draw_kinds(layout, settings)
    difficulties = _draw_difficulties(layout, len(kinds))
    sizes = _draw_sizes(layout, kinds, settings.testlets)
    shifts = _draw_dif(layout, settings)
    names, shares = _shares(settings)
    width = max(2, len(str(len(kinds))))
    scoring_types = itertools.cycle(_SCORING_TYPES)
    items = []
    for at, kind in enumerate(kinds):
        further = layout.choice(len(names), size=sizes[at] - 1, p=shares)
        all_kinds = [kind, *(names[one] for one in further.tolist())]
        seconds = sum(QUESTION_TYPES[one].seconds for one in all_kinds)
        items.append(
            SimulatedItem(
                reference=f"item-{at + 1:0{width}d}",
                questions=tuple(
                    _draw_question(parameters, content, one, difficulties[at], settings.guessing)
                    for one in all_kinds
                ),
                scoring_type=next(scoring_types) if len(all_kinds) > 1 else "per-question",
                alpha=float(np.exp(parameters.normal(*_LOG_ALPHA))),
                beta=float(
                    np.log(seconds) + 0.15 * difficulties[at] + parameters.normal(0.0, 0.25)
                ),
                dif=float(shifts[at]),
                strand=_STRANDS[int(layout.integers(len(_STRANDS)))],
            )
        )
    return _assemble_forms(arrangement, tuple(items), settings)


def _shares(settings: SimulationSettings) -> tuple[list[str], FloatArray]:
    """Question types other than essays, and their shares."""
    shares = np.array(list(settings.question_types.values()), dtype=np.float64)
    return list(settings.question_types), shares / shares.sum()


def _draw_kinds(rng: np.random.Generator, settings: SimulationSettings) -> list[str]:
    """Type of each item's first question: shares are met to the nearest item, in random order."""
    n_essays = round(settings.items * settings.essays)
    names, shares = _shares(settings)
    exact = shares * (settings.items - n_essays)
    counts = np.floor(exact).astype(np.int64)
    left = settings.items - n_essays - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    kinds = np.repeat([*names, ESSAY], [*counts, n_essays])
    return [str(kind) for kind in rng.permutation(kinds)]


def _draw_difficulties(rng: np.random.Generator, items: int) -> FloatArray:
    """Difficulties from -2 to 1.4, denser in the middle, in random order."""
    place = (np.arange(items) + 0.5) / items * 2 - 1
    spread = -0.3 + 1.7 * np.sign(place) * np.abs(place) ** 1.3
    return rng.permutation(spread) + rng.normal(0.0, 0.15, size=items)


def _draw_sizes(rng: np.random.Generator, kinds: list[str], testlets: float) -> IntArray:
    """Number of questions of each item; 1 for essays."""
    sizes = np.ones(len(kinds), dtype=np.int64)
    free = np.flatnonzero([kind != ESSAY for kind in kinds])
    chosen = rng.permutation(free)[: round(testlets * len(free))]
    sizes[chosen] = rng.integers(2, 4, size=len(chosen))
    return sizes


def _draw_dif(rng: np.random.Generator, settings: SimulationSettings) -> FloatArray:
    """DIF of each item, alternately against and in favour of the focal group."""
    shifts = np.zeros(settings.items)
    if len(settings.groups) > 1:
        chosen = rng.permutation(settings.items)[: round(settings.dif_items * settings.items)]
        shifts[chosen] = settings.dif * np.where(np.arange(len(chosen)) % 2, -1.0, 1.0)
    return shifts


def _draw_question(
    parameters: np.random.Generator,
    content: np.random.Generator,
    kind: str,
    difficulty: float,
    guessing: float,
) -> SimulatedQuestion:
    catalogue = QUESTION_TYPES[kind].draw_catalogue(content)
    middle = (catalogue.max_score - 1) / 2
    steps = np.arange(catalogue.max_score, dtype=np.float64) - middle
    noise = np.sort(parameters.normal(0.0, 0.1, size=catalogue.max_score))
    return SimulatedQuestion(
        reference=content.bytes(16).hex(),
        kind=kind,
        catalogue=catalogue,
        a=float(np.exp(parameters.normal(*_LOG_A))),
        thresholds=difficulty + _STEP * steps + noise,
        c=guessing * catalogue.chance_full
        if catalogue.max_score == 1 and QUESTION_TYPES[kind].closed
        else 0.0,
    )


def _assemble_forms(
    rng: np.random.Generator, items: tuple[SimulatedItem, ...], settings: SimulationSettings
) -> Assessment:
    """Put the anchors into every form, and deal out the other items in turn."""
    order = rng.permutation(len(items)).tolist()
    anchors, own = order[: settings.n_anchors], order[settings.n_anchors :]
    forms = tuple(
        SimulatedForm(
            number,
            f"{settings.activity}-form-{number}",
            tuple(items[at] for at in sorted([*anchors, *own[number - 1 :: settings.forms]])),
        )
        for number in range(1, settings.forms + 1)
    )
    return Assessment(items, forms, frozenset(items[at].reference for at in anchors))
