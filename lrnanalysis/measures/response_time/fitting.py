"""From a matrix of times to the fitted lognormal model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, check_above
from lrnanalysis.measures._times import time_values
from lrnanalysis.measures.response_time.estimation import fit
from lrnanalysis.measures.response_time.information import standard_errors
from lrnanalysis.measures.response_time.log_times import LogTimes
from lrnanalysis.measures.response_time.model import LognormalModel
from lrnanalysis.warnings import ConvergenceWarning, DataWarning, warn

__all__ = ["lognormal"]

#: An item whose variance of ln t is a smaller share of the median item's has constant times.
_CONSTANT = 1e-3

#: Variances of the logarithms of equal times, which should be 0, are below this.
_ROUNDING = 1e-24

_FEW = "fewer than two times"
_ALIKE = "its times are all alike"


@checked
def lognormal(
    times: pd.DataFrame, *, tolerance: float = 1e-7, max_iter: int = 1_000
) -> LognormalModel:
    """Fit the lognormal response-time model.

    van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of
    Educational and Behavioral Statistics, 31(2), 181-204: ln t_ij ~ N(β_i − τ_j, 1/α_i²), here
    with τ ~ N(0, s²) and estimated by marginal maximum likelihood, which has a closed form.
    Missing times may be missing at random; they are left out, not imputed.

    An item with fewer than two times has no estimates, nor has one whose times are all alike (a
    video, a time-out, a placeholder): its variance of ln t would bound the variance of speed, so
    that all other estimates would collapse. Such items are left out, and the estimates of the
    others are those without them. "Alike" means a variance of ln t below a thousandth of the median
    item's.

    Parameters
    ----------
    times : DataFrame, persons × items
        Times, in any unit; NaN, 0, negative and infinite values are missing.
    tolerance : float, default 1e-7
        Converged when no parameter changes by more in one iteration: β in SDs of the item's ln t,
        variances on the log scale.
    max_iter : int, default 1000
        Maximum number of iterations.

    Returns
    -------
    LognormalModel
        ``items``, ``persons``, ``loglik``, ``variance``, ``reliability``; methods for residuals,
        aberrant times, total times and time limits.

    Raises
    ------
    MeasureError
        If `times` is not a matrix of numbers, or fewer than two items or two persons can be used.

    Warns
    -----
    ConvergenceWarning
        If the algorithm did not converge, a variance is estimated as 0, or the times on an item
        vary less than the persons' speed alone would make them.
    DataWarning
        If items are left out, or times are negative or infinite.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logs = 3 - rng.normal(0, 0.3, (500, 1)) + rng.normal(0, 0.5, (500, 20))
    >>> model = lognormal(pd.DataFrame(np.exp(logs)))
    >>> model.converged, round(model.variance**0.5, 1), float(model.items["alpha"].mean().round(1))
    (True, 0.3, 2.0)
    """
    check_above("tolerance", tolerance)
    values = time_values(times)
    timed = values > 0
    counts = np.count_nonzero(timed, axis=0)
    few = counts < 2
    data, present = _log_times(values, timed, ~few)
    alike = np.zeros(len(counts), dtype=bool)
    alike[~few] = _hardly_vary(data.variance)
    if alike.any():
        data, present = _log_times(values, timed, ~(few | alike))
    usable = ~(few | alike)
    reasons = np.full(len(counts), None, dtype=object)
    for what, reason in ((few, _FEW), (alike, _ALIKE)):
        reasons[what] = reason
        if what.any():
            warn(
                f"{int(what.sum())} of {len(counts)} items are left out of the model ({reason}): "
                f"{_listed(times.columns[what])}",
                DataWarning,
            )
    estimate = fit(data, tolerance=tolerance, max_iter=max_iter)
    if not estimate.converged:
        warn(
            f"the fit did not converge in {estimate.iterations} iterations: raise max_iter, and "
            "look for items with few times",
            ConvergenceWarning,
        )
    if estimate.at_bound:
        warn(
            "a variance is estimated as 0: either persons do not differ in speed, or the times "
            "on an item follow from those on the others; its standard errors are not valid",
            ConvergenceWarning,
        )
    parameters = estimate.parameters
    # Under the model Var(ln t) = s² + 1/α², and s² is the covariance of two items.
    governing = times.columns[usable][data.variance < data.mean_covariance()]
    if len(governing):
        warn(
            "times vary less than the persons' speed, by the other items, would make them: "
            f"{_listed(governing)}; the model does not hold for such an item, which lowers the "
            "variance of speed and the reliability: look at its times, or fit without it",
            ConvergenceWarning,
        )
    errors = standard_errors(data, parameters)
    speed, variance = data.posterior(parameters)
    items = pd.DataFrame(
        {
            "alpha": _put(usable, parameters.sigma2**-0.5),
            "alpha_se": _put(usable, 0.5 * parameters.sigma2**-1.5 * errors.sigma2),
            "beta": _put(usable, data.centre + parameters.beta),
            "beta_se": _put(usable, errors.beta),
            "n": counts,
            "reason": pd.array(reasons, dtype="str"),
        },
        index=times.columns,
    )
    persons = pd.DataFrame(
        {
            "speed": _put(present, speed),
            "speed_se": _put(present, np.sqrt(variance)),
            "n": np.count_nonzero(timed[:, usable], axis=1),
        },
        index=times.index,
    )
    return LognormalModel(
        items=items,
        persons=persons,
        variance=parameters.s2,
        variance_se=errors.s2,
        loglik=estimate.loglik,
        reliability=1 - float(variance.mean()) / parameters.s2,
        observations=int(data.n.sum()),
        converged=estimate.converged,
        iterations=estimate.iterations,
        se_rule=errors.rule,
        _times=times.copy(deep=False),
    )


def _log_times(
    values: FloatArray, timed: BoolArray, usable: BoolArray
) -> tuple[LogTimes, BoolArray]:
    """The log times on the usable items, and which persons have one."""
    if usable.sum() < 2:
        raise MeasureError(
            f"{int(usable.sum())} of {len(usable)} items have two times or more that differ: at "
            "least two items are needed to tell speed from noise"
        )
    present: BoolArray = np.asarray(timed[:, usable].any(axis=1))
    if present.sum() < 2:
        raise MeasureError("fewer than two persons have a time: there is no variance of speed")
    if not (present.all() and usable.all()):
        used = np.ix_(present, usable)
        values, timed = values[used], timed[used]
    return LogTimes(values, timed), present


def _hardly_vary(variance: FloatArray) -> BoolArray:
    """Which items have a variance of ln t that is 0, or next to nothing beside the others'."""
    varies = variance[variance > _ROUNDING]
    found: BoolArray = variance <= (_CONSTANT * np.median(varies) if len(varies) else _ROUNDING)
    return found


def _listed(labels: pd.Index, most: int = 5) -> str:
    return ", ".join(map(repr, labels[:most].tolist())) + (", …" if len(labels) > most else "")


def _put(where: BoolArray, values: FloatArray) -> FloatArray:
    """Values where they were estimated; NaN elsewhere."""
    result = np.full(len(where), np.nan)
    result[where] = values
    return result
