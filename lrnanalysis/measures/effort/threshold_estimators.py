"""Threshold rules: one item's threshold of rapid guesses, or the reason why there is none.

Programs differ where a rule has no threshold to give, so nothing is guessed there. A rule is a
function of one item's answers. To add one, write the function here and register it in `RULES`:
every measure, the error messages and the methods paragraph of an analysis find it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import FloatArray

__all__ = ["RULES", "ItemAnswers", "ItemThreshold", "ThresholdRule", "find_rule"]

#: One-sided 5 % point of the standard normal: "clearly above chance".
_CLEARLY = 1.6448536269514722

#: Fewer timed answers than this do not carry a mixture.
_FEWEST = 100

#: A component's SD of ln t may not fall below this: whole seconds make spikes.
_FLOOR = 0.1

_BINS = 2048


class ItemThreshold(NamedTuple):
    """A threshold [s], or NaN and the reason."""

    threshold: float
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class ItemAnswers:
    """The timed answers to one item.

    Attributes
    ----------
    times : array of float
        Times above 0 [s].
    shares : array of float or None
        Shares of the maximum (0 to 1); None where no scores are known.
    chance : float
        Probability of a correct answer by guessing; NaN where it is not given.
    """

    times: FloatArray
    shares: FloatArray | None
    chance: float


@dataclass(frozen=True, eq=False)
class ThresholdRule:
    """A rule of the registry.

    Attributes
    ----------
    find : callable
        Takes `ItemAnswers` and the number in the rule's name (NaN where it has none) and returns
        an `ItemThreshold`.
    example : str
        A valid name: the rule's key in `RULES`, with a number if it takes one.
    reference : str
        Paper of its definition, for the methods section.
    """

    find: Callable[[ItemAnswers, float], ItemThreshold]
    example: str
    reference: str = ""


def _none(reason: str) -> ItemThreshold:
    return ItemThreshold(float("nan"), reason)


def fixed(answers: ItemAnswers, seconds: float) -> ItemThreshold:
    """The same time for all items."""
    return ItemThreshold(seconds)


def normative(answers: ItemAnswers, percent: float) -> ItemThreshold:
    """Percent of the item's mean time (Wise & Ma, 2012)."""
    if not len(answers.times):
        return _none("no answer has a time")
    return ItemThreshold(float(answers.times.mean()) * percent / 100)


def median_share(answers: ItemAnswers, percent: float) -> ItemThreshold:
    """Percent of the item's median time."""
    if not len(answers.times):
        return _none("no answer has a time")
    return ItemThreshold(float(np.median(answers.times)) * percent / 100)


def cump(answers: ItemAnswers, _: float = np.nan) -> ItemThreshold:
    """Last whole second up to which the cumulative proportion correct is at most chance.

    As Guo et al. (2016) define it.

    Examples
    --------
    >>> times = np.repeat([1.0, 2.0, 3.0, 10.0], 10)
    >>> shares = np.repeat([0.0, 0.0, 1.0, 1.0], 10)
    >>> cump(ItemAnswers(times, shares, 0.25)).threshold
    2.0
    """
    times, shares, chance = answers.times, answers.shares, answers.chance
    if shares is None:
        return _none("no scores")
    if np.isnan(chance):
        return _none("no chance level given")
    marked = ~np.isnan(shares)
    times, shares = times[marked], shares[marked]
    if not len(times):
        return _none("no scored answer has a time")
    overall = float(shares.mean())
    if overall <= chance:
        return _none("accuracy is not above chance")
    spread = np.sqrt(chance * (1 - chance) / len(shares))
    if spread and (overall - chance) / spread < _CLEARLY:
        return _none("accuracy is not clearly above chance (one-sided 5 %)")
    seconds, place = np.unique(np.floor(times + 0.5), return_inverse=True)
    right = np.cumsum(np.bincount(place, weights=shares))
    below = np.flatnonzero(right <= chance * np.cumsum(np.bincount(place)) * (1 + 1e-12))
    if not len(below):
        return _none("no crossing: accuracy is above chance from the fastest answers on")
    # The proportion stays as it is until the second before the next answers come.
    return ItemThreshold(float(seconds[below[-1] + 1] - 1))


