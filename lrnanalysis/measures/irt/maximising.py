"""Maximum of the marginal likelihood.

Newton's method on a sample of the persons, from a few EM steps; then steps over all persons with
the sample's information as the metric, improved from step to step by the gradients' changes
(L-BFGS; Nocedal, J. (1980). doi:10.1090/S0025-5718-1980-0572855-7); the last step and the
standard errors use the exact information of all persons. A step that lowers the likelihood is
halved; where halving does not help, the metric is computed anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.measures.irt.likelihood import Likelihood, Value

__all__ = ["Maximum", "maximise"]

#: Persons of the sample that the search begins with.
SAMPLE = 4000

#: Expected gain of the log-likelihood at which the sample has said what it can.
_ROUGH = 0.3

#: Rounds after which the sample's metric is computed anew: far from the maximum it changes much.
_ANEW = (0, 1, 3)

#: Largest move of a parameter in one step.
_REACH = 2.0

#: Logit below which a guessing parameter (above which 1 − u) is as good as at its bound.
_EDGE = 7.0

#: Slope beyond which there is no maximum in sight.
_STEEP = 30.0


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the search ended.

    Attributes
    ----------
    like : Likelihood
        The function, on the grid that was used.
    free : array, shape (free parameters,)
        The parameters.
    value : Value
        The likelihood there.
    information : array, shape (free parameters, free parameters)
        Exact observed information.
    at_bound : array of bool, shape (free parameters,)
        Asymptotes that went to 0 or 1 and were held there.
    distance : float
        Expected gain of the log-likelihood to the maximum, ½ g' I⁻¹ g.
    passes : int
        Evaluations over all persons.
    converged : bool
        Whether the gradient vanishes, relative to the standard errors, at a maximum.
    message : str
        In words.
    """

    like: Likelihood
    free: FloatArray
    value: Value
    information: FloatArray
    at_bound: BoolArray
    distance: float
    passes: int
    converged: bool
    message: str


def maximise(
    whole: Likelihood,
    start: FloatArray,
    *,
    tolerance: float,
    max_iter: int,
    refine: bool = False,
) -> Maximum:
    """Find the maximum.

    Parameters
    ----------
    whole : Likelihood
        The function.
    start : array, shape (free parameters,)
        Where to begin.
    tolerance : float
        Largest error of a parameter [its standard errors].
    max_iter : int
        Most evaluations over all persons.
    refine : bool
        Whether to double the grid while it is too coarse for some persons.
    """
    some = whole.sample(SAMPLE)
    free, metric, held = _begin(some, start)
    if refine:
        whole = _resolved(whole, some, free)
    if whole.design.size == 0:
        value = whole.evaluate(free)
        return Maximum(whole, free, value, metric, held, 0.0, 1, True, "nothing to estimate")
    metric = metric * (whole.total / some.total)
    value = whole.evaluate(free)
    search = _Search(whole, metric, held)
    exact: FloatArray | None = None
    message, gain = "", np.inf
    while whole.evaluations < max_iter:
        step = search.step(value.gradient)
        gain = 0.5 * float(step @ value.gradient)
        if exact is not None and gain < 0.5 * tolerance**2:
            break
        if exact is None and gain < 0.5 * _near(tolerance) ** 2:
            # So near that the information no longer changes: the last step is Newton's.
            exact = whole.information(free, value)
            search = _Search(whole, exact, held)
            if not search.definite:
                exact = None
                message = "the information is not positive definite"
                break
            continue
        moved, new = _move(whole, free, value, step, held)
        if new is None:
            if search.fresh:
                message = "no step raises the likelihood"
                break
            search, exact = _Search(whole, whole.information(free, value), held), None
            continue
        if exact is None:
            search.learn(moved - free, value.gradient - new.gradient)
            if search.slow(gain):
                search = _Search(whole, whole.information(moved, new), held)
        free, value = moved, new
        newly = _edges(whole, free, value) & ~held
        if newly.any():
            held |= newly
            free = _hold(whole, free, newly)
            value = whole.evaluate(free)
            search, exact = _Search(whole, whole.information(free, value), held), None
    converged = exact is not None and gain < 0.5 * tolerance**2
    if exact is None:
        exact = whole.information(free, value)
        message = message or f"stopped after {max_iter} iterations"
    steep = np.abs(
        free[[place for place, (_, name) in enumerate(whole.design.names) if name[0] == "a"]]
    )
    if converged and len(steep) and steep.max() > _STEEP:
        converged, message = False, f"a slope grew to {steep.max():.0f}: it has no maximum"
    if converged:
        message = "converged"
    return Maximum(whole, free, value, exact, held, gain, whole.evaluations, converged, message)


def _near(tolerance: float) -> float:
    """Distance [standard errors] at which the exact information is computed."""
    return max(1e-4, tolerance)


