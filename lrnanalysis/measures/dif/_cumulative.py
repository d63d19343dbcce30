"""Logistic regression of an ordered score on a few covariates, from a table of counts.

The cumulative (proportional odds) model of McCullagh (1980),
https://www.jstor.org/stable/2984952; with two scores it is plain logistic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray

__all__ = ["CumulativeFit", "fit_cumulative"]

_ITERATIONS = 50
_TOLERANCE = 1e-11


@dataclass(frozen=True, eq=False)
class CumulativeFit:
    """A fitted model.

    Attributes
    ----------
    loglik : float
        Logarithm of the likelihood of the persons.
    coefficients, errors : array, shape (covariates,)
        Logits a unit, positive where the score rises, and their standard errors.
    converged : bool
        Whether the likelihood stopped rising.
    """

    loglik: float
    coefficients: FloatArray
    errors: FloatArray
    converged: bool


def fit_cumulative(counts: FloatArray, covariates: FloatArray) -> CumulativeFit:
    """Maximum likelihood by Fisher's scoring, with the step halved where it overshoots.

    Parameters
    ----------
    counts : array, shape (rows, scores)
        Persons per row and score; every score occurs.
    covariates : array, shape (rows, covariates)
        Values of the covariates, without an intercept.

    Returns
    -------
    CumulativeFit
        Where scores are separated, coefficients and errors grow large while the likelihood
        converges.
    """
    scores = counts.shape[1]
    of_all = counts.sum(axis=0)
    cuts = special.logit(np.cumsum(of_all)[:-1] / of_all.sum())
    # Covariates of one size keep the equations well conditioned.
    scale = np.maximum(np.abs(covariates).max(axis=0, initial=0.0), 1e-12)
    rows = covariates / scale
    parameters = np.concatenate([cuts, np.zeros(rows.shape[1])])
    loglik, gradient, information = _derivatives(parameters, counts, rows)
    converged = False
    for _ in range(_ITERATIONS):
        step = np.linalg.lstsq(information, gradient, rcond=1e-12)[0]
        if float(gradient @ step) < _TOLERANCE * (1 + abs(loglik)):
            # The likelihood is as high as its digits tell; the last step still counts for them.
            parameters = parameters + step
            converged = True
            break
        for halving in range(30):
            trial = parameters + step / 2**halving
            new = _derivatives(trial, counts, rows)
            if new[0] > loglik:
                break
        else:
            break
        parameters, (loglik, gradient, information) = trial, new
    errors = np.sqrt(np.maximum(np.diag(np.linalg.pinv(information, rcond=1e-14)), 0.0))
    return CumulativeFit(
        loglik, parameters[scores - 1 :] / scale, errors[scores - 1 :] / scale, converged
    )


def _derivatives(
    parameters: FloatArray, counts: FloatArray, rows: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, its gradient and the expected information."""
    n, scores = counts.shape
    cuts, slopes = parameters[: scores - 1], parameters[scores - 1 :]
    logits = cuts[None, :] - (rows @ slopes)[:, None]
    below = np.zeros((n, scores + 1))
    below[:, 1:-1] = special.expit(logits)
    below[:, -1] = 1.0
    # expit(-x) keeps what 1 − expit(x) loses where x is large.
    p = np.diff(below, axis=1)
    p[:, -1] = special.expit(-logits[:, -1])
    if (p <= 0).any():
        return -np.inf, np.zeros_like(parameters), np.eye(len(parameters))
    density = np.zeros((n, scores + 1))
    density[:, 1:-1] = below[:, 1:-1] * special.expit(-logits)
    # Derivative of each probability by each parameter: the two cuts around it, and the slopes.
    jacobian = np.zeros((n, scores, len(parameters)))
    for cut in range(scores - 1):
        jacobian[:, cut, cut] = density[:, cut + 1]
        jacobian[:, cut + 1, cut] = -density[:, cut + 1]
    jacobian[:, :, scores - 1 :] = -np.diff(density, axis=1)[:, :, None] * rows[:, None, :]
    loglik = float((counts * np.log(p)).sum())
    gradient = np.einsum("rc,rcp->p", counts / p, jacobian)
    weight = counts.sum(axis=1, keepdims=True) / p
    weighted = (jacobian * weight[:, :, None]).reshape(-1, len(parameters))
    return loglik, gradient, weighted.T @ jacobian.reshape(-1, len(parameters))
