"""Maximum of the marginal likelihood.

Newton's method on a sample of the persons, from a few EM steps; then steps over all persons by the
sample's information, carried from point to point (`lbfgs.carried`) and near the maximum improved
by the gradients' changes (L-BFGS; Nocedal, J. (1980). doi:10.1090/S0025-5718-1980-0572855-7); the
last step and the standard errors use the exact information of all persons. A step that lowers the
likelihood is shortened; where that does not help, the information is computed again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrnanalysis.errors import shown
from lrnanalysis.measures._checks import BoolArray, FloatArray
from lrnanalysis.measures.irt.estimation.constraints import AT_EDGE, Constraints
from lrnanalysis.measures.irt.estimation.lbfgs import Steps, carried, inverse
from lrnanalysis.measures.irt.estimation.marginal_likelihood import (
    LikelihoodValue,
    MarginalLikelihood,
)

__all__ = ["Maximum", "maximise"]

#: Most and fewest persons of the sample that the search begins with; in between, a quarter.
_SAMPLE, _LEAST = 4000, 1250

#: Expected gain of the log-likelihood at which the sample's information is computed, at which the
#: sample is of no more use, and at which the information is no longer carried along.
_NEARBY, _ROUGH, _CLOSE = 15.0, 5.0, 3.0

#: First steps after which the complete information is computed again: far off it changes much.
_ANEW = (1, 2, 4)

#: Share of the expected gain that a poor step leaves, and how many of these in a row are too many.
_POOR, _PATIENCE = 0.2, 3

#: Distance [standard errors] at which the information is computed that ends the search, for 1,000
#: persons.
_NEAR = 1e-4

#: Largest move of a parameter in one step.
_REACH = 2.0

#: Standard error [logits] beyond which the data do not determine a parameter.
_OPEN = 1000.0

#: Logit below which a guessing parameter (above which 1 − u) is as good as at its bound.
_EDGE = 7.0

_INDEFINITE = "the information is not positive definite"

#: Slope [per latent SD] at which it is looked whether the likelihood still rises, as again at every
#: doubling; the grid is fine enough for slopes up to here. A sample's slopes go half as far as is
#: plausible: it may lack a maximum that all persons have.
_STEEP, _SAMPLE_STEEP = 60.0, 15.0


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the search ended.

    Attributes
    ----------
    like : MarginalLikelihood
        The function, on the grid that was used.
    free : array, shape (free parameters,)
        The parameters.
    value : LikelihoodValue
        The likelihood there.
    information : array, shape (free parameters, free parameters)
        Exact observed information.
    at_bound : array of bool, shape (free parameters,)
        Asymptotes that reached 0 or 1 and were held there.
    distance : float
        Expected gain of the log-likelihood to the maximum, ½ g' I⁻¹ g.
    passes : int
        Evaluations over all persons.
    converged : bool
        Whether the gradient vanishes, relative to the standard errors, at a maximum.
    message : str
        The reason why not, or "converged".
    """

    like: MarginalLikelihood
    free: FloatArray
    value: LikelihoodValue
    information: FloatArray
    at_bound: BoolArray
    distance: float
    passes: int
    converged: bool
    message: str