def _begin(some: Likelihood, free: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """The sample's maximum, roughly, its information there, and asymptotes at their bounds."""
    held = np.zeros(len(free), dtype=bool)
    if some.design.size == 0:
        return free, np.zeros((0, 0)), held
    value = some.evaluate(free)
    search = _Search(some, some.complete(free, value), held)
    exact = False
    for round_ in range(60):
        step = search.step(value.gradient)
        gain = 0.5 * float(step @ value.gradient)
        if gain < _ROUGH:
            if exact:
                break
            metric = some.information(free, value)
            search, exact = _Search(some, metric, held), True
            if search.definite:
                continue
        moved, new = _move(some, free, value, step, held)
        if new is None:
            if exact:
                break
            metric = some.information(free, value)
            search, exact = _Search(some, metric, held), True
            continue
        search.learn(moved - free, value.gradient - new.gradient)
        free, value = moved, new
        newly = _edges(some, free, value) & ~held
        if newly.any():
            held = held | newly
            free = _hold(some, free, newly)
            value = some.evaluate(free)
        if newly.any() or round_ in _ANEW:
            search, exact = _Search(some, some.complete(free, value), held), False
    return free, some.information(free, value) if not exact else metric, held


def _resolved(whole: Likelihood, some: Likelihood, free: FloatArray) -> Likelihood:
    """The likelihood on a grid that is fine enough for the parameters.

    The trapezoidal rule misses a person's likelihood by about exp(−2π² (SD / h)²), SD that of the
    posterior and h the distance of the nodes, and by errors of either sign over the persons.
    """
    raw, latent = whole.design.raw(free), whole.design.latent(free)
    narrow = min(
        float(np.quantile(engine.moments(whole.design.acting(raw, *moments)).variance, 0.01))
        for engine, moments in zip(some.engines, latent, strict=True)
    )
    wanted = np.sqrt(np.log(2e4 * np.sqrt(whole.total)) / (2 * np.pi**2))
    while np.sqrt(max(narrow, 1e-4)) < wanted * whole.engines[0].grid.step:
        whole = whole.on(whole.engines[0].grid.doubled())
    return whole


def _move(
    like: Likelihood, free: FloatArray, value: Value, step: FloatArray, held: BoolArray
) -> tuple[FloatArray, Value | None]:
    """The point that a step leads to, halved until the likelihood does not fall."""
    step = np.where(held, 0.0, step)
    step = step * min(1.0, _REACH / max(float(np.abs(step).max()), 1e-300))
    # What interpolation and rounding may take from the likelihood of a good step.
    slack = 1e-9 * abs(value.objective) + 1e-7
    for _ in range(12):
        moved = free + step
        new = like.evaluate(moved)
        if new.objective >= value.objective - slack:
            return moved, new
        step = step / 3
    return free, None


def _edges(like: Likelihood, free: FloatArray, value: Value) -> BoolArray:
    """Asymptotes that are as good as 0 or 1, and still on their way there."""
    found = np.zeros(len(free), dtype=bool)
    for place, (_, name) in enumerate(like.design.names):
        if name[0] == "c":
            found[place] = free[place] < -_EDGE and value.gradient[place] < 0
        elif name[0] == "u":
            found[place] = free[place] > _EDGE and value.gradient[place] > 0
    return found


def _hold(like: Likelihood, free: FloatArray, newly: BoolArray) -> FloatArray:
    """The point with some asymptotes put on their bounds."""
    free = free.copy()
    for place in np.flatnonzero(newly):
        free[place] = -40.0 if like.design.names[place][1] == "c" else 40.0
    return free


class _Search:
    """Steps by a metric that learns from the gradients' changes."""

    _MEMORY = 12

    def __init__(self, like: Likelihood, metric: FloatArray, held: BoolArray) -> None:
        self._free = ~held
        self._solve, self.definite = _solver(metric[np.ix_(self._free, self._free)])
        self._moves: list[FloatArray] = []
        self._changes: list[FloatArray] = []
        self._last = np.inf
        self._slow = 0

    @property
    def fresh(self) -> bool:
        """Whether the metric has learnt nothing yet."""
        return not self._moves

    def step(self, gradient: FloatArray) -> FloatArray:
        """The step at a point with the gradient (two-loop recursion)."""
        q = gradient[self._free].copy()
        weights = []
        for move, change in zip(reversed(self._moves), reversed(self._changes), strict=True):
            weight = (move @ q) / (move @ change)
            q -= weight * change
            weights.append(weight)
        q = self._solve(q)
        pairs = zip(self._moves, self._changes, reversed(weights), strict=True)
        for move, change, weight in pairs:
            q += move * (weight - (change @ q) / (move @ change))
        step = np.zeros(len(gradient))
        step[self._free] = q
        return step

    def learn(self, move: FloatArray, change: FloatArray) -> None:
        """Take in a move, and by how much the gradient fell along it."""
        move, change = move[self._free], change[self._free]
        if move @ change > 1e-10 * np.linalg.norm(move) * np.linalg.norm(change):
            self._moves.append(move)
            self._changes.append(change)
            if len(self._moves) > self._MEMORY:
                del self._moves[0], self._changes[0]

    def slow(self, gain: float) -> bool:
        """Whether the expected gain has not fallen well for some steps."""
        self._slow = self._slow + 1 if gain > 0.2 * self._last else 0
        self._last = gain
        return self._slow >= 3


def _solver(metric: FloatArray) -> tuple[Callable[[FloatArray], FloatArray], bool]:
    """Solution of metric · x = g; with a metric made definite where it is not."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(metric)), 1e-300))
    scaled = metric / scale / scale[:, None]
    try:
        factor = linalg.cho_factor(scaled)
        definite = bool(np.diag(factor[0]).min() > 1e-6)
    except linalg.LinAlgError:
        definite = False
    if definite:
        return (lambda g: linalg.cho_solve(factor, g / scale) / scale), True
    values, vectors = linalg.eigh(scaled)
    values = np.maximum(np.abs(values), 1e-2)
    return (lambda g: (vectors @ ((vectors.T @ (g / scale)) / values)) / scale), False
