"""Item response models: probabilities of the scores, and their first and second derivatives.

Three kinds of curve carry all ten models. With z = a θ + d and σ the logistic function:

* ``nominal``: P(k) ∝ exp(a_k θ + d_k), a_0 = d_0 = 0. Two scores make the Rasch, 1PL and 2PL
  models; a_k = k the PCM and RSM; a_k = k a the GPCM; free a_k the NRM.
* ``graded``: P(X ≥ k) = σ(a θ + d_k), d_1 > d_2 > …, the GRM.
* ``asymptotes``: P(1) = c + (u − c) σ(a θ + d), the 3PL (without u, which is 1) and the 4PL; c and
  u enter as logits.

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

import numpy as np
from scipy import special

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt import graded

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
        a, d_1 … d_m; asymptotes a, d, logit c, and in the 4PL logit u.
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
            upper, lower = graded.bounds(p, theta)
            return np.asarray(
                special.expit(upper) * special.expit(-lower) * graded.gap(upper, lower)
            )
        c, u, s, rest = _asymptotes(p, theta)
        return np.stack([(1 - u) + (u - c) * rest, c + (u - c) * s], axis=1)

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
                z -= z.max(axis=1, keepdims=True)
                z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
                return z
            if self.kind == "graded":
                p = raw[self.at]
                z = p[:, :1, None] * theta + p[:, 1:, None]
                found = np.zeros((len(p), self.steps + 1, len(theta)))
                found[:, 1:] = np.minimum(z, 0.0) - np.log(1 + np.exp(-np.abs(z)))
                found[:, :-1] += found[:, 1:] - z
                found[:, 1:-1] += np.log(graded.inner_gaps(p))
                return found
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
            above, below = graded.slopes(p, theta)
            found = np.zeros((len(p), m + 1, m + 1, len(theta)))
            found[:, 0] = (above + below) * theta
            for k in range(m + 1):
                if k > 0:
                    found[:, k, k] = above[:, k]
                if k < m:
                    found[:, k + 1, k] = below[:, k]
            return found
        nought, one, first, _ = _asymptote_slopes(p, theta)
        return np.stack([-first / nought[:, None], first / one[:, None]], axis=2)

    def gradient(self, raw: FloatArray, theta: FloatArray, counts: FloatArray) -> FloatArray:
        """Derivatives of Σ counts · log-probability, shape (items, parameters)."""
        if self.kind != "graded":
            return np.asarray(np.einsum("ipkq,ikq->ip", self.slopes(raw, theta), counts))
        above, below = graded.slopes(raw[self.at], theta)
        upward, downward = counts * above, counts * below
        by_d = upward[:, 1:].sum(axis=2) + downward[:, :-1].sum(axis=2)
        by_a = (upward + downward).sum(axis=1) @ theta
        return np.concatenate([by_a[:, None], by_d], axis=1)

    def expected(self, raw: FloatArray, theta: FloatArray, persons: FloatArray) -> FloatArray:
        """Fisher's information of persons with known abilities, item by item.

        Parameters
        ----------
        raw : array, shape (all parameters,)
        theta : array, shape (θ,)
        persons : array, shape (items, θ)

        Returns
        -------
        array, shape (items, parameters, parameters)
        """
        counts = self.probabilities(raw, theta) * persons[:, None]
        if self.kind == "graded":
            above, below = graded.slopes(raw[self.at], theta)
            return graded.squares(
                theta, counts * above**2, counts * below**2, counts * above * below
            )
        slopes = self.slopes(raw, theta)
        heavy = slopes * counts[:, None]
        flat = (*slopes.shape[:2], -1)
        return heavy.reshape(flat) @ slopes.reshape(flat).transpose(0, 2, 1)

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
            upper, lower = graded.bounds(p, theta)
            above, below = graded.slopes(p, theta)
            with np.errstate(over="ignore"):
                uu = above**2 - above * (1 - 2 * special.expit(upper))
                vv = below**2 - below * (1 - 2 * special.expit(lower))
            return graded.squares(theta, counts * uu, counts * vv, counts * above * below)
        nought, one, first, second = _asymptote_slopes(p, theta)
        bend = counts[:, 1] / one - counts[:, 0] / nought
        square = counts[:, 1] / one**2 + counts[:, 0] / nought**2
        found = np.einsum("ipq,irq,iq->ipr", first, first, square, optimize=True)
        found -= np.einsum("iprq,iq->ipr", second, bend)
        return found

    def by_theta(
        self, raw: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """How the log-probabilities change with θ.

        Returns
        -------
        slopes : array, shape (items, scores, θ)
            Their first derivatives L'.
        information : array, shape (items, θ)
            Σ P L'² over the scores, Fisher's information.
        skewness : array, shape (items, θ)
            Σ P L' (L'² + L''), which Warm's weighted likelihood needs (his J).
        """
        p = raw[self.at]
        if self.kind == "nominal" and self.steps == 1:
            a, z = p[:, :1], p[:, :1] * theta + p[:, 1:]
            right, wrong = special.expit(z), special.expit(-z)
            information = a**2 * right * wrong
            slopes = np.stack([-a * right, a * wrong], axis=1)
            return slopes, information, a * information * (wrong - right)
        if self.kind == "nominal":
            curve = _nominal(p, theta)
            a = np.concatenate([np.zeros((len(p), 1)), p[:, : self.steps]], axis=1)[:, :, None]
            slopes = a - (a * curve).sum(axis=1, keepdims=True)
            squares = curve * slopes**2
            return slopes, squares.sum(axis=1), (squares * slopes).sum(axis=1)
        if self.kind == "graded":
            upper, lower = graded.bounds(p, theta)
            above, below = special.expit(upper), special.expit(lower)
            a = p[:, 0, None, None]
            # Of log(F(u) − F(l)) by a common shift, F logistic: no differences that cancel.
            slopes = a * (special.expit(-upper) - below)
            bends = -(a**2) * (above * special.expit(-upper) + below * special.expit(-lower))
            first = above * special.expit(-lower) * graded.gap(upper, lower) * slopes
            return slopes, (first * slopes).sum(axis=1), (first * (slopes**2 + bends)).sum(axis=1)
        a = p[:, :1]
        c, u, s, rest = _asymptotes(p, theta)
        right, wrong = c + (u - c) * s, (1 - u) + (u - c) * rest
        first = a * (u - c) * s * rest
        second = a * first * (rest - s)
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes = np.nan_to_num(np.stack([-first / wrong, first / right], axis=1))
        spread = slopes[:, 1] - slopes[:, 0]
        return slopes, first * spread, second * spread


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
        width = {"nominal": (2, 0), "graded": (1, 1), "asymptotes": (0, 3)}
        items = zip(self.models, self.kinds, self.steps.tolist(), strict=True)
        return np.array(
            [
                width[kind][0] * steps + width[kind][1] + (model == "4PL")
                for model, kind, steps in items
            ]
        )

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of curve per item."""
        return [kind_of(model, int(m)) for model, m in zip(self.models, self.steps, strict=True)]

    @cached_property
    def starts(self) -> IntArray:
        """Place of each item's first parameter."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @cached_property
    def total(self) -> int:
        """Length of the vector."""
        return int(self.sizes.sum())

    @cached_property
    def blocks(self) -> list[Block]:
        """Items that are computed together."""
        found: dict[tuple[str, int, int], list[int]] = {}
        keys = zip(self.kinds, self.steps.tolist(), self.sizes.tolist(), strict=True)
        for item, key in enumerate(keys):
            found.setdefault(key, []).append(item)
        blocks = []
        for (kind, steps, size), members in found.items():
            items = np.array(members)
            at = self.starts[items][:, None] + np.arange(size)
            blocks.append(Block(kind, steps, items, at))
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

    def steepness(self, raw: FloatArray) -> FloatArray:
        """Largest slope between adjacent scores of every item, shape (items,)."""
        found = np.zeros(len(self.steps))
        for block in self.blocks:
            slopes = raw[block.at[:, : block.steps if block.kind == "nominal" else 1]]
            found[block.items] = np.abs(np.diff(slopes, axis=1, prepend=0.0)).max(axis=1)
        return found

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
    z = _logits(p, theta)
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


def _asymptotes(
    p: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """c, u, σ and 1 − σ, the last without cancellation."""
    c = np.asarray(special.expit(p[:, 2:3]))
    u = np.asarray(special.expit(p[:, 3:4])) if p.shape[1] == 4 else np.ones_like(c)
    z = p[:, :1] * theta + p[:, 1:2]
    return c, u, np.asarray(special.expit(z)), np.asarray(special.expit(-z))


def _asymptote_slopes(
    p: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """P(0), P(1), the latter's gradient (items, parameters, θ) and its second derivatives."""
    size = p.shape[1]
    c, u, s, rest = _asymptotes(p, theta)
    one, nought = c + (u - c) * s, (1 - u) + (u - c) * rest
    slope = (u - c) * s * rest
    by_c, by_u = c * (1 - c), u * (1 - u)
    first = np.stack([slope * theta, slope, by_c * rest, by_u * s][:size], axis=1)
    second = np.zeros((len(p), size, size, len(theta)))
    bend = slope * (rest - s)
    second[:, 0, 0] = bend * theta**2
    second[:, 0, 1] = second[:, 1, 0] = bend * theta
    second[:, 1, 1] = bend
    for place, change in ((2, -by_c), (3, by_u))[: size - 2]:
        mixed = change * s * rest
        second[:, 0, place] = second[:, place, 0] = mixed * theta
        second[:, 1, place] = second[:, place, 1] = mixed
    second[:, 2, 2] = by_c * (1 - 2 * c) * rest
    if size == 4:
        second[:, 3, 3] = by_u * (1 - 2 * u) * s
    return nought, one, first, second
