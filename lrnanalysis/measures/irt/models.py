"""Item response models: probabilities of the scores, and their first and second derivatives.

Three kinds of curve carry all ten models. With z = a θ + d and σ the logistic function:

* ``nominal``: P(k) ∝ exp(a_k θ + d_k), a_0 = d_0 = 0. Two scores make the Rasch, 1PL and 2PL
  models; a_k = k the PCM and RSM; a_k = k a the GPCM; free a_k the NRM.
* ``graded``: P(X ≥ k) = σ(a θ + d_k), d_1 > d_2 > …, the GRM.
* ``asymptotes``: P(1) = c + (u − c) σ(a θ + d), the 3PL (u = 1) and the 4PL; c and u enter as
  logits.

References
----------
Rasch, G. (1960). Birnbaum, A. (1968), in Lord & Novick, Statistical theories of mental test
scores. Samejima, F. (1969). doi:10.1007/BF03372160. Bock, R. D. (1972). doi:10.1007/BF02291411.
Andrich, D. (1978). doi:10.1007/BF02293814. Masters, G. N. (1982). doi:10.1007/BF02296272.
Muraki, E. (1992). doi:10.1177/014662169201600206. Barton, M. A. & Lord, F. M. (1981).
doi:10.1002/j.2333-8504.1981.tb01255.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray, IntArray

__all__ = ["MODELS", "Block", "Layout", "kind_of"]

#: Models by the name that users type, and whether they need, allow or forbid partial credit.
MODELS = ("Rasch", "1PL", "2PL", "3PL", "4PL", "PCM", "RSM", "GPCM", "GRM", "NRM")


def kind_of(model: str, steps: int) -> str:
    """The kind of curve that carries a model for an item with scores 0 … `steps`.

    Examples
    --------
    >>> kind_of("GRM", 4), kind_of("GRM", 1), kind_of("3PL", 1)
    ('graded', 'nominal', 'asymptotes')
    """
    if model in ("3PL", "4PL"):
        return "asymptotes"
    return "graded" if model == "GRM" and steps > 1 else "nominal"


@dataclass(frozen=True, eq=False)
class Block:
    """Items of one kind with the same number of steps, and where their parameters stand.

    Attributes
    ----------
    kind : str
        "nominal", "graded" or "asymptotes".
    steps : int
        Highest score of these items.
    items : array of int, shape (items,)
        Their numbers.
    at : array of int, shape (items, parameters)
        Places of their parameters in the flat vector: nominal a_1 … a_m, d_1 … d_m; graded
        a, d_1 … d_m; asymptotes a, d, logit c, logit u.
    """

    kind: str
    steps: int
    items: IntArray
    at: IntArray

    @cached_property
    def square(self) -> tuple[IntArray, IntArray]:
        """Places of each item's own block in a matrix of all parameters."""
        return self.at[:, :, None], self.at[:, None, :]

    def probabilities(self, raw: FloatArray, theta: FloatArray) -> FloatArray:
        """Probability of every score, shape (items, steps + 1, θ)."""
        p = raw[self.at]
        if self.kind == "nominal":
            return _nominal(p, theta)
        if self.kind == "graded":
            upper, lower = _bounds(p, theta)
            return np.asarray(special.expit(upper) * special.expit(-lower) * _gap(upper, lower))
        c, u, s = _asymptotes(p, theta)
        right = c + (u - c) * s
        return np.stack([(1 - u) * s + (1 - c) * (1 - s), right], axis=1)

    def logs(self, raw: FloatArray, theta: FloatArray) -> FloatArray:
        """Logarithms of the probabilities; NaN or −∞ where parameters are out of order."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.kind == "nominal":
                if self.steps == 1:
                    p = raw[self.at]
                    z = p[:, :1] * theta + p[:, 1:]
                    nought = -np.maximum(z, 0.0) - np.log(1 + np.exp(-np.abs(z)))
                    return np.stack([nought, nought + z], axis=1)
                z = _logits(raw[self.at], theta)
                return np.asarray(z - special.logsumexp(z, axis=1, keepdims=True))
            if self.kind == "graded":
                upper, lower = _bounds(raw[self.at], theta)
                return np.asarray(
                    special.log_expit(upper)
                    + special.log_expit(-lower)
                    + np.log(_gap(upper, lower))
                )
            return np.asarray(np.log(self.probabilities(raw, theta)))

    def slopes(self, raw: FloatArray, theta: FloatArray) -> FloatArray:
        """Derivatives of the log-probabilities by the parameters.

        Returns
        -------
        array, shape (items, parameters, steps + 1, θ)
        """
        p = raw[self.at]
        m = self.steps
        if self.kind == "nominal":
            by_d = np.eye(m + 1)[1:, :, None] - _nominal(p, theta)[:, 1:, None, :]
            return np.concatenate([by_d * theta, by_d], axis=1)
        if self.kind == "graded":
            above, below = _graded_slopes(*_bounds(p, theta))
            found = np.zeros((len(p), m + 1, m + 1, len(theta)))
            found[:, 0] = (above + below) * theta
            for k in range(m + 1):
                if k > 0:
                    found[:, k, k] = above[:, k]
                if k < m:
                    found[:, k + 1, k] = below[:, k]
            return found
        one, first, _ = _asymptote_slopes(p, theta)
        one = one[:, None]
        return np.stack([-first / (1 - one), first / one], axis=2)

    def curvatures(self, raw: FloatArray, theta: FloatArray, counts: FloatArray) -> FloatArray:
        """Minus the second derivatives of Σ counts · log-probability, item by item.

        Parameters
        ----------
        raw : array, shape (all parameters,)
        theta : array, shape (θ,)
        counts : array, shape (items, steps + 1, θ)
            Expected persons per score and node.

        Returns
        -------
        array, shape (items, parameters, parameters)
        """
        p = raw[self.at]
        m = self.steps
        if self.kind == "nominal":
            persons = counts.sum(axis=1)
            upper = _nominal(p, theta)[:, 1:]
            found: FloatArray = np.empty((len(p), 2 * m, 2 * m))
            for row, power in ((0, 1), (1, 0)):
                for column, other in ((0, 1), (1, 0)):
                    weighted = persons * theta ** (power + other)
                    part = -np.einsum("ikq,ilq,iq->ikl", upper, upper, weighted, optimize=True)
                    part[:, range(m), range(m)] += np.einsum("ikq,iq->ik", upper, weighted)
                    rows = slice(row * m, (row + 1) * m)
                    found[:, rows, column * m : (column + 1) * m] = part
            return found
        if self.kind == "graded":
            return self._graded_curvatures(p, theta, counts)
        one, first, second = _asymptote_slopes(p, theta)
        nought = 1 - one
        bend = counts[:, 1] / one - counts[:, 0] / nought
        square = counts[:, 1] / one**2 + counts[:, 0] / nought**2
        found = np.einsum("ipq,irq,iq->ipr", first, first, square, optimize=True)
        found -= np.einsum("iprq,iq->ipr", second, bend)
        return found

    def _graded_curvatures(
        self, p: FloatArray, theta: FloatArray, counts: FloatArray
    ) -> FloatArray:
        m = self.steps
        upper, lower = _bounds(p, theta)
        above, below = _graded_slopes(upper, lower)
        with np.errstate(over="ignore"):
            uu = above * (1 - 2 * special.expit(upper)) - above**2
            vv = below * (1 - 2 * special.expit(lower)) - below**2
        uv = -above * below
        found = np.zeros((len(p), m + 1, m + 1))
        found[:, 0, 0] = -np.einsum("ikq,ikq,q->i", counts, uu + vv + 2 * uv, theta**2)
        along_u = -np.einsum("ikq,ikq,q->ik", counts, uu + uv, theta)
        along_v = -np.einsum("ikq,ikq,q->ik", counts, vv + uv, theta)
        sums = [-np.einsum("ikq,ikq->ik", counts, part) for part in (uu, vv, uv)]
        for k in range(1, m + 1):
            found[:, 0, k] = found[:, k, 0] = along_u[:, k] + along_v[:, k - 1]
            found[:, k, k] = sums[0][:, k] + sums[1][:, k - 1]
            if k < m:
                found[:, k, k + 1] = found[:, k + 1, k] = sums[2][:, k]
        return found

    def by_theta(self, raw: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """First and second derivatives of the probabilities by θ, shape (items, scores, θ)."""
        p = raw[self.at]
        if self.kind == "nominal":
            a = np.concatenate([np.zeros((len(p), 1)), p[:, : self.steps]], axis=1)[:, :, None]
            curve = _nominal(p, theta)
            mean = (a * curve).sum(axis=1, keepdims=True)
            variance = (a**2 * curve).sum(axis=1, keepdims=True) - mean**2
            return curve * (a - mean), curve * ((a - mean) ** 2 - variance)
        a = p[:, 0, None, None]
        if self.kind == "graded":
            edge = special.expit(p[:, 1:, None] + a * theta)
            slope = edge * (1 - edge)
            bend = slope * (1 - 2 * edge)
            return a * _steps(slope), a**2 * _steps(bend)
        c, u, s = _asymptotes(p, theta)
        slope = p[:, :1] * (u - c) * s * (1 - s)
        bend = p[:, :1] * slope * (1 - 2 * s)
        return np.stack([-slope, slope], axis=1), np.stack([-bend, bend], axis=1)


@dataclass(frozen=True, eq=False)
class Layout:
    """All items' parameters in one flat vector.

    Attributes
    ----------
    models : tuple of str
        Model per item.
    steps : array of int, shape (items,)
        Highest score per item.
    """

    models: tuple[str, ...]
    steps: IntArray

    @cached_property
    def sizes(self) -> IntArray:
        """Parameters per item."""
        width = {"nominal": (2, 0), "graded": (1, 1), "asymptotes": (0, 4)}
        pairs = zip((width[kind] for kind in self.kinds), self.steps, strict=True)
        return np.array([each * int(steps) + fixed for (each, fixed), steps in pairs])

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of curve per item."""
        return [kind_of(model, int(m)) for model, m in zip(self.models, self.steps, strict=True)]

    @cached_property
    def starts(self) -> IntArray:
        """Place of each item's first parameter."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @property
    def total(self) -> int:
        """Length of the vector."""
        return int(self.sizes.sum())

    @cached_property
    def blocks(self) -> list[Block]:
        """Items that are computed together."""
        found: dict[tuple[Any, int], list[int]] = {}
        for item, key in enumerate(zip(self.kinds, self.steps.tolist(), strict=True)):
            found.setdefault(key, []).append(item)
        blocks = []
        for (kind, steps), members in found.items():
            items = np.array(members)
            at = self.starts[items][:, None] + np.arange(self.sizes[items[0]])
            blocks.append(Block(kind, int(steps), items, at))
        return blocks

    @cached_property
    def slope_at(self) -> IntArray:
        """Per parameter, the slope that an intercept goes with; −1 for other parameters."""
        found = np.full(self.total, -1)
        for item, kind in enumerate(self.kinds):
            first, m = int(self.starts[item]), int(self.steps[item])
            if kind == "nominal":
                found[first + m : first + 2 * m] = np.arange(first, first + m)
            elif kind == "graded":
                found[first + 1 : first + 1 + m] = first
            else:
                found[first + 1] = first
        return found

    @cached_property
    def slopes(self) -> IntArray:
        """Places of the slopes."""
        return np.unique(self.slope_at[self.slope_at >= 0])

    @property
    def one_scalar(self) -> bool:
        """Whether a person's likelihood depends on θ through one sum of slopes."""
        return all(kind == "nominal" for kind in self.kinds)

    @property
    def columns(self) -> int:
        """Most parameters of any item's vector, scores included: width of padded tables."""
        return int(self.steps.max()) + 1

    def probabilities(self, raw: FloatArray, theta: FloatArray) -> FloatArray:
        """Probability of every score of every item.

        Returns
        -------
        array, shape (items, highest score of all + 1, θ)
            0 for scores that an item does not have.
        """
        found = np.zeros((len(self.steps), self.columns, len(theta)))
        for block in self.blocks:
            found[block.items, : block.steps + 1] = block.probabilities(raw, theta)
        return found

    def logs(self, raw: FloatArray, theta: FloatArray) -> FloatArray:
        """Log-probabilities, in the shape of `probabilities`; −∞ for scores that do not exist."""
        found = np.full((len(self.steps), self.columns, len(theta)), -np.inf)
        for block in self.blocks:
            found[block.items, : block.steps + 1] = block.logs(raw, theta)
        return found

    def by_theta(self, raw: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the probabilities by θ, in the shape of `probabilities`."""
        first = np.zeros((len(self.steps), self.columns, len(theta)))
        second = np.zeros_like(first)
        for block in self.blocks:
            one, two = block.by_theta(raw, theta)
            first[block.items, : block.steps + 1] = one
            second[block.items, : block.steps + 1] = two
        return first, second


def _logits(p: FloatArray, theta: FloatArray) -> FloatArray:
    """a_k θ + d_k, the first 0, shape (items, scores, θ)."""
    m = p.shape[1] // 2
    z = np.zeros((len(p), m + 1, len(theta)))
    z[:, 1:] = p[:, :m, None] * theta + p[:, m:, None]
    return z


def _nominal(p: FloatArray, theta: FloatArray) -> FloatArray:
    if p.shape[1] == 2:
        right = special.expit(p[:, :1] * theta + p[:, 1:])
        return np.stack([1 - right, right], axis=1)
    return np.asarray(special.softmax(_logits(p, theta), axis=1))


def _bounds(p: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Logits of P(X ≥ k) and of P(X ≥ k + 1) for every score k; ±∞ at the ends."""
    z = p[:, :1, None] * theta + p[:, 1:, None]
    ends = np.full((len(p), 1, len(theta)), np.inf)
    return np.concatenate([ends, z], axis=1), np.concatenate([z, -ends], axis=1)


def _gap(upper: FloatArray, lower: FloatArray) -> FloatArray:
    """1 − exp(lower − upper): what is left of P(X = k) without cancellation."""
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(lower - upper))


