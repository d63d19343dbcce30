"""Simulate learners' sessions of known truth: `simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from lrnanalysis.simulation.draws import draw_study
from lrnanalysis.simulation.simulated_study import Simulation
from lrnanalysis.simulation.simulation_settings import SimulationSettings

__all__ = ["simulate"]

#: Groups and the means of their abilities, before centring.
_GROUPS: Mapping[str, float] = MappingProxyType({"A": 0.0, "B": -0.4})

#: Shares of question types among the questions that are not essays.
_QUESTION_TYPES: Mapping[str, float] = MappingProxyType(
    {
        "mcq": 0.5,
        "mcq_multiple": 0.08,
        "clozedropdown": 0.1,
        "choicematrix": 0.08,
        "association": 0.06,
        "orderlist": 0.06,
        "shorttext": 0.06,
        "formulaV2": 0.06,
    }
)


def simulate(
    learners: int = 500,
    items: int = 40,
    *,
    seed: int = 1,
    activity: str = "demo",
    forms: int = 1,
    anchors: float = 0.25,
    attempts: float = 0.08,
    groups: Mapping[str, float] = _GROUPS,
    dif: float = 0.6,
    dif_items: float = 0.1,
    question_types: Mapping[str, float] = _QUESTION_TYPES,
    essays: float = 0.05,
    testlets: float = 0.1,
    guessing: float = 0.8,
    speed_sd: float = 0.3,
    speed_correlation: float = 0.3,
    rapid_guessers: float = 0.06,
    omit: float = 0.02,
    not_reached: float = 0.05,
    time_limit: int | None = None,
    pauses: float = 0.12,
    incomplete: float = 0.04,
    discarded: float = 0.02,
    pending: float = 0.15,
    start: str | date | datetime = "2026-02-02T08:00Z",
    days: int = 28,
) -> Simulation:
    """Simulate learners who sit a test. No learner, item or answer is real; the truth is known.

    Parameters
    ----------
    learners : int, default 500
        Number of learners.
    items : int, default 40
        Number of items, over all forms.
    seed : int, default 1
        Random seed: the same arguments give the same bytes (with the same release of NumPy). The
        test depends on the seed, but not on the learners.
    activity : str, default "demo"
        ``activity_id`` of all sessions, in every form.
    forms : int, default 1
        Number of forms: a planned missing design. Each has its own ``activity_template_id``,
        ``{activity}-form-{number}``. Forms are used equally often; a further attempt gets another
        form.
    anchors : float, default 0.25
        Share of the items that are in all forms; each other item is in one form. Ignored with one
        form.
    attempts : float, default 0.08
        Share of learners who sit the test again after an attempt; at most three attempts. Ability
        grows by 0.2 and speed by 0.05 per attempt.
    groups : mapping of str to float
        Groups of learners, equally likely, and the means of their abilities (impact). Abilities
        are normal within groups, with mean 0 and SD 1 over all groups. The group is stored as
        session metadata: ``include="group"`` in a query gives the column ``metadata.group``.
    dif : float, default 0.6
        Size of differential item functioning [logits]: alternately added to and subtracted from
        the difficulty of an item in the last group.
    dif_items : float, default 0.1
        Share of the items with DIF.
    question_types : mapping of str to float
        Shares of question types among the questions that are not essays: "mcq", "mcq_multiple"
        (multiple responses), "clozedropdown", "choicematrix", "association", "orderlist",
        "shorttext", "formulaV2". Several have partial credit.
    essays : float, default 0.05
        Share of the items that are essays (longtextV2), marked by hand from 0 to 4.
    testlets : float, default 0.1
        Share of the other items with two or three questions, which are locally dependent; their
        scoring types alternate between per-question, dichotomous and dependent.
    guessing : float, default 0.8
        Lower asymptote of closed questions of one point, as a share of the probability of a right
        answer by chance: 0 gives the two-parameter model.
    speed_sd : float, default 0.3
        SD of speed, tau of the lognormal model [ln s].
    speed_correlation : float, default 0.3
        Correlation of speed with ability.
    rapid_guessers : float, default 0.06
        Share of learners who guess rapidly (0.5 to 3 s per item, at chance) from some item on,
        after the first 30 % of the test.
    omit : float, default 0.02
        Share of the questions omitted, at average ability and difficulty.
    not_reached : float, default 0.05
        Share of the sessions that run out of time: sets the time limit, in whole minutes from half
        an hour on. The item on screen at that moment stays unanswered, with its time; later ones
        are not reached, and have no time.
    time_limit : int, optional
        Time limit [s], instead of `not_reached`. Pauses do not count.
    pauses : float, default 0.12
        Share of the sessions that are saved and resumed, after minutes or on a later day.
    incomplete : float, default 0.04
        Share of the sessions that are abandoned and never submitted. Half of them already have
        automatic scores.
    discarded : float, default 0.02
        Share of the sessions that an administrator discards; half of them had been submitted.
    pending : float, default 0.15
        Share of the submitted sessions with an answered essay that are still Pending Scoring.
    start : str, date or datetime, default "2026-02-02T08:00Z"
        Earliest start of a session; UTC unless it has a time zone.
    days : int, default 28
        Number of days on which first attempts start, within eight hours from the time of `start`.

    Returns
    -------
    Simulation
        Records, pages, and the truth.

    Raises
    ------
    SimulationError
        An argument is of the wrong type, out of range, or conflicts with another.

    Notes
    -----
    Questions of one point follow the three-parameter logistic model (Birnbaum 1968), those of
    several the graded response model (Samejima 1969); distractors the nested logit model (Suh &
    Bolt 2010); testlets Bradlow, Wainer and Wang (1999); times the lognormal model (van der Linden
    2006), in whole seconds, at least 1; rapid guesses Wise and Kong (2005). Ability and speed do
    not depend on grade or school. Learners do not speed up when time runs short.

    100,000 sessions of 30 items are drawn in about a second; writing their records takes some 20
    seconds.

    References
    ----------
    Birnbaum, A. (1968). Some latent trait models. In F. M. Lord & M. R. Novick, Statistical
    theories of mental test scores. Addison-Wesley.

    Bradlow, E. T., Wainer, H., & Wang, X. (1999). A Bayesian random effects model for testlets.
    Psychometrika, 64, 153-168.

    Samejima, F. (1969). Estimation of latent ability using a response pattern of graded scores.
    Psychometrika Monograph Supplement, 17.

    Suh, Y., & Bolt, D. M. (2010). Nested logit models for multiple-choice item response data.
    Psychometrika, 75, 454-473.

    van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of
    Educational and Behavioral Statistics, 31, 181-204.

    Wise, S. L., & Kong, X. (2005). Response time effort: A new measure of examinee motivation in
    computer-based tests. Applied Measurement in Education, 18, 163-183.

    Examples
    --------
    >>> simulation = simulate(learners=100, items=20, seed=7)
    >>> simulation.truth["items"].loc[0, ["item_reference", "question_type"]].tolist()
    ['item-01', 'mcq']
    """
    # The fields of the settings are the arguments of this function.
    return Simulation(draw_study(SimulationSettings(**locals())))
