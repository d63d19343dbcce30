"""From a matrix of times to the fitted lognormal model."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray
from lrnanalysis.measures.matrices import matrix_values
from lrnanalysis.measures.response_time.estimation import fit
from lrnanalysis.measures.response_time.information import standard_errors
from lrnanalysis.measures.response_time.logtimes import log_times
from lrnanalysis.measures.response_time.model import LognormalModel

__all__ = ["lognormal"]


def lognormal(
    times: pd.DataFrame, *, tolerance: float = 1e-7, max_iter: int = 1_000
) -> LognormalModel:
    """Fit the lognormal response-time model.

    van der Linden, W. J. (2006). A lognormal model for response times on test items. Journal of
    Educational and Behavioral Statistics, 31(2), 181-204: ln t_ij ~ N(β_i − τ_j, 1/α_i²), here
    with τ ~ N(0, s²) and maximum marginal likelihood, which is of closed form. Missing times may
    be missing at random; they are left out, not imputed.

    Parameters
    ----------
    times : DataFrame
        Persons × items, as `time_matrix` makes it; NaN, 0 and negative values are missing.
    tolerance : float, default 1e-7
        Converged where no parameter moves more in a step: β in SDs of the item's ln t, variances
        on the log scale.
    max_iter : int, default 1000
        Most rounds.

    Returns
    -------
    LognormalModel
        ``items``, ``persons``, ``loglik``, ``variance``, ``reliability``; methods for residuals,
        aberrant times, total times and limits.

    Raises
    ------
    MeasureError
        If fewer than two items or two persons can be used, or no time varies.

    Warns
    -----
    UserWarning
        If the algorithm did not converge, or a variance went to 0.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logs = 3 - rng.normal(0, 0.3, (500, 1)) + rng.normal(0, 0.5, (500, 20))
    >>> model = lognormal(pd.DataFrame(np.exp(logs)))
    >>> model.converged, round(model.variance**0.5, 1), float(model.items["alpha"].mean().round(1))
    (True, 0.3, 2.0)
    """
    values = matrix_values(times, what="times")
    there = values.T > 0
    counts = np.array([np.count_nonzero(row) for row in there])
    usable = counts > 1
    if usable.sum() < 2:
        raise MeasureError(
            f"{int(usable.sum())} of {len(counts)} items have two times or more: at least two "
            "items are needed to tell speed from noise"
        )
    used, there = (values, there) if usable.all() else (values[:, usable], there[usable])
    per_person = _column_counts(there)
    timed = per_person > 0
    if timed.sum() < 2:
        raise MeasureError("fewer than two persons have a time: there is no variance of speed")
    if not timed.all():
        used, there = used[timed], there[:, timed]
    data = log_times(used, there)
    if not (data.variance > 0).any():
        raise MeasureError("no item's times vary: there is nothing to fit")
    estimate = fit(data, tolerance=tolerance, max_iter=max_iter)
    if not estimate.converged:
        warnings.warn(
            f"no convergence after {estimate.iterations} rounds: raise max_iter, and look for "
            "items that few persons were timed on",
            stacklevel=2,
        )
    if estimate.at_bound:
        warnings.warn(
            "a variance went to 0: either persons do not differ in speed or an item's times "
            "follow from the others'; standard errors do not hold there",
            stacklevel=2,
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
        {"speed": _put(timed, speed), "speed_se": _put(timed, np.sqrt(variance)), "n": per_person},
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


def _column_counts(flags: BoolArray) -> IntArray:
    """How many flags of every column are set; bytes are added, which is quick."""
    counts = np.zeros(flags.shape[1], dtype=np.int64)
    for first in range(0, len(flags), 255):
        counts += np.add.reduce(flags[first : first + 255].view(np.uint8), axis=0, dtype=np.uint8)
    return counts


def _put(where: BoolArray, values: FloatArray) -> FloatArray:
    """Values at the places that were used; NaN elsewhere."""
    result = np.full(len(where), np.nan)
    result[where] = values
    return result