def _graded_slopes(upper: FloatArray, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivatives of log P(X = k) by the logits above and below; 0 at the ends."""
    gap = _gap(upper, lower)
    above = special.expit(-upper) / (special.expit(-lower) * gap)
    below = -special.expit(lower) / (special.expit(upper) * gap)
    return above, below


def _asymptotes(p: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    c, u = special.expit(p[:, 2:3]), special.expit(p[:, 3:4])
    return c, u, np.asarray(special.expit(p[:, :1] * theta + p[:, 1:2]))


def _asymptote_slopes(
    p: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(1), its gradient (items, 4, θ) and its second derivatives (items, 4, 4, θ)."""
    c, u, s = _asymptotes(p, theta)
    one = c + (u - c) * s
    slope = (u - c) * s * (1 - s)
    by_c, by_u = c * (1 - c), u * (1 - u)
    first = np.stack([slope * theta, slope, by_c * (1 - s), by_u * s], axis=1)
    second = np.zeros((len(p), 4, 4, len(theta)))
    bend = slope * (1 - 2 * s)
    second[:, 0, 0] = bend * theta**2
    second[:, 0, 1] = second[:, 1, 0] = bend * theta
    second[:, 1, 1] = bend
    for place, change in ((2, -by_c), (3, by_u)):
        mixed = change * s * (1 - s)
        second[:, 0, place] = second[:, place, 0] = mixed * theta
        second[:, 1, place] = second[:, place, 1] = mixed
    second[:, 2, 2] = by_c * (1 - 2 * c) * (1 - s)
    second[:, 3, 3] = by_u * (1 - 2 * u) * s
    return one, first, second


def _steps(edges: FloatArray) -> FloatArray:
    """Differences of boundary curves: from P(X ≥ k) to P(X = k)."""
    ends = np.zeros((len(edges), 1, edges.shape[2]))
    return np.asarray(-np.diff(edges, axis=1, prepend=ends, append=ends))
