"""From a matrix of times to the fitted lognormal model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, check_above, matrix_values
from lrnanalysis.measures.response_time.estimation import fit
from lrnanalysis.measures.response_time.information import standard_errors
from lrnanalysis.measures.response_time.log_times import LogTimes
from lrnanalysis.measures.response_time.model import LognormalModel
from lrnanalysis.warnings import ConvergenceWarning, warn

__all__ = ["lognormal"]


@checked
def lognormal(
    times: pd.DataFrame, *, tolerance: float = 1e-7, max_iter: int = 1_000
) -> LognormalModel:
    """Fit the lognormal response-time model.

    van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of
    Educational and Behavioral Statistics, 31(2), 181-204: ln t_ij ~ N(β_i − τ_j, 1/α_i²), here
    with τ ~ N(0, s²) and estimated by marginal maximum likelihood, which has a closed form.
    Missing times may be missing at random; they are left out, not imputed.

    Parameters
    ----------
    times : DataFrame, persons × items
        Times, in any unit; NaN, 0 and negative values are missing.
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
        If `times` is not a matrix of numbers, fewer than two items or two persons can be used, or
        no item's times vary.

    Warns
    -----
    ConvergenceWarning
        If the algorithm did not converge, or a variance is estimated as 0.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logs = 3 - rng.normal(0, 0.3, (500, 1)) + rng.normal(0, 0.5, (500, 20))
    >>> model = lognormal(pd.DataFrame(np.exp(logs)))
    >>> model.converged, round(model.variance**0.5, 1), float(model.items["alpha"].mean().round(1))
    (True, 0.3, 2.0)
    """
    check_above("tolerance", tolerance)
    values = matrix_values(times, what="times")
    timed = values > 0
    counts = np.count_nonzero(timed, axis=0)
    usable = counts > 1
    if usable.sum() < 2:
        raise MeasureError(
            f"{int(usable.sum())} of {len(counts)} items have two times or more: at least two "
            "items are needed to tell speed from noise"
        )
    per_person = np.count_nonzero(timed[:, usable], axis=1)
    present = per_person > 0
    if present.sum() < 2:
        raise MeasureError("fewer than two persons have a time: there is no variance of speed")
    if not (present.all() and usable.all()):
        used = np.ix_(present, usable)
        values, timed = values[used], timed[used]
    data = LogTimes(values, timed)
    if not (data.variance > 0).any():
        raise MeasureError("no item's times vary: there is nothing to fit")
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
    errors = standard_errors(data, parameters)
    speed, variance = data.posterior(parameters)
    items = pd.DataFrame(
        {
            "alpha": _put(usable, parameters.sigma2**-0.5),
            "alpha_se": _put(usable, 0.5 * parameters.sigma2**-1.5 * errors.sigma2),
            "beta": _put(usable, data.centre + parameters.beta),
            "beta_se": _put(usable, errors.beta),
            "n": counts,
            "reason": pd.array(
                [None if use else "fewer than two times" for use in usable], dtype="str"
            ),
        },
        index=times.columns,
    )
    persons = pd.DataFrame(
        {
            "speed": _put(present, speed),
            "speed_se": _put(present, np.sqrt(variance)),
            "n": per_person,
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


def _put(where: BoolArray, values: FloatArray) -> FloatArray:
    """Values where they were estimated; NaN elsewhere."""
    result = np.full(len(where), np.nan)
    result[where] = values
    return result
