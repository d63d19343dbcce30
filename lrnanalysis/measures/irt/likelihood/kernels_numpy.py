"""The loops over persons, in NumPy. `kernels_numba` has the same functions, compiled.

All work on chunks of persons small enough for the processor's cache.

Interpolation is by cubics through four points (Lagrange): with u = (s − low) / step and its
fraction f, the weights of the points ⌊u⌋ − 1 … ⌊u⌋ + 2.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.data.packing import CODES, ByteArray, chunks

__all__ = [
    "NEGLIGIBLE",
    "add_by_code",
    "binned_sums",
    "code_pair_sums",
    "interpolate",
    "node_sums",
    "pair_products",
    "pair_sums",
    "pick_scores",
    "posteriors",
    "scalar_sums",
    "scalars",
]

#: Posterior weight of a node below which it does not count in sums over pairs of scores.
NEGLIGIBLE = 1e-9

#: Persons at a time where a person is one scalar.
_SCALAR_CHUNK = 2**14

#: Persons at a time where a person is a row of nodes.
_NODE_CHUNK = 2**10


def scalars(codes: ByteArray, table: FloatArray) -> FloatArray:
    """Per person, the sum of its codes' entries; `table` has the shape (codes, 256)."""
    total: FloatArray = table[0][codes[0]]
    for code, entries in zip(codes[1:], table[1:], strict=True):
        total += entries[code]
    return total


def _weights(s: FloatArray, low: float, step: float) -> tuple[IntArray, list[FloatArray]]:
    """First of the four points, and their weights."""
    u = (s - low) * (1 / step)
    first = u.astype(np.intp)
    f = u - first
    first -= 1
    g, h = f - 1, f - 2
    gh, ff = g * h, f * (f + 1)
    return first, [f * gh / -6, (f + 1) * gh / 2, ff * h / -2, ff * g / 6]


def interpolate(
    codes: ByteArray, table: FloatArray, low: float, step: float, values: FloatArray
) -> FloatArray:
    """Functions of the scalar, at every person; `values` has the shape (functions, points)."""
    found = np.empty((len(values), codes.shape[1]))
    for part in chunks(codes.shape[1], _SCALAR_CHUNK):
        first, weights = _weights(scalars(codes[:, part], table), low, step)
        for row, points in zip(found, values, strict=True):
            row[part] = sum(w * points[first + k] for k, w in enumerate(weights))
    return found


def scalar_sums(
    codes: ByteArray,
    table: FloatArray,
    low: float,
    step: float,
    values: FloatArray,
    weights: FloatArray | None,
) -> tuple[FloatArray, FloatArray]:
    """What the persons weigh at each point, and sums of a function of the scalar by code.

    Parameters
    ----------
    codes : array of uint8, shape (codes, persons)
    table : array, shape (codes, 256)
        What each code adds to the scalar.
    low, step : float
        First point, and distance of the points.
    values : array, shape (points,)
        The function at the points.
    weights : array, shape (persons,), or None
        Number of persons that each row represents.

    Returns
    -------
    (array of shape (points,), array of shape (codes, 256))
    """
    mass, sums = np.zeros(len(values)), np.zeros((len(codes), CODES))
    for part in chunks(codes.shape[1], _SCALAR_CHUNK):
        first, shares = _weights(scalars(codes[:, part], table), low, step)
        if weights is not None:
            shares = [share * weights[part] for share in shares]
        function = np.zeros(len(first))
        for k, share in enumerate(shares):
            mass[k:] += np.bincount(first, share, len(values))[: len(values) - k]
            function += share * values[first + k]
        for row, code in zip(sums, codes[:, part], strict=True):
            row += np.bincount(code, function, CODES)
    return mass, sums


def binned_sums(
    codes: ByteArray,
    table: FloatArray,
    low: float,
    step: float,
    points: int,
    weights: FloatArray | None,
) -> FloatArray:
    """What the persons of each code weigh at each point, shape (codes, 256, points)."""
    found = np.zeros((len(codes), CODES * points))
    for part in chunks(codes.shape[1], _SCALAR_CHUNK * 4):
        first, shares = _weights(scalars(codes[:, part], table), low, step)
        if weights is not None:
            shares = [share * weights[part] for share in shares]
        for row, code in zip(found, codes[:, part], strict=True):
            place = code * np.intp(points) + first
            for k, share in enumerate(shares):
                row[k:] += np.bincount(place, share, len(row))[: len(row) - k]
    return found.reshape(len(codes), CODES, points)


def code_pair_sums(codes: ByteArray, values: FloatArray, found: FloatArray) -> None:
    """Add sums of a value by every pair of codes.

    Parameters
    ----------
    codes : array of uint8, shape (codes, persons)
    values : array, shape (persons,)
    found : array, shape (pairs, 256, 256)
        The sums, changed in place; pairs are (0, 0), (0, 1), … (1, 1), (1, 2), ….
    """
    pair = 0
    for place, first in enumerate(codes):
        base = first.astype(np.intp) * CODES
        for second in codes[place:]:
            found[pair] += np.bincount(base + second, values, CODES * CODES).reshape(CODES, CODES)
            pair += 1


