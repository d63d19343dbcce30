"""The general path: any model, any missing scores; a person is a posterior over the nodes.

Responses are codes (see `codes`), a missing score one of their digits, so that a person's
log-likelihood at all nodes is a sum of a few rows of tables, and expected counts are sums by code.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from types import ModuleType

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt import kernels
from lrnanalysis.measures.irt.codes import CODES, Packed
from lrnanalysis.measures.irt.evaluation import Evaluation, Moments
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.models import Layout

__all__ = ["Nodal"]

#: Persons whose posteriors are dense at a time.
_PART = 2**9

#: Numbers in the sums by pair of scores and node that may be in memory at a time.
_MOST = 2**23


class Nodal:
    """Likelihood of one group's responses, θ standard normal.

    Parameters
    ----------
    layout : Layout
        Items of any kind.
    packed : Packed
        Responses, missing scores kept.
    weights : array, shape (persons,), or None
        Persons that each row stands for.
    grid : Grid
        Nodes of θ.
    loops : module
        `kernels` or `compiled`.
    """

    def __init__(
        self,
        layout: Layout,
        packed: Packed,
        weights: FloatArray | None,
        grid: Grid,
        loops: ModuleType,
    ) -> None:
        self.layout = layout
        self.packed = packed
        self.weights = weights
        self.grid = grid
        self._loops = loops

    @property
    def persons(self) -> int:
        """Rows of responses."""
        return self.packed.persons

    @property
    def total(self) -> float:
        """Persons, by weight."""
        return float(self.persons if self.weights is None else self.weights.sum())

    def on(self, grid: Grid) -> Nodal:
        """The same on another grid."""
        return Nodal(self.layout, self.packed, self.weights, grid, self._loops)

    def sample(self, share: float, rng: np.random.Generator) -> Nodal:
        """A random share of the persons, at least 30."""
        size = min(self.persons, max(30, round(self.persons * share)))
        some = np.sort(rng.choice(self.persons, size, replace=False))
        weights = None if self.weights is None else self.weights[some]
        return Nodal(self.layout, self.packed.take(some), weights, self.grid, self._loops)

    def evaluate(self, raw: FloatArray) -> Evaluation:
        """Log-likelihood, its gradient, and expected persons by score and node."""
        tables = self._tables(raw)
        if tables is None:
            return Evaluation(-np.inf, np.zeros(self.layout.total), [])
        loglik, sums = self._loops.node_sums(
            self.packed.codes, tables, self.grid.logs, self.weights
        )
        counts = self._counts(self.packed.folded(sums))
        gradient = np.zeros(self.layout.total)
        for block, count in zip(self.layout.blocks, counts, strict=True):
            gradient[block.at] = block.gradient(raw, self.grid.points, count)
        return Evaluation(loglik, gradient, counts)

    def moments(self, raw: FloatArray) -> Moments:
        """Posterior mean and variance, and log-likelihood, of every row of responses."""
        found = np.empty((3, self.persons))
        x = self.grid.points
        for part, posterior, logs in self.posteriors(raw):
            mean = posterior @ x
            found[:, part] = mean, posterior @ x**2 - mean**2, logs
        return Moments(*found)

    def posteriors(self, raw: FloatArray) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
        """Stretches of persons with the posterior weights of their nodes, and log-likelihoods."""
        tables = self._tables(raw)
        for part in kernels.stretches(self.persons, _PART):
            yield part, *self._loops.posteriors(self.packed.codes[:, part], tables, self.grid.logs)

    def information(self, raw: FloatArray) -> FloatArray:
        """Exact observed information by Louis's identity, of the flat parameters.

        The score of a person at a node is that of the items' most frequent digits plus the
        differences of the items where the person has another one. Only pairs of such items are
        summed over the persons, node by node.
        """
        tables = self._tables(raw)
        if tables is None:
            # Outside of what the parameters may be there is no likelihood to bend.
            return np.full((self.layout.total, self.layout.total), np.nan)
        slopes = self._slopes_by_digit(raw)
        base = np.concatenate([s[d] for s, d in zip(slopes, self._frequent, strict=True)])
        place, starts = self._places()
        change = np.zeros((len(starts), int(self.layout.sizes.max()), self.grid.nodes))
        for item, rows in enumerate(place):
            differences = slopes[item] - slopes[item][self._frequent[item]]
            change[rows[rows >= 0], : differences.shape[1]] = differences[rows >= 0]
        sums, crossed, squared = self._products(tables, slopes, place, change, starts)
        weighted = np.empty_like(base)
        persons = self.packed.folded(sums)
        for item, digits in enumerate(persons):
            own = slice(self.layout.starts[item], self.layout.starts[item] + slopes[item].shape[1])
            at = slopes[item] - slopes[item][self._frequent[item]]
            weighted[own] = np.einsum("kpq,kq->pq", at, digits)
        shared = base @ weighted.T
        # Every person has one code, so the persons by node are in any one of them.
        mean_square = (base * sums[0].sum(axis=0)) @ base.T + shared + shared.T
        mean_square += crossed + crossed.T
        found = squared
        x = self.grid.points
        for block, counts in zip(self.layout.blocks, self._counts(persons), strict=True):
            # Of one item alone there are no pairs: its score is that of the digit taken.
            own_slopes = block.slopes(raw, x).reshape(len(block.items), block.at.shape[1], -1)
            heavy = own_slopes * counts.reshape(len(block.items), 1, -1)
            mean_square[block.square] = heavy @ own_slopes.transpose(0, 2, 1)
            found[block.square] += block.curvatures(raw, x, counts)
        return np.asarray(found - mean_square)

    def _products(
        self,
        tables: FloatArray,
        slopes: list[FloatArray],
        place: list[IntArray],
        change: FloatArray,
        starts: IntArray,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums over the persons: by code and node, and of products of scores.

        Returns
        -------
        (array, array, array)
            Expected persons by code and node; posterior means of products of two items'
            differences, one triangle; products of the posterior means of scores.
        """
        count, _, nodes = change.shape
        tile = max(1, min(nodes, _MOST // max(count * count, 1)))
        sums = np.zeros_like(tables)
        crossed, squared = np.zeros((2, self.layout.total, self.layout.total))
        by_code = [
            np.stack([place[item][digits[:, at]] for at, item in enumerate(items)], axis=1)
            for items, digits in zip(self.packed.members, self.packed.digits, strict=True)
        ]
        flat = np.concatenate([part.reshape(-1, nodes) for part in slopes])
        rows = np.cumsum([0] + [part.shape[0] * part.shape[1] for part in slopes])[:-1]
        for start in range(0, nodes, tile):
            some = slice(start, min(start + tile, nodes))
            pairs = np.zeros((count, count, some.stop - start))
            for part in kernels.stretches(self.persons, _PART):
                codes = self.packed.codes[:, part]
                weights = None if self.weights is None else self.weights[part]
                posterior, _ = self._loops.posteriors(codes, tables, self.grid.logs)
                if start == 0:
                    digits = self.packed.unpacked(part)
                    means = self._loops.score_means(
                        posterior, digits, flat, rows, self.layout.sizes
                    )
                    if weights is not None:
                        means *= np.sqrt(weights)[:, None]
                    squared += means.T @ means
                if weights is not None:
                    posterior *= weights[:, None]
                if start == 0:
                    self._loops.add_by_code(codes, posterior, sums)
                places = np.concatenate(
                    [own[code] for code, own in zip(codes, by_code, strict=True)], axis=1
                )
                self._loops.pair_sums(places, posterior[:, some], pairs)
            self._loops.pair_products(pairs, change[:, :, some], starts, crossed)
        return sums, crossed, squared

    @cached_property
    def _frequent(self) -> IntArray:
        """The most frequent digit of every item."""
        weights = np.ones(self.persons) if self.weights is None else self.weights
        counts = [np.bincount(code, weights, CODES) for code in self.packed.codes]
        persons = np.stack(counts).astype(np.float64)
        return np.array([int(part.argmax()) for part in self.packed.folded(persons)])

    def _tables(self, raw: FloatArray) -> FloatArray | None:
        """Log-probabilities by code and node; None where parameters are out of order."""
        values: list[FloatArray] = [np.empty(0)] * len(self.layout.steps)
        for block in self.layout.blocks:
            logs = block.logs(raw, self.grid.points)
            if not np.isfinite(logs).all():
                return None
            for item, part in zip(block.items, logs, strict=True):
                values[item] = self._with_gap(item, part)
        return self.packed.spread(values)

    def _slopes_by_digit(self, raw: FloatArray) -> list[FloatArray]:
        """Per item, the scores of its parameters, shape (digits, parameters, nodes)."""
        found: list[FloatArray] = [np.empty(0)] * len(self.layout.steps)
        for block in self.layout.blocks:
            slopes = block.slopes(raw, self.grid.points).transpose(0, 2, 1, 3)
            for item, part in zip(block.items, slopes, strict=True):
                found[item] = self._with_gap(item, part)
        return found

    def _with_gap(self, item: int, values: FloatArray) -> FloatArray:
        """Values by score to values by digit: 0 for a missing score."""
        if not self.packed.gaps[item]:
            return values
        return np.concatenate([np.zeros_like(values[:1]), values])

    def _counts(self, persons: list[FloatArray]) -> list[FloatArray]:
        """Persons by digit and node to persons by score and node, a block of items at a time."""
        return [
            np.stack([persons[item][int(self.packed.gaps[item]) :] for item in block.items])
            for block in self.layout.blocks
        ]

    def _places(self) -> tuple[list[IntArray], IntArray]:
        """Rows of the digits that are not an item's most frequent one.

        Returns
        -------
        (list of array, array)
            Per item, the row of every digit, −1 for the most frequent; per row, the place of its
            item's first parameter.
        """
        found: list[IntArray] = []
        starts: list[int] = []
        for item, digits in enumerate(self.packed.radix.tolist()):
            own: IntArray = np.full(digits, -1, dtype=np.int32)
            others = np.delete(np.arange(digits), self._frequent[item])
            own[others] = np.arange(len(starts), len(starts) + len(others))
            found.append(own)
            starts += [int(self.layout.starts[item])] * len(others)
        return found, np.array(starts, dtype=np.intp)
