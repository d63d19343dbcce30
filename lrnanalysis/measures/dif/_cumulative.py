"""Logistic regression of an ordered score on a few covariates, from a table of counts.

The cumulative (proportional odds) model of McCullagh (1980),
https://www.jstor.org/stable/2984952; with two scores it is plain logistic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse, special

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray

__all__ = ["CumulativeFit", "fit_cumulative", "independent"]

_ITERATIONS = 50
_TOLERANCE = 1e-11

#: Probabilities below this have squares too small for floating point.
_TINY = 1e-150

#: Logits beyond which scores may be separated: where they are, logits are larger at the end.
_FAR = 8.0


@dataclass(frozen=True, eq=False)
class CumulativeFit:
    """A fitted model.

    Attributes
    ----------
    loglik : float
        Logarithm of the likelihood of the persons; its supremum where scores are separated.
    coefficients, errors : array, shape (covariates,)
        Logits a unit, positive where the score rises, and their standard errors from the observed
        information. NaN for covariates that are sums of the intercept and earlier ones. Where
        scores are separated, a coefficient that goes to infinity with one sign in every way to
        the supremum is infinite, one that the supremum does not determine is NaN, both without a
        standard error; the others have their limits.
    decided : array of bool, shape (rows,)
        Rows whose scores the model predicts exactly at the supremum; none unless `separated`.
    converged : bool
        Whether the likelihood stopped rising at a finite maximum.
    separated : bool
        Whether there is none, because covariates predict some scores exactly.
    """

    loglik: float
    coefficients: FloatArray
    errors: FloatArray
    decided: BoolArray
    converged: bool
    separated: bool


def fit_cumulative(
    counts: FloatArray, covariates: FloatArray, lines: IntArray | None = None
) -> CumulativeFit:
    """Maximum likelihood by Fisher's scoring, with the step halved where it overshoots.

    Parameters
    ----------
    counts : array, shape (rows, scores)
        Persons per row and score; every row and score occurs.
    covariates : array, shape (rows, covariates)
        Values of the covariates, without an intercept.
    lines : array of int, shape (rows,), optional
        Rows with the same number have covariates on a line, in order: separation is then decided by
        the first and the last of them. By default each row has its own.

    Returns
    -------
    CumulativeFit
    """
    cuts = counts.shape[1] - 1
    kept = independent(covariates)
    # Covariates of one size keep the equations well conditioned.
    scale = np.abs(covariates[:, kept]).max(axis=0, initial=0.0)
    rows = covariates[:, kept] / scale
    parameters, loglik, converged = _maximise(counts, rows)
    known, unknown = np.eye(len(parameters)), np.empty((len(parameters), 0))
    limits = np.zeros(len(parameters))
    # While all logits are moderate, none is on its way to infinity.
    if not converged or np.abs(_logits(parameters, cuts, rows)).max() > _FAR:
        known, unknown, limits = _separation(
            counts, rows, np.arange(len(rows)) if lines is None else lines
        )
    separated = unknown.shape[1] > 0
    information = known.T @ _observed_information(parameters, counts, rows) @ known
    covariance = known @ np.linalg.pinv(information, rcond=1e-14, hermitian=True) @ known.T
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    finite = limits == 0
    coefficients, coefficient_errors = (np.full(covariates.shape[1], np.nan) for _ in range(2))
    coefficients[kept] = np.where(finite, parameters, limits)[cuts:] / scale
    coefficient_errors[kept] = np.where(finite, errors, np.nan)[cuts:] / scale
    return CumulativeFit(
        loglik,
        coefficients,
        coefficient_errors,
        _decided(counts, rows, unknown),
        converged and not separated,
        separated,
    )


def independent(covariates: FloatArray) -> list[int]:
    """Columns that are not sums of the intercept and of columns before them, as R's ``glm``."""
    # The triangle has the lengths of the columns and the angles between them.
    rows = np.column_stack([np.ones(len(covariates)), covariates])
    intercept, *columns = np.asarray(np.linalg.qr(rows, mode="r")).T
    basis = (intercept / max(float(np.linalg.norm(intercept)), 1.0))[:, None]
    kept = []
    for number, column in enumerate(columns):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > 1e-7 * float(np.linalg.norm(column)):
            kept.append(number)
            basis = np.column_stack([basis, rest / size])
    return kept