def mixture(answers: ItemAnswers, _: float = np.nan) -> ItemThreshold:
    """Where the weighted densities of two normals on ln t cross between their means.

    The mixture is that of Schnipke and Scrams (1997), the crossing that of Wise and Kong (2005);
    by maximum likelihood from several starts. No threshold unless the second component improves
    the fit (BIC), the faster one holds less than half of the answers, no component shrinks to a
    single value, and the fitted density has two peaks.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logs = np.concatenate([rng.normal(0.5, 0.3, 300), rng.normal(3.5, 0.5, 1700)])
    >>> 2 < mixture(ItemAnswers(np.exp(logs), None, np.nan)).threshold < 12
    True
    """
    times = answers.times
    if len(times) < _FEWEST:
        return _none(f"fewer than {_FEWEST} timed answers")
    logs, weights = _binned(np.log(times))
    n = weights.sum()
    mean = float(weights @ logs / n)
    variance = float(weights @ (logs - mean) ** 2 / n)
    if variance <= _FLOOR**2:
        return _none("no spread: the times are all alike")
    single = -0.5 * n * (np.log(2 * np.pi * variance) + 1)
    share, means, sds, loglik = _fit(logs, weights)
    if 2 * (loglik - single) <= 3 * np.log(n):
        return _none("no bimodality: a second component does not improve the fit (BIC)")
    if sds.min() <= _FLOOR * 1.0001:
        return _none("a component shrank to a single value")
    if share[0] >= 0.5:
        return _none("the faster component holds half of the answers or more")
    grid = np.linspace(means[0], means[1], 401)
    parts = share[:, None] * _normal(grid, means[:, None], sds[:, None])
    density = parts.sum(axis=0)
    valley = int(density[1:-1].argmin()) + 1
    if density[valley] >= min(density[0], density[-1]):
        return _none("no bimodality: the fitted density has one peak")
    crossing = _crossing(share, means, sds)
    if crossing is None:
        return _none("no crossing of the weighted densities between the means")
    return ItemThreshold(float(np.exp(crossing)))