def maximise(
    whole: MarginalLikelihood,
    start: FloatArray,
    items: pd.Index,
    groups: pd.Index,
    *,
    tolerance: float,
    max_iter: int,
    refine: bool = False,
) -> Maximum:
    """Find the maximum.

    Parameters
    ----------
    whole : MarginalLikelihood
        The function.
    start : array, shape (free parameters,)
        Where to begin.
    items, groups : Index
        Labels, for messages.
    tolerance : float
        Largest error of a parameter [its standard errors].
    max_iter : int
        Most evaluations over all persons.
    refine : bool
        Whether to double the grid while it is too coarse for some persons or slopes.
    """
    if whole.constraints.size == 0:
        value = whole.evaluate(start)
        none, held = np.zeros((0, 0)), np.zeros(0, dtype=bool)
        return Maximum(whole, start, value, none, held, 0.0, 1, True, "nothing to estimate")
    some = whole.sample(min(_SAMPLE, max(_LEAST, whole.persons // 4)))
    search = _begin(some, start)
    search.switch_to(_resolved(whole, some, search.free) if refine else whole)
    message = _ascend(search, items, groups, tolerance, max_iter, refine)
    if not search.exact:
        search.measure()
    if not message and _coarseness(search.like, search.like.steepness(search.free)) > 1:
        message = (
            f"the grid of {search.like.grid.nodes} nodes is too coarse for the slopes: "
            "give more nodes, or leave nodes out"
        )
    return Maximum(
        search.like,
        search.free,
        search.value,
        search.information,
        search.held,
        search.gain,
        search.like.evaluations,
        not message,
        message or "converged",
    )


def _begin(some: MarginalLikelihood, start: FloatArray) -> _Search:
    """The sample's maximum, roughly, and its information there."""
    search = _Search(some, start)
    for _ in range(60):
        gain = search.gain
        if not search.measured and gain < _NEARBY:
            search.measure(exact=False)
        elif (
            (search.measured and gain < _ROUGH)
            or not search.advance()
            or some.steepness(search.free).max() > _SAMPLE_STEEP
        ):
            break
    if not search.measured:
        search.measure(exact=False)
    return search


def _ascend(
    search: _Search,
    items: pd.Index,
    groups: pd.Index,
    tolerance: float,
    max_iter: int,
    refine: bool,
) -> str:
    """Go to the maximum; the reason why it was not reached, empty where it was."""
    # The more persons, the less the information changes over a standard error.
    near = _NEAR * float(np.clip((search.like.total / 1000) ** 1.5, 1, 10))
    enough, near = 0.5 * tolerance**2, 0.5 * max(near, tolerance) ** 2
    last, poor, limit = np.inf, 0, _STEEP
    while search.like.evaluations < max_iter:
        gain, slopes = search.gain, search.like.steepness(search.free)
        steepest = _steepest(search, slopes)
        if steepest.slope > limit:
            if _rises(search, steepest):
                return _no_maximum(steepest, "still rises", items, groups)
            limit = 2 * steepest.slope
        coarse = _coarseness(search.like, slopes)
        arrived = search.exact and gain < enough
        if refine and coarse > (1 if arrived else 2):
            search.switch_to(search.like.with_finer_grid())
        elif arrived and not search.measured_here and search.like.persons <= _SAMPLE:
            # Of few persons the information at the very maximum costs next to nothing.
            search.measure()
        elif arrived:
            return _undetermined(search, items, groups)
        elif not search.exact and gain < near:
            # So near that the information no longer changes: the last step is Newton's.
            search.measure()
            if not search.definite:
                return _stuck(search, _INDEFINITE, items, groups)
        else:
            poor = poor + 1 if gain > _POOR * last else 0
            last = gain
            measured_here = search.measured_here
            if not search.advance():
                if measured_here:
                    return _stuck(search, "no step raises the likelihood", items, groups)
                search.measure(exact=False)
            elif poor >= _PATIENCE:
                search.measure(exact=search.exact)
                poor = 0
    return f"stopped after {max_iter} iterations"


@dataclass(frozen=True)
class _Steepest:
    """What makes the steepest curve: the slope of an item, or the SD of a group.

    `item` is −1 for a slope that items share, `group` −1 for a slope.
    """

    slope: float
    item: int
    group: int

    def involves(self, constraints: Constraints, place: int) -> bool:
        """Whether a free parameter is one of these curves'."""
        if place >= len(constraints.names):
            return constraints.moments[place - len(constraints.names)] == (self.group, "sd")
        return self.item < 0 or constraints.names[place][0] == self.item


def _steepest(search: _Search, slopes: FloatArray) -> _Steepest:
    constraints = search.like.constraints
    sds = np.zeros(constraints.groups)
    for place, (group, name) in enumerate(constraints.moments, start=len(constraints.names)):
        if name == "sd":
            sds[group] = abs(search.free[place])
    free = np.where(constraints.free_slopes, slopes, 0.0)
    item, group = int(free.argmax()), int(sds.argmax())
    if sds[group] > _STEEP or free[item] == 0:
        return _Steepest(float(sds[group]), -1, group)
    own = any(of == item and name[0] == "a" for of, name in constraints.names)
    return _Steepest(float(free[item]), item if own else -1, -1)


def _rises(search: _Search, steepest: _Steepest) -> bool:
    """Whether the likelihood rises where the steepest curves are twice as steep.

    They are turned about where they are, the other curves being left alone.
    """
    constraints = search.like.constraints
    own = {of for of, name in constraints.names if of >= 0 and name[0] == "a"}
    alone = (0, "sd") not in constraints.moments
    power = np.zeros(constraints.size)
    for place, (of, name) in enumerate(constraints.names):
        if steepest.group < 0:
            turned = of == steepest.item if steepest.item >= 0 else of not in own
            power[place] = turned and name[0] in "adt"
        elif not alone:
            # The unit of ability grows: slopes of 1 become steeper, others stay as they are.
            power[place] = -(name[0] == "a") if of in own else name[0] in "dt"
    for place, (group, _) in enumerate(constraints.moments, start=len(constraints.names)):
        power[place] = steepest.group >= 0 and (not alone or group == steepest.group)
    like = search.like
    while 2 * steepest.slope * like.grid.step > 2 and like.grid.nodes < 2000:
        like = like.with_finer_grid()
    here, there = (like.evaluate(search.free * factor**power) for factor in (1.0, 2.0))
    return there.objective > here.objective


def _no_maximum(steepest: _Steepest, how: str, items: pd.Index, groups: pd.Index) -> str:
    """The message that the likelihood still rises, or levels off, with the steepest curves."""
    rise = f"grew to {steepest.slope:.0f} and the likelihood {how}: it has no maximum. "
    if steepest.group >= 0:
        return (
            f"the SD of the abilities of group {shown(groups[steepest.group])} {rise}The answers "
            "follow from the order of the items' difficulties, perfectly or nearly so, as in a "
            "Guttman scale: look for items that were scored from one another, or take more items "
            "and persons"
        )
    of = f"of item {shown(items[steepest.item])}" if steepest.item >= 0 else "of all items"
    return (
        f"the slope {of} {rise}"
        f"{'Leave the item out, or give' if steepest.item >= 0 else 'Give'} slopes a prior, e.g. "
        "priors={'a': ('lognormal', 0, 0.5)}"
    )


def _stuck(search: _Search, otherwise: str, items: pd.Index, groups: pd.Index) -> str:
    """The message that the search ended where there is no maximum: due to steep curves, if any."""
    steepest = _steepest(search, search.like.steepness(search.free))
    if steepest.slope > _SAMPLE_STEEP:
        return _no_maximum(steepest, "levels off", items, groups)
    return otherwise


def _undetermined(search: _Search, items: pd.Index, groups: pd.Index) -> str:
    """A message on a parameter that the data do not determine; empty where there is none.

    Where the likelihood levels off towards infinity its gradient vanishes, and so does its
    curvature: the expected gain is as small as at a maximum, but the standard error is not.
    """
    kept = np.flatnonzero(~search.held)
    covariance = inverse(search.information[np.ix_(kept, kept)])
    if covariance is None:
        return _stuck(search, _INDEFINITE, items, groups)
    errors = np.sqrt(np.diag(covariance))
    if errors.max(initial=0.0) < _OPEN:
        return ""
    place, constraints = int(kept[errors.argmax()]), search.like.constraints
    steepest = _steepest(search, search.like.steepness(search.free))
    if steepest.slope > _SAMPLE_STEEP and steepest.involves(constraints, place):
        return _no_maximum(steepest, "levels off", items, groups)
    if place < len(constraints.names):
        item, name = constraints.names[place]
        of = f"{name} of item {shown(items[item])}" if item >= 0 else f"{name} of all items"
        remedy = "Leave out what the data do not determine, or give priors"
    else:
        group, name = constraints.moments[place - len(constraints.names)]
        of = f"the {'SD' if name == 'sd' else name} of group {shown(groups[group])}"
        remedy = "Leave the group out, or give it items that it does not all get right or wrong"
    return (
        f"{of} has no maximum: the likelihood levels off, as where all persons of some kind have "
        f"the same score. {remedy}"
    )


def _resolved(
    whole: MarginalLikelihood, some: MarginalLikelihood, free: FloatArray
) -> MarginalLikelihood:
    """The likelihood on a grid that is fine enough for persons who are measured narrowly.

    The trapezoidal rule misses a person's likelihood by about exp(−2π² (SD / h)²), SD that of the
    posterior and h the distance of the nodes, and by errors of either sign over the persons.
    """
    own = whole.constraints.group_parameters(free)
    narrow = min(
        float(np.quantile(backend.moments(vector).variance, 0.01))
        for backend, vector in zip(some.backends, own, strict=True)
    )
    wanted = np.sqrt(np.log(2e4 * np.sqrt(whole.total)) / (2 * np.pi**2))
    while np.sqrt(max(narrow, 1e-4)) < wanted * whole.grid.step:
        whole = whole.with_finer_grid()
    return whole


def _coarseness(like: MarginalLikelihood, slopes: FloatArray) -> float:
    """Largest slope times the distance of the nodes.

    A logistic curve has its poles π / a off the axis, so that the trapezoidal rule errs by about
    exp(−2π² / (a h)): 3e-9 at 1, 5e-5 at 2. Slopes without a maximum need no finer grid.
    """
    return float(min(slopes.max(), _STEEP)) * like.grid.step


class _Search:
    """A point on its way to the maximum, and what is known there.

    Attributes
    ----------
    like : MarginalLikelihood
        The function.
    free : array, shape (free parameters,)
        The point.
    value : LikelihoodValue
        The function there.
    held : array of bool, shape (free parameters,)
        Asymptotes that reached 0 or 1 and are held there.
    information : array, shape (free parameters, free parameters)
        The observed information that was computed last; before any, the complete one.
    measured, measured_here, exact : bool
        Whether the observed information was computed; whether at this point; whether at one so
        close to the maximum that it is the maximum's.
    """

    def __init__(self, like: MarginalLikelihood, free: FloatArray) -> None:
        self.like = like
        self.free = free
        self.value = like.evaluate(free)
        self.held = np.zeros(len(free), dtype=bool)
        self.measured = self.measured_here = self.exact = False
        self.information = like.complete_information(free, self.value)
        self._complete: FloatArray | None = self.information
        self._total = like.total
        self._steps = Steps(self.information, self.held)
        self._taken = 0
        # Share of the complete information in the steps' metric: 0 makes Newton's steps, and 1,
        # where these overshoot, about those of EM.
        self._damping = 0.0

    @property
    def gain(self) -> float:
        """What the next step may raise the objective by: ½ g' I⁻¹ g."""
        return 0.5 * float(self._steps.step(self.value.gradient) @ self.value.gradient)

    @property
    def definite(self) -> bool:
        """Whether the information is positive definite."""
        return self._steps.definite

    def measure(self, *, exact: bool = True) -> None:
        """Compute the observed information here."""
        self.information = self.like.observed_information(self.free, self.value)
        # From the maximum on, no information is carried along.
        self._complete = None if exact else self.like.complete_information(self.free, self.value)
        self._total = self.like.total
        self._steps = Steps(self.information, self.held)
        self.measured, self.measured_here, self.exact = True, True, exact

    def switch_to(self, like: MarginalLikelihood) -> None:
        """Continue with more persons, or on another grid."""
        if like is self.like:
            return
        self.like = like
        self.value = like.evaluate(self.free)
        self.measured_here = self.exact = False
        if not self._carry():
            self._steps = Steps(self.information * (like.total / self._total), self.held)

    def advance(self) -> bool:
        """Take a step, shortened until the objective does not fall; whether there was one."""
        free, value, gain = self.free, self.value, self.gain
        step = self._limited()
        # What interpolation and rounding may take from the likelihood of a good step.
        least = value.objective - 1e-9 * abs(value.objective) - 1e-7
        for _ in range(12):
            new = self.like.evaluate(free + step)
            if new.objective >= least:
                break
            damped = self.measured and not self.exact and self._damping < 1
            if damped:
                self._damping = min(1.0, 0.1 + 3 * self._damping)
            step = self._limited() if damped and self._carry() else step / 3
        else:
            return False
        share = (new.objective - value.objective) / max(gain, 1e-300)
        if share < 0.4:
            self._damping = min(1.0, 0.05 + 2 * self._damping)
        elif share > 0.8:
            self._damping = self._damping / 4 if self._damping > 0.05 else 0.0
        self.free, self.value = free + step, new
        self.measured_here = False
        self._taken += 1
        if self._hold():
            self.exact = False
            if not self.measured:
                self._steps = Steps(
                    self.like.complete_information(self.free, self.value), self.held
                )
            elif not self._carry():
                self.measure(exact=False)
        elif not self.exact:
            if self.measured and gain > _CLOSE and self._carry():
                return True
            self._steps.learn(step, value.gradient - new.gradient)
            if not self.measured and self._taken in _ANEW:
                self._steps = Steps(
                    self.like.complete_information(self.free, self.value), self.held
                )
        return True

    def _limited(self) -> FloatArray:
        """The step from here, none of its moves too large."""
        step = np.where(self.held, 0.0, self._steps.step(self.value.gradient))
        return step * min(1.0, _REACH / max(float(np.abs(step).max()), 1e-300))

    def _carry(self) -> bool:
        """Whether steps from here could be had from the last information."""
        if self._complete is None:
            return False
        now = self.like.complete_information(self.free, self.value)
        metric = carried(self.information, self._complete, now, self.held)
        if metric is not None:
            w = self._damping
            self._steps = Steps((1 - w) * metric + w * now, self.held)
        return metric is not None

    def _hold(self) -> bool:
        """Put asymptotes that are as good as 0 or 1, and on their way there, at these bounds."""
        newly = np.zeros(len(self.free), dtype=bool)
        for place, (_, name) in enumerate(self.like.constraints.names):
            outward = -1 if name[0] == "c" else 1
            newly[place] = (
                name[0] in "cu"
                and self.free[place] * outward > _EDGE
                and self.value.gradient[place] * outward > 0
            )
        newly &= ~self.held
        if not newly.any():
            return False
        self.held = self.held | newly
        self.free = np.where(newly, np.copysign(AT_EDGE, self.free), self.free)
        self.value = self.like.evaluate(self.free)
        return True