def _maximise(counts: FloatArray, rows: FloatArray) -> tuple[FloatArray, float, bool]:
    """The parameters (cuts, then slopes), their log-likelihood, and whether it stopped rising."""
    of_all = counts.sum(axis=0)
    cuts = special.logit(np.cumsum(of_all)[:-1] / of_all.sum())
    parameters = np.concatenate([cuts, np.zeros(rows.shape[1])])
    loglik, gradient, information = _derivatives(parameters, counts, rows)
    for _ in range(_ITERATIONS):
        step = np.linalg.lstsq(information, gradient, rcond=1e-12)[0]
        if float(gradient @ step) < _TOLERANCE * (1 + abs(loglik)):
            # The likelihood is as high as its digits tell; the last step still counts for them.
            return parameters + step, loglik, True
        for halving in range(30):
            trial = parameters + step / 2**halving
            new = _derivatives(trial, counts, rows)
            if new[0] > loglik:
                break
        else:
            break
        parameters, (loglik, gradient, information) = trial, new
    return parameters, loglik, False


def _logits(parameters: FloatArray, cuts: int, rows: FloatArray) -> FloatArray:
    """Logit of a score below each cut, shape (rows, cuts)."""
    result: FloatArray = parameters[None, :cuts] - (rows @ parameters[cuts:])[:, None]
    return result


def _logit_gradients(cuts: int, rows: FloatArray) -> list[FloatArray]:
    """Derivatives of the logits by the parameters, one array (rows, parameters) per cut."""
    units = np.eye(cuts)
    return [np.hstack([np.tile(unit, (len(rows), 1)), -rows]) for unit in units]


