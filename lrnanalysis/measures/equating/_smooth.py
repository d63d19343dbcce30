"""Log-linear presmoothing: a polynomial for the logarithm of the frequencies.

Holland & Thayer (2000), doi:10.3102/10769986025002133. The smoothed distribution keeps as many
moments of the observed one as the polynomial has degrees.
"""

from __future__ import annotations

import numpy as np

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray

__all__ = ["smooth_pairs", "smooth_scores"]

_ITERATIONS = 200


def smooth_scores(counts: FloatArray, degree: int) -> FloatArray:
    """Smoothed frequencies with the first `degree` moments of the observed ones.

    Examples
    --------
    >>> smooth_scores(np.array([1.0, 4.0, 2.0, 3.0]), 1).round(3)
    array([1.932, 2.269, 2.666, 3.133])
    """
    if not 1 <= degree < len(counts):
        raise MeasureError(
            f"smooth is {degree}: the degree is 1 to {len(counts) - 1}, one less than the scores"
        )
    return _fit(counts, _powers(len(counts), degree))


def smooth_pairs(counts: FloatArray, degree: int) -> FloatArray:
    """The same for a table of two scores: `degree` moments of each, and their covariance."""
    rows, columns = counts.shape
    if not 1 <= degree < min(rows, columns):
        raise MeasureError(
            f"smooth is {degree}: with an anchor of {columns} scores the degree is 1 to "
            f"{min(rows, columns) - 1}"
        )
    of_rows, of_columns = _powers(rows, degree), _powers(columns, degree)
    design = np.hstack(
        [
            np.repeat(of_rows, columns, axis=0),
            np.tile(of_columns, (rows, 1)),
            np.outer(of_rows[:, 0], of_columns[:, 0]).reshape(-1, 1),
        ]
    )
    return _fit(counts.ravel(), design).reshape(counts.shape)


def _powers(size: int, degree: int) -> FloatArray:
    """Orthogonal polynomials up to a degree over evenly spaced scores."""
    grid = np.linspace(-1, 1, size)
    orthogonal, _ = np.linalg.qr(np.vander(grid, degree + 1, increasing=True))
    powers: FloatArray = orthogonal[:, 1:] * np.sqrt(size)
    return powers


def _fit(counts: FloatArray, design: FloatArray) -> FloatArray:
    """Maximum likelihood of exp(design) for multinomial counts, by Newton's method."""
    total = counts.sum()
    wanted = design.T @ counts / total
    # Half-way to the even distribution, as logarithms of empty cells do not exist.
    start = np.log(0.8 * counts + 0.2 * total / len(counts))
    slopes = np.linalg.lstsq(design, start - start.mean(), rcond=None)[0]

    def evaluate(slopes: FloatArray) -> tuple[float, FloatArray]:
        logits = design @ slopes
        shift = logits.max()
        weights = np.exp(logits - shift)
        return float(wanted @ slopes - shift - np.log(weights.sum())), weights / weights.sum()

    value, share = evaluate(slopes)
    for _ in range(_ITERATIONS):
        gradient = wanted - design.T @ share
        if np.abs(gradient).max() < 1e-11:
            return np.asarray(total * share, dtype=np.float64)
        mean = design.T @ share
        information = (design.T * share) @ design - np.outer(mean, mean)
        step = np.linalg.lstsq(information, gradient, rcond=1e-12)[0]
        for halving in range(40):
            trial = evaluate(slopes + step / 2**halving)
            if trial[0] >= value - 1e-13:
                break
        slopes = slopes + step / 2**halving
        value, share = trial
    raise MeasureError(
        "smoothing did not converge: too few persons for this degree; choose a lower one as smooth"
    )
