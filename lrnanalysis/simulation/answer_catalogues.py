"""Possible answers to simulated questions: each value, its points and its frequency.

An `AnswerCatalogue` lists the raw values that one question can get, in the shapes of the Data API.
The points of an answer are drawn in `lrnanalysis.simulation.response_process`; the value is drawn
here, among those worth these points: distractors by their attractiveness, which may change with
ability as in the nominal model (Bock 1972). Together with a three-parameter curve for the right
answer, this is the nested logit model of Suh and Bolt (2010). A rapid guess takes any complete
value with equal probability.

All content is made up.

References
----------
Bock, R. D. (1972). Estimating item parameters and latent ability when responses are scored in two
or more nominal categories. Psychometrika, 37, 29-51.

Suh, Y., & Bolt, D. M. (2010). Nested logit models for multiple-choice item response data.
Psychometrika, 75, 454-473.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lrnanalysis.simulation import text_generator

__all__ = ["ESSAY", "QUESTION_TYPES", "AnswerCatalogue", "AnswerOption", "QuestionType"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: The question type that is marked by hand.
ESSAY = "longtextV2"

#: Weight of leaving one gap or stem of an answer open, relative to 1 for an average option.
_GAP_LEFT_OPEN = 0.03


class AnswerOption(NamedTuple):
    """One option of a closed question.

    Attributes
    ----------
    part : int
        Gap, stem or place of the option, from 0; always 0 for a single choice.
    value : str
        Value in the answer.
    correct : bool
        Whether it belongs to the key.
    attractiveness : float
        Logit of its choice among the wrong options of its part, at ability 0.
    slope : float
        Change of this logit per unit of ability.
    """

    part: int
    value: str
    correct: bool
    attractiveness: float
    slope: float


@dataclass(frozen=True, eq=False)
class AnswerCatalogue:
    """All possible answers to one question.

    Attributes
    ----------
    values : tuple of str
        JSON text of each answer's value.
    points : array of int, shape (answers,)
        Points of each.
    weight : array, shape (answers,)
        Relative frequency of each among those worth the same points, at ability 0.
    slope : array, shape (answers,)
        Change of the log weight per unit of ability.
    chance : array, shape (answers,)
        Probability of each under a rapid guess.
    words : tuple of int, optional
        Word counts, for essays.
    key : str
        JSON text of the right answer's value; empty if there is none.
    options : tuple of AnswerOption
        Options of closed questions.
    """

    values: tuple[str, ...]
    points: IntArray
    weight: FloatArray
    slope: FloatArray
    chance: FloatArray
    key: str
    options: tuple[AnswerOption, ...] = ()
    words: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def max_score(self) -> int:
        """Highest possible points."""
        return int(self.points.max())

    @property
    def chance_share(self) -> float:
        """Expected share of the points under a rapid guess."""
        return float(self.chance @ self.points) / self.max_score

    @property
    def chance_full(self) -> float:
        """Probability of all points under a rapid guess."""
        return float(self.chance[self.points == self.max_score].sum())

    def draw(self, points: IntArray, ability: FloatArray, rng: np.random.Generator) -> IntArray:
        """Draw an answer for each person, given the points it earns.

        Parameters
        ----------
        points : array of int, shape (persons,)
            Points of each person's answer.
        ability : array, shape (persons,)
            Their abilities.
        rng : Generator
            Random generator; one number per person is drawn.

        Returns
        -------
        array of int, shape (persons,)
            Positions in the catalogue.
        """
        taken = np.empty(len(points), dtype=np.int64)
        draws = rng.random(len(points))
        for earned in range(self.max_score + 1):
            persons = np.flatnonzero(points == earned)
            answers = np.flatnonzero(self.points == earned)
            if not len(persons):
                continue
            if self.slope[answers].any():
                weight = self.weight[answers] * np.exp(ability[persons, None] * self.slope[answers])
                reached = np.cumsum(weight, axis=1)
                beyond = (draws[persons, None] * reached[:, -1:]) >= reached[:, :-1]
                taken[persons] = answers[beyond.sum(axis=1)]
            else:
                taken[persons] = answers[_pick(self.weight[answers], draws[persons])]
        return taken

    def guess(self, number: int, rng: np.random.Generator) -> IntArray:
        """Draw `number` rapid guesses, as positions in the catalogue."""
        return _pick(self.chance, rng.random(number))


def _pick(weight: FloatArray, draws: FloatArray) -> IntArray:
    """Position of each uniform draw in the cumulative weights; never one of weight 0."""
    reached = np.cumsum(weight)
    place = np.searchsorted(reached, draws * reached[-1], side="right")
    picked: IntArray = np.minimum(place, np.flatnonzero(weight)[-1])
    return picked


class QuestionType(NamedTuple):
    """A type of question.

    Attributes
    ----------
    name : str
        Its name in the Data API.
    value_type : str
        ``type`` of its response.
    seconds : float
        Typical time [s].
    closed : bool
        Whether the answer is selected rather than constructed.
    draw_catalogue : callable
        Draws the catalogue of a new question of this type.
    """

    name: str
    value_type: str
    seconds: float
    closed: bool
    draw_catalogue: Callable[[np.random.Generator], AnswerCatalogue]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _single_choice(rng: np.random.Generator) -> AnswerCatalogue:
    """One of four options."""
    key = int(rng.integers(4))
    options = tuple(
        AnswerOption(0, str(at), at == key, *((0.0, 0.0) if at == key else _pull(rng)))
        for at in range(4)
    )
    return AnswerCatalogue(
        values=tuple(_json([option.value]) for option in options),
        points=np.array([int(option.correct) for option in options]),
        weight=np.exp([option.attractiveness for option in options]),
        slope=np.array([option.slope for option in options]),
        chance=np.full(4, 0.25),
        key=_json([str(key)]),
        options=options,
    )


def _pull(rng: np.random.Generator) -> tuple[float, float]:
    """Attractiveness and slope of a distractor."""
    return float(rng.normal(0.0, 0.7)), float(rng.normal(0.0, 0.35))


def _multiple_choice(rng: np.random.Generator) -> AnswerCatalogue:
    """Two of five options, one point per right one."""
    right = {int(at) for at in rng.choice(5, size=2, replace=False)}
    options = tuple(
        AnswerOption(0, str(at), at in right, float(rng.normal(0.0, 0.5)), 0.0) for at in range(5)
    )
    pairs = list(itertools.combinations(options, 2))
    return AnswerCatalogue(
        values=tuple(_json([option.value for option in pair]) for pair in pairs),
        points=np.array([sum(option.correct for option in pair) for pair in pairs]),
        weight=np.exp([sum(option.attractiveness for option in pair) for pair in pairs]),
        slope=np.zeros(len(pairs)),
        chance=np.full(len(pairs), 1.0 / len(pairs)),
        key=_json([str(at) for at in sorted(right)]),
        options=options,
    )


def _parts(
    parts: Sequence[Sequence[AnswerOption]],
    values: Sequence[Sequence[object]],
    *,
    partial: bool,
) -> AnswerCatalogue:
    """Answers in several parts; each part takes one of its options or is left open."""
    ways = [[*range(len(options)), -1] for options in parts]
    texts, right, weight, whole = [], [], [], []
    for way in itertools.product(*ways):
        if all(at < 0 for at in way):
            continue
        texts.append(_json([None if at < 0 else values[part][at] for part, at in enumerate(way)]))
        taken = [parts[part][at] for part, at in enumerate(way) if at >= 0]
        right.append(sum(option.correct for option in taken))
        whole.append(len(taken) == len(way))
        weight.append(
            np.exp(sum(option.attractiveness for option in taken))
            * _GAP_LEFT_OPEN ** (len(way) - len(taken))
        )
    complete = np.array(whole, dtype=np.float64)
    points = np.array(right)
    key = [
        next(values[part][at] for at, option in enumerate(options) if option.correct)
        for part, options in enumerate(parts)
    ]
    return AnswerCatalogue(
        values=tuple(texts),
        points=points if partial else (points == len(parts)).astype(np.int64),
        weight=np.array(weight),
        slope=np.zeros(len(texts)),
        chance=complete / complete.sum(),
        key=_json(key),
        options=tuple(option for options in parts for option in options),
    )


def _dropdowns(rng: np.random.Generator) -> AnswerCatalogue:
    """Two or three gaps with three words each to choose from."""
    parts = []
    for part in range(int(rng.integers(2, 4))):
        words = text_generator.choose(rng, text_generator.GAP_WORDS, 3)
        key = int(rng.integers(3))
        parts.append(
            [
                AnswerOption(part, word, at == key, float(rng.normal(0.0, 0.6)), 0.0)
                for at, word in enumerate(words)
            ]
        )
    values = [[option.value for option in options] for options in parts]
    return _parts(parts, values, partial=bool(rng.random() < 0.7))


def _matrix(rng: np.random.Generator) -> AnswerCatalogue:
    """Three or four statements, each true or false."""
    parts = [
        [
            AnswerOption(part, str(at), at == key, float(rng.normal(0.0, 0.6)), 0.0)
            for at in range(2)
        ]
        for part, key in enumerate(rng.integers(2, size=int(rng.integers(3, 5))).tolist())
    ]
    return _parts(parts, [[0, 1]] * len(parts), partial=bool(rng.random() < 0.7))


def _association(rng: np.random.Generator) -> AnswerCatalogue:
    """Three stems, each matched with one of five words; a word is used once."""
    words = text_generator.choose(rng, text_generator.NOUNS, 5)
    key = [int(at) for at in rng.permutation(5)[:3]]
    pull = rng.normal(0.0, 0.6, size=(3, 5))
    ways = list(itertools.permutations(range(5), 3))
    return AnswerCatalogue(
        values=tuple(_json([words[at] for at in way]) for way in ways),
        points=np.array([sum(a == b for a, b in zip(way, key, strict=True)) for way in ways]),
        weight=np.exp([sum(pull[part, at] for part, at in enumerate(way)) for way in ways]),
        slope=np.zeros(len(ways)),
        chance=np.full(len(ways), 1.0 / len(ways)),
        key=_json([words[at] for at in key]),
        options=tuple(
            AnswerOption(part, words[at], at == key[part], float(pull[part, at]), 0.0)
            for part in range(3)
            for at in range(5)
        ),
    )


def _order(rng: np.random.Generator) -> AnswerCatalogue:
    """Four lines to put in order, scored as a whole; near misses are more frequent."""
    key = [int(at) for at in rng.permutation(4)]
    ways = list(itertools.permutations(range(4)))
    pairs = list(itertools.combinations(range(4), 2))
    swapped = np.array(
        [sum((way.index(key[a]) > way.index(key[b])) for a, b in pairs) for way in ways]
    )
    return AnswerCatalogue(
        values=tuple(_json(way) for way in ways),
        points=(swapped == 0).astype(np.int64),
        weight=np.exp(-0.6 * swapped + rng.normal(0.0, 0.3, size=len(ways))),
        slope=np.zeros(len(ways)),
        chance=np.full(len(ways), 1.0 / len(ways)),
        key=_json(key),
        options=tuple(
            AnswerOption(place, str(at), at == key[place], 0.0, 0.0)
            for place in range(4)
            for at in range(4)
        ),
    )


def _constructed(right: str, wrong: Sequence[str], careless: Sequence[str]) -> AnswerCatalogue:
    """A typed answer: right, one of a few frequent errors, or careless."""
    texts = [right, *wrong, *careless]
    frequent = [1.0, *(1.0 / (1 + rank) for rank in range(len(wrong))), *[0.01] * len(careless)]
    chance = np.zeros(len(texts))
    chance[-len(careless) :] = 1.0 / len(careless)
    return AnswerCatalogue(
        values=tuple(_json(text) for text in texts),
        points=np.array([1] + [0] * (len(texts) - 1)),
        weight=np.array(frequent),
        slope=np.zeros(len(texts)),
        chance=chance,
        key=_json(right),
    )


def _short_text(rng: np.random.Generator) -> AnswerCatalogue:
    """A word to type."""
    right, *wrong = text_generator.choose(rng, text_generator.NOUNS, 6)
    return _constructed(
        right, [text_generator.misspelt(rng, right), *wrong], text_generator.CARELESS_WORDS
    )


def _formula(rng: np.random.Generator) -> AnswerCatalogue:
    """A fraction to type, as LaTeX."""
    over, under = (int(part) for part in rng.choice(np.arange(2, 12), size=2, replace=False))
    wrong = [
        rf"\frac{{{under}}}{{{over}}}",
        rf"-\frac{{{over}}}{{{under}}}",
        rf"\frac{{{over}}}{{{under + 1}}}",
        f"{over / under:.2f}",
        str(over + under),
    ]
    return _constructed(rf"\frac{{{over}}}{{{under}}}", wrong, text_generator.CARELESS_NUMBERS)


#: Highest mark of an essay.
_ESSAY_MARKS = 4
#: Texts per mark.
_ESSAYS_PER_MARK = 24


def _essay(rng: np.random.Generator) -> AnswerCatalogue:
    """A text that is marked by hand from 0 to 4; better ones are longer."""
    texts, points = [], []
    for mark in range(_ESSAY_MARKS + 1):
        for _ in range(_ESSAYS_PER_MARK):
            words = max(8.0, rng.normal(25 + 40 * mark, 10 + 6 * mark))
            texts.append(text_generator.essay(rng, int(words)))
            points.append(mark)
    careless = [f"<p>{word}</p>" for word in text_generator.CARELESS_WORDS]
    texts += careless
    points += [0] * len(careless)
    is_careless = np.arange(len(texts)) >= len(texts) - len(careless)
    return AnswerCatalogue(
        values=tuple(_json(text) for text in texts),
        points=np.array(points),
        weight=np.where(is_careless, 0.1, 1.0),
        slope=np.zeros(len(texts)),
        chance=is_careless / len(careless),
        key="",
        words=tuple(text_generator.count_words(text) for text in texts),
    )


#: Question types by the names that `simulate` takes. "mcq_multiple" is an mcq with multiple
#: responses; the other names are the Data API's.
QUESTION_TYPES: Mapping[str, QuestionType] = MappingProxyType(
    {
        "mcq": QuestionType("mcq", "array", 38.0, True, _single_choice),
        "mcq_multiple": QuestionType("mcq", "array", 50.0, True, _multiple_choice),
        "clozedropdown": QuestionType("clozedropdown", "array", 48.0, True, _dropdowns),
        "choicematrix": QuestionType("choicematrix", "array", 52.0, True, _matrix),
        "association": QuestionType("association", "array", 58.0, True, _association),
        "orderlist": QuestionType("orderlist", "array", 46.0, True, _order),
        "shorttext": QuestionType("shorttext", "string", 36.0, False, _short_text),
        "formulaV2": QuestionType("formulaV2", "string", 62.0, False, _formula),
        ESSAY: QuestionType(ESSAY, "string", 320.0, False, _essay),
    }
)