def _separation(
    counts: FloatArray, rows: FloatArray, lines: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Directions in which the likelihood rises for ever, by linear programming.

    A person's likelihood falls in no direction in which the logit of the cut above the score does
    not fall and that of the cut below does not rise, and rises for ever where one of them moves
    (Albert & Anderson 1984, doi:10.1093/biomet/71.1.1). What moves in the sum of all such
    directions is found at once, as by Konis (2007), Linear programming algorithms for detecting
    separated data in binary logistic regression models.

    Returns
    -------
    known, unknown : array, shape (parameters, directions)
        Orthogonal directions along which the likelihood has a maximum and along which it has none.
    limits : array, shape (parameters,)
        0 for a finite parameter, ±inf for one that goes there with all scores that can be
        separated, NaN for one that need not.
    """
    gradients = _logit_gradients(counts.shape[1] - 1, rows)
    moves = np.unique(
        np.vstack(
            [
                part
                for cut, gradient in enumerate(gradients)
                for part in (
                    gradient[_ends(counts[:, cut] > 0, lines)],
                    -gradient[_ends(counts[:, cut + 1] > 0, lines)],
                )
            ]
        ),
        axis=0,
    )
    m, k = moves.shape
    found = optimize.linprog(
        np.concatenate([np.zeros(k), -np.ones(m)]),
        A_ub=sparse.hstack([-moves, sparse.identity(m)], format="csc"),
        b_ub=np.zeros(m),
        bounds=[(None, None)] * k + [(0, 1)] * m,
    )
    # Directions can be stretched, so that each move is either none or at least 1.
    moving = found.x[k:] > 0.5
    # The triangle has the null space of the moves that are none, whatever their number.
    triangle = np.linalg.qr(np.vstack([moves[~moving], np.zeros((k, k))]), mode="r")
    _, sizes, axes = np.linalg.svd(triangle)
    rank = int((sizes > 1e-9 * max(sizes[0], 1.0)).sum()) if moving.any() else k
    known, unknown = axes[:rank].T, axes[rank:].T
    limits = np.zeros(k)
    for number, row in enumerate(unknown):
        if np.linalg.norm(row) > 1e-7:
            limits[number] = _limit(row, moves[moving] @ unknown)
    return known, unknown, limits


def _ends(there: BoolArray, lines: IntArray) -> IntArray:
    """The first and the last row of each line, of those that are there."""
    places = np.flatnonzero(there)
    _, first = np.unique(lines[places], return_index=True)
    _, last = np.unique(lines[places][::-1], return_index=True)
    return np.union1d(places[first], places[::-1][last])


def _decided(counts: FloatArray, rows: FloatArray, unknown: FloatArray) -> BoolArray:
    """Rows of whose scores all cuts move along directions without a maximum."""
    result = np.ones(len(rows), dtype=bool)
    for cut, gradient in enumerate(_logit_gradients(counts.shape[1] - 1, rows)):
        moves = np.linalg.norm(gradient @ unknown, axis=1) > 1e-7
        result &= moves | ((counts[:, cut] == 0) & (counts[:, cut + 1] == 0))
    return result


def _limit(row: FloatArray, moves: FloatArray) -> float:
    """Where a parameter goes: ±inf if it has one sign whenever all the moves are at least 1."""
    for sign in (1.0, -1.0):
        least = optimize.linprog(
            sign * row, A_ub=-moves, b_ub=-np.ones(len(moves)), bounds=(None, None)
        )
        if least.status == 0 and least.fun > 1e-7:
            return sign * np.inf
    return np.nan


def _derivatives(
    parameters: FloatArray, counts: FloatArray, rows: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, its gradient and the expected information."""
    n, scores = counts.shape
    logits = _logits(parameters, scores - 1, rows)
    p = _probabilities(logits)
    if (p < 0).any() or not p[counts > 0].all():
        return -np.inf, np.zeros_like(parameters), np.eye(len(parameters))
    density = np.zeros((n, scores + 1))
    density[:, 1:-1] = special.expit(logits) * special.expit(-logits)
    # Derivative of each probability by each parameter: the two cuts around it, and the slopes.
    jacobian = np.zeros((n, scores, len(parameters)))
    for cut in range(scores - 1):
        jacobian[:, cut, cut] = density[:, cut + 1]
        jacobian[:, cut + 1, cut] = -density[:, cut + 1]
    jacobian[:, :, scores - 1 :] = -np.diff(density, axis=1)[:, :, None] * rows[:, None, :]
    loglik = float(special.xlogy(counts, p).sum())
    inverse = _inverse(p)
    gradient = np.einsum("rc,rcp->p", counts * inverse, jacobian)
    weight = counts.sum(axis=1, keepdims=True) * inverse
    weighted = (jacobian * weight[:, :, None]).reshape(-1, len(parameters))
    return loglik, gradient, weighted.T @ jacobian.reshape(-1, len(parameters))


def _observed_information(
    parameters: FloatArray, counts: FloatArray, rows: FloatArray
) -> FloatArray:
    """The observed information: the negative second derivatives of the log-likelihood."""
    cuts = counts.shape[1] - 1
    logits = _logits(parameters, cuts, rows)
    below, above = special.expit(logits), special.expit(-logits)
    density = below * above
    inverse = _inverse(_probabilities(logits))
    weight = counts * inverse
    gradients = _logit_gradients(cuts, rows)
    result = np.zeros((len(parameters), len(parameters)))
    for score in range(cuts + 1):
        # Squares of the first derivatives of the score's probability, which lies between two cuts …
        slope = np.zeros((len(rows), len(parameters)))
        if score < cuts:
            slope += density[:, [score]] * gradients[score]
        if score > 0:
            slope -= density[:, [score - 1]] * gradients[score - 1]
        result += ((weight * inverse)[:, [score]] * slope).T @ slope
    bend = density * (above - below) * -np.diff(weight, axis=1)
    for cut, gradient in enumerate(gradients):
        # … less its second ones.
        result -= (bend[:, [cut]] * gradient).T @ gradient
    return result


def _probabilities(logits: FloatArray) -> FloatArray:
    """Probability of each score, shape (rows, scores); not positive where the cuts cross."""
    p = np.ones((len(logits), logits.shape[1] + 1))
    p[:, :-1] = special.expit(logits)
    p[:, 1:] *= special.expit(-logits)
    # Differences of two expit, in a form that keeps its digits where both are close to 1.
    with np.errstate(over="ignore"):
        p[:, 1:-1] *= -np.expm1(-np.diff(logits, axis=1))
    return p


def _inverse(p: FloatArray) -> FloatArray:
    """1 / p; 0 where p is too small for that, which is where nobody has the score."""
    return np.divide(1.0, p, out=np.zeros_like(p), where=p > _TINY)