def _binned(logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct values with their counts; means of 2,048 narrow bins where there are more."""
    values, counts = np.unique(logs, return_counts=True)
    if len(values) <= _BINS:
        return values, counts.astype(np.float64)
    edges = np.linspace(values[0], values[-1], _BINS + 1)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _BINS - 1)
    total = np.bincount(place, weights=counts, minlength=_BINS).astype(np.float64)
    sums = np.bincount(place, weights=counts * values, minlength=_BINS).astype(np.float64)
    return sums[total > 0] / total[total > 0], total[total > 0]


def _fit(logs: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Maximum likelihood of two normals: shares, means, SDs (faster first), log-likelihood.

    All starts (splits at several quantiles) take 60 EM steps side by side; the best goes on.
    """
    order = np.cumsum(weights) / weights.sum()
    posteriors = np.array([order <= split for split in (0.02, 0.05, 0.1, 0.2, 0.35, 0.5)], float)
    posteriors = np.clip(posteriors, 0.001, 0.999)
    loglik = np.full(len(posteriors), -np.inf)
    for _ in range(60):
        posteriors, loglik, state = _step(logs, weights, posteriors)
    best = int(loglik.argmax())
    posteriors, before = posteriors[best : best + 1], -np.inf
    for _ in range(2000):
        posteriors, loglik, state = _step(logs, weights, posteriors)
        if loglik[0] - before <= 1e-10 * abs(loglik[0]):
            break
        before = float(loglik[0])
    share, means, sds = (values[0] for values in state)
    first = np.argsort(means)
    return share[first], means[first], sds[first], float(loglik[0])


def _step(
    logs: FloatArray, weights: FloatArray, posteriors: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[FloatArray, FloatArray, FloatArray]]:
    """One EM step for several starts: posteriors of the first component, shape (starts, values)."""
    both = np.stack([posteriors, 1 - posteriors], axis=1)
    mass = both @ weights
    means = both @ (weights * logs) / mass
    squares = both @ (weights * logs**2) / mass - means**2
    sds = np.sqrt(np.maximum(squares, _FLOOR**2))
    share = mass / weights.sum()
    parts = share[..., None] * _normal(logs, means[..., None], sds[..., None])
    total = np.maximum(parts.sum(axis=1), np.finfo(float).tiny)
    return parts[:, 0] / total, np.log(total) @ weights, (share, means, sds)


def _normal(x: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    density: FloatArray = np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    return density


def _crossing(share: FloatArray, means: FloatArray, sds: FloatArray) -> float | None:
    """The point between the means where both weighted normals are equally dense."""
    precision = 1 / sds**2
    constant = np.log(share / sds) - 0.5 * precision * means**2
    square, linear, rest = (
        -0.5 * (precision[0] - precision[1]),
        precision[0] * means[0] - precision[1] * means[1],
        constant[0] - constant[1],
    )
    roots = np.roots([square, linear, rest])
    inside = [
        float(root.real)
        for root in roots
        if abs(root.imag) < 1e-9 and means[0] < root.real < means[1]
    ]
    return inside[0] if inside else None


#: Rules by the word in their names; "nt" takes a number: "nt10".
RULES = {
    "fixed": ThresholdRule(fixed, example="fixed3"),
    "nt": ThresholdRule(
        normative,
        example="nt10",
        reference="Wise, S. L., & Ma, L. (2012). Setting response time thresholds for a CAT item "
        "pool: the normative threshold method. NCME.",
    ),
    "median": ThresholdRule(median_share, example="median10"),
    "cump": ThresholdRule(
        cump,
        example="cump",
        reference="Guo, H., Rios, J. A., Haberman, S., Liu, O. L., Wang, J., & Paek, I. (2016). A "
        "new procedure for detection of students' rapid guessing responses using response time. "
        "Applied Measurement in Education, 29(3), 173-183.",
    ),
    "mixture": ThresholdRule(
        mixture,
        example="mixture",
        reference="Schnipke, D. L., & Scrams, D. J. (1997). Modeling item response times with a "
        "two-state mixture model. Journal of Educational Measurement, 34(3), 213-232.",
    ),
}


@checked
def find_rule(name: str) -> tuple[ThresholdRule, float]:
    """The rule of a name, and the number in the name: NaN where the rule takes none.

    Raises
    ------
    MeasureError
        No rule has such a name, or its number is 0.

    Examples
    --------
    >>> rule, number = find_rule("nt10")
    >>> rule is RULES["nt"], number
    (True, 10.0)
    """
    found = re.fullmatch(r"([a-z]+)(\d+(?:\.\d+)?)?", name)
    rule = RULES.get(found[1]) if found else None
    if found is None or rule is None or (found[2] is None) == rule.example[-1].isdigit():
        names = ", ".join(repr(one.example) for one in RULES.values())
        raise MeasureError(
            f"method is {name!r}: it must be a rule such as {names} (with any number where the "
            "name has one), a number of seconds, or thresholds by item"
        )
    return rule, float("nan") if found[2] is None else positive(float(found[2]))


def positive(number: object) -> float:
    """The number of a rule, which must be above 0."""
    if isinstance(number, bool) or not isinstance(number, int | float | np.number):
        raise MeasureError(
            f"method is {shown(number)}: it must be a rule's name, a number of seconds, or a "
            "Series or "
            "DataFrame of thresholds by item"
        )
    number = float(number)
    if not 0 < number < np.inf:
        raise MeasureError(f"the method's number is {number:g}: it must be above 0")
    return number
