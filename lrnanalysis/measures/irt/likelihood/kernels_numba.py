"""The loops over persons, compiled by numba: the same functions as in `kernels_numpy`.

Imported at the first fit, and only where numba is installed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.data.packing import CODES, ByteArray, chunks
from lrnanalysis.measures.irt.likelihood.kernels_numpy import NEGLIGIBLE

__all__ = [
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
]

_NODE_CHUNK = 2**9
_NO_WEIGHTS = np.empty(0)
#: Sums may be reordered and products fused, for vector instructions; NaN and ∞ keep their sense.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


def _optional(weights: FloatArray | None) -> FloatArray:
    return _NO_WEIGHTS if weights is None else weights


@njit(cache=True, inline="always")
def _shares(u):
    first = np.int64(u)
    f = u - first
    g = f - 1.0
    h = f - 2.0
    gh = g * h
    ff = f * (f + 1.0)
    return first - 1, f * gh / -6.0, (f + 1.0) * gh / 2.0, ff * h / -2.0, ff * g / 6.0


@njit(cache=True, fastmath=_FAST)
def _interpolate(codes, table, low, step, values, found):
    inverse = 1.0 / step
    for j in range(codes.shape[1]):
        s = 0.0
        for b in range(codes.shape[0]):
            s += table[b, codes[b, j]]
        at, w0, w1, w2, w3 = _shares((s - low) * inverse)
        for k in range(values.shape[0]):
            found[k, j] = (
                w0 * values[k, at]
                + w1 * values[k, at + 1]
                + w2 * values[k, at + 2]
                + w3 * values[k, at + 3]
            )


def interpolate(
    codes: ByteArray, table: FloatArray, low: float, step: float, values: FloatArray
) -> FloatArray:
    """See `kernels_numpy.interpolate`."""
    found = np.empty((len(values), codes.shape[1]))
    _interpolate(codes, table, low, step, values, found)
    return found


@njit(cache=True, fastmath=_FAST)
def _scalar_sums(codes, table, low, step, values, weights, mass, sums):
    inverse = 1.0 / step
    weighted = len(weights) > 0
    for j in range(codes.shape[1]):
        s = 0.0
        for b in range(codes.shape[0]):
            s += table[b, codes[b, j]]
        at, w0, w1, w2, w3 = _shares((s - low) * inverse)
        if weighted:
            w0 *= weights[j]
            w1 *= weights[j]
            w2 *= weights[j]
            w3 *= weights[j]
        mass[at] += w0
        mass[at + 1] += w1
        mass[at + 2] += w2
        mass[at + 3] += w3
        value = w0 * values[at] + w1 * values[at + 1] + w2 * values[at + 2] + w3 * values[at + 3]
        for b in range(codes.shape[0]):
            sums[b, codes[b, j]] += value


def scalar_sums(
    codes: ByteArray,
    table: FloatArray,
    low: float,
    step: float,
    values: FloatArray,
    weights: FloatArray | None,
) -> tuple[FloatArray, FloatArray]:
    """See `kernels_numpy.scalar_sums`."""
    mass, sums = np.zeros(len(values)), np.zeros((len(codes), CODES))
    _scalar_sums(codes, table, low, step, values, _optional(weights), mass, sums)
    return mass, sums


@njit(cache=True, fastmath=_FAST)
def _binned_sums(codes, table, low, step, weights, found):
    inverse = 1.0 / step
    weighted = len(weights) > 0
    for j in range(codes.shape[1]):
        s = 0.0
        for b in range(codes.shape[0]):
            s += table[b, codes[b, j]]
        at, w0, w1, w2, w3 = _shares((s - low) * inverse)
        if weighted:
            w0 *= weights[j]
            w1 *= weights[j]
            w2 *= weights[j]
            w3 *= weights[j]
        for b in range(codes.shape[0]):
            code = codes[b, j]
            found[b, code, at] += w0
            found[b, code, at + 1] += w1
            found[b, code, at + 2] += w2
            found[b, code, at + 3] += w3


def binned_sums(
    codes: ByteArray,
    table: FloatArray,
    low: float,
    step: float,
    points: int,
    weights: FloatArray | None,
) -> FloatArray:
    """See `kernels_numpy.binned_sums`."""
    found = np.zeros((len(codes), CODES, points))
    _binned_sums(codes, table, low, step, _optional(weights), found)
    return found


@njit(cache=True)
def _code_pair_sums(codes, values, found):
    pair = 0
    for first in range(codes.shape[0]):
        for second in range(first, codes.shape[0]):
            # One pair at a time: its table stays in the cache.
            sums = found[pair]
            for j in range(codes.shape[1]):
                sums[codes[first, j], codes[second, j]] += values[j]
            pair += 1


def code_pair_sums(codes: ByteArray, values: FloatArray, found: FloatArray) -> None:
    """See `kernels_numpy.code_pair_sums`."""
    _code_pair_sums(codes, values, found)


@njit(cache=True, fastmath=True)
def _largest(row):
    top = row[0]
    for q in range(1, len(row)):
        top = max(top, row[q])
    return top


@njit(cache=True, fastmath=_FAST)
def _gather(codes, tables, prior, logs, most):
    nodes = len(prior)
    count = codes.shape[0]
    for j in range(codes.shape[1]):
        for q in range(nodes):
            logs[j, q] = prior[q]
        b = 0
        # Four rows at a time: the sum is read and written less often.
        while b + 3 < count:
            c0, c1, c2, c3 = codes[b, j], codes[b + 1, j], codes[b + 2, j], codes[b + 3, j]
            for q in range(nodes):
                logs[j, q] += (tables[b, c0, q] + tables[b + 1, c1, q]) + (
                    tables[b + 2, c2, q] + tables[b + 3, c3, q]
                )
            b += 4
        while b < count:
            code = codes[b, j]
            for q in range(nodes):
                logs[j, q] += tables[b, code, q]
            b += 1
        top = _largest(logs[j])
        for q in range(nodes):
            logs[j, q] -= top
        most[j] = top


@njit(cache=True, fastmath=_FAST)
def _normalise(posterior, sums):
    for j in range(posterior.shape[0]):
        total = 0.0
        for q in range(posterior.shape[1]):
            total += posterior[j, q]
        sums[j] = total
        inverse = 1.0 / total
        for q in range(posterior.shape[1]):
            posterior[j, q] *= inverse


@njit(cache=True, fastmath=_FAST)
def _scatter(codes, posterior, weights, found):
    weighted = len(weights) > 0
    nodes = posterior.shape[1]
    for j in range(codes.shape[1]):
        row = posterior[j]
        if weighted:
            for q in range(nodes):
                row[q] *= weights[j]
        for b in range(codes.shape[0]):
            target = found[b, codes[b, j]]
            for q in range(nodes):
                target[q] += row[q]


def node_sums(
    codes: ByteArray,
    tables: FloatArray,
    prior: FloatArray,
    weights: FloatArray | None,
) -> tuple[float, FloatArray]:
    """See `kernels_numpy.node_sums`."""
    total = 0.0
    found = np.zeros_like(tables)
    for part in chunks(codes.shape[1], _NODE_CHUNK):
        some = codes[:, part]
        posterior, logs = posteriors(some, tables, prior)
        share = _NO_WEIGHTS if weights is None else weights[part]
        total += float(logs.sum() if weights is None else share @ logs)
        _scatter(some, posterior, share, found)
    return total, found


def add_by_code(codes: ByteArray, posterior: FloatArray, found: FloatArray) -> None:
    """See `kernels_numpy.add_by_code`."""
    _scatter(codes, posterior, _NO_WEIGHTS, found)


def posteriors(
    codes: ByteArray, tables: FloatArray, prior: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """See `kernels_numpy.posteriors`."""
    persons = codes.shape[1]
    logs, most, sums = np.empty((persons, len(prior))), np.empty(persons), np.empty(persons)
    _gather(codes, tables, prior, logs, most)
    # NumPy's exponential is vectorised, numba's without further libraries is not.
    np.exp(logs, out=logs)
    _normalise(logs, sums)
    return logs, most + np.log(sums)


@njit(cache=True, inline="always")
def _window(posterior, j):
    low, high = 0, posterior.shape[1]
    while low < high - 1 and posterior[j, low] < NEGLIGIBLE:
        low += 1
    while high > low + 1 and posterior[j, high - 1] < NEGLIGIBLE:
        high -= 1
    return low, high


@njit(cache=True)
def _pick(means, columns, digits, rows, sizes, found):
    for j in range(means.shape[0]):
        end = 0
        for i in range(len(rows)):
            first = rows[i] + digits[i, j] * sizes[i]
            for k in range(sizes[i]):
                found[j, end + k] = means[j, columns[first + k]]
            end += sizes[i]


def pick_scores(
    means: FloatArray, columns: IntArray, digits: ByteArray, rows: IntArray, sizes: IntArray
) -> FloatArray:
    """See `kernels_numpy.pick_scores`."""
    found = np.empty((len(means), int(sizes.sum())))
    _pick(means, columns, digits, rows, sizes, found)
    return found


@njit(cache=True, fastmath=_FAST)
def _pair_sums(places, posterior, found):
    persons, items = places.shape
    some = np.empty(items, dtype=np.int64)
    for j in range(persons):
        low, high = _window(posterior, j)
        count = 0
        for i in range(items):
            if places[j, i] >= 0:
                some[count] = places[j, i]
                count += 1
        for i in range(count):
            for k in range(i + 1, count):
                a, b = some[i], some[k]
                for q in range(low, high):
                    found[a, b, q] += posterior[j, q]


def pair_sums(places: IntArray, posterior: FloatArray, found: FloatArray) -> None:
    """See `kernels_numpy.pair_sums`."""
    _pair_sums(places, posterior, found)


@njit(cache=True, fastmath=_FAST)
def _pair_products(pairs, change, starts, found):
    scores, width, nodes = change.shape
    weighted = np.empty(nodes)
    # A score may leave some of its item's derivatives as they are.
    some = np.zeros((scores, width), dtype=np.bool_)
    for a in range(scores):
        for p in range(width):
            some[a, p] = np.any(change[a, p] != 0)
    for a in range(scores):
        for b in range(a + 1, scores):
            if starts[a] == starts[b]:
                continue
            for p in range(width):
                if not some[a, p]:
                    continue
                for q in range(nodes):
                    weighted[q] = pairs[a, b, q] * change[a, p, q]
                for r in range(width):
                    if not some[b, r]:
                        continue
                    total = 0.0
                    for q in range(nodes):
                        total += weighted[q] * change[b, r, q]
                    found[starts[a] + p, starts[b] + r] += total


def pair_products(
    pairs: FloatArray, change: FloatArray, starts: IntArray, found: FloatArray
) -> None:
    """See `kernels_numpy.pair_products`."""
    _pair_products(pairs, change, starts, found)