def node_sums(
    codes: ByteArray,
    tables: FloatArray,
    prior: FloatArray,
    weights: FloatArray | None,
) -> tuple[float, FloatArray]:
    """One E-step: the log-likelihood, and expected persons per code and node.

    Parameters
    ----------
    codes : array of uint8, shape (codes, persons)
    tables : array, shape (codes, 256, nodes)
        Log-probability of each code at each node.
    prior : array, shape (nodes,)
        Logarithm of the nodes' weights.
    weights : array, shape (persons,), or None
        Number of persons that each row represents.

    Returns
    -------
    (float, array of shape (codes, 256, nodes))
    """
    total = 0.0
    flat = tables.reshape(-1, tables.shape[2])
    found = np.zeros_like(flat)
    for part in chunks(codes.shape[1], _NODE_CHUNK):
        chosen = _chosen(codes[:, part])
        posterior, logs = _posteriors(chosen @ flat, prior)
        share = None if weights is None else weights[part]
        total += float(logs.sum() if share is None else share @ logs)
        if share is not None:
            posterior *= share[:, None]
        found += chosen.T @ posterior
    return total, found.reshape(tables.shape)


def add_by_code(codes: ByteArray, posterior: FloatArray, found: FloatArray) -> None:
    """Add expected persons per code and node to `found`, shape (codes, 256, nodes)."""
    found += (_chosen(codes).T @ posterior).reshape(found.shape)


def posteriors(
    codes: ByteArray, tables: FloatArray, prior: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Posterior weights of the nodes, shape (persons, nodes), and log-likelihoods."""
    return _posteriors(_chosen(codes) @ tables.reshape(-1, tables.shape[2]), prior)


def _chosen(codes: ByteArray) -> sparse.csr_array:
    """Which entries of the tables each person takes, as a sparse matrix of ones."""
    count, persons = codes.shape
    columns = codes.T + np.arange(0, count * CODES, CODES, dtype=np.int32)
    rows = np.arange(0, count * persons + 1, count, dtype=np.int32)
    ones = np.ones(count * persons)
    return sparse.csr_array((ones, columns.ravel(), rows), shape=(persons, count * CODES))


def _posteriors(logs: FloatArray, prior: FloatArray) -> tuple[FloatArray, FloatArray]:
    logs += prior
    most = logs.max(axis=1)
    logs -= most[:, None]
    np.exp(logs, out=logs)
    sums = logs.sum(axis=1)
    logs *= (1 / sums)[:, None]
    return logs, most + np.log(sums)


def pick_scores(
    means: FloatArray, columns: IntArray, digits: ByteArray, rows: IntArray, sizes: IntArray
) -> FloatArray:
    """Each person's derivatives by the parameters of all items, from those by digit.

    Parameters
    ----------
    means : array, shape (persons, columns)
        Posterior means of derivatives.
    columns : array of int, shape (rows,)
        Where these are: per item, per digit, one row per parameter.
    digits : array of uint8, shape (items, persons)
    rows, sizes : array of int, shape (items,)
        First row of each item, and its number of parameters.

    Returns
    -------
    array, shape (persons, parameters of all items)
    """
    found = np.empty((len(means), int(sizes.sum())))
    persons, end = np.arange(len(means))[:, None], 0
    for item, (row, size) in enumerate(zip(rows, sizes.tolist(), strict=True)):
        own = row + digits[item].astype(np.intp)[:, None] * size + np.arange(size)
        found[:, end : end + size] = means[persons, columns[own]]
        end += size
    return found


def pair_products(
    pairs: FloatArray, change: FloatArray, starts: IntArray, found: FloatArray
) -> None:
    """Add Σ pairs · change · change' over pairs of scores of two items, and nodes.

    Parameters
    ----------
    pairs : array, shape (scores, scores, nodes)
        Expected persons; only pairs with the first row below the second count.
    change : array, shape (scores, most parameters of an item, nodes)
        What each score changes in the derivatives by its item's parameters.
    starts : array of int, shape (scores,)
        Place of the first of these parameters, ascending.
    found : array, shape (all parameters, all parameters)
        The sums, changed in place; one of the two triangles.
    """
    scores, width, nodes = change.shape
    # Columns past the last parameter take the zeros of narrower items, and are cut off.
    wide = np.zeros((scores, len(found) + width))
    row, column = np.arange(scores)[:, None], starts[:, None] + np.arange(width)
    for node in range(nodes):
        wide[row, column] = change[:, :, node]
        sums = wide.T @ (np.triu(pairs[:, :, node], 1) @ wide)
        found += sums[: len(found), : len(found)]


def pair_sums(places: IntArray, posterior: FloatArray, found: FloatArray) -> None:
    """Add expected persons per pair of scores and node.

    Parameters
    ----------
    places : array of int32, shape (persons, items)
        Row of `found` for the score of each item, −1 for the score that is left out.
    posterior : array, shape (persons, nodes)
        Posterior weights, times the persons that a row represents.
    found : array, shape (scores, scores, nodes)
        The sums, changed in place; only pairs with the first row below the second count.
    """
    persons, scores = len(places), len(found)
    chosen = np.zeros((persons, scores + 1))
    chosen[np.arange(persons)[:, None], places] = 1.0
    chosen = chosen[:, :-1]
    for node in np.flatnonzero(posterior.max(axis=0) > NEGLIGIBLE):
        found[:, :, node] += (chosen * posterior[:, node, None]).T @ chosen
