"""The general path: any model, any missing scores; a person is a posterior over the nodes.

Responses are codes (see `codes`), a missing score one of their digits, so that a person's
log-likelihood at all nodes is a sum of a few rows of tables, and expected counts are sums by code.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt import kernels
from lrnanalysis.measures.irt.codes import Packed
from lrnanalysis.measures.irt.evaluation import Evaluation, Moments
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.models import Layout

__all__ = ["Nodal"]

#: Persons whose posteriors are dense at a time.
_PART = 2**10

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
        counts = self._counts(sums)
        gradient = np.zeros(self.layout.total)
        for block, count in zip(self.layout.blocks, counts, strict=True):
            slopes = block.slopes(raw, self.grid.points)
            gradient[block.at] = np.einsum("ipkq,ikq->ip", slopes, count)
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
        _, sums = self._loops.node_sums(self.packed.codes, tables, self.grid.logs, self.weights)
        digits = self.packed.folded(sums)
        slopes = self._slopes_by_digit(raw)
        frequent = np.array([int(part.sum(axis=1).argmax()) for part in digits])
        base = np.concatenate([s[:, d] for s, d in zip(slopes, frequent, strict=True)])
        place, count = self._places(frequent)
        change = np.zeros((count, *base.shape))
        persons = np.zeros((count, base.shape[1]))
        for item, part in enumerate(slopes):
            own = slice(self.layout.starts[item], self.layout.starts[item] + len(part))
            for digit, row in enumerate(place[item]):
                if row >= 0:
                    change[row, own] = part[:, digit] - part[:, frequent[item]]
                    persons[row] = digits[item][digit]
        change = np.ascontiguousarray(change.transpose(2, 0, 1))
        lost = self._mean_squares(raw, change, place, persons)
        weighted = np.matmul(persons.T[:, None], change)[:, 0].T
        lost += base @ weighted.T + weighted @ base.T
        # Every person has one code, so the persons by node are in any one of them.
        lost += (base * sums[0].sum(axis=0)) @ base.T
        lost -= self._squared_means(raw, tables, slopes)
        found = -lost
        for block, part in zip(self.layout.blocks, self._counts(sums), strict=True):
            found[block.square] += block.curvatures(raw, self.grid.points, part)
        return found

    def _mean_squares(
        self, raw: FloatArray, change: FloatArray, place: list[IntArray], persons: FloatArray
    ) -> FloatArray:
        """Σ over persons of the posterior mean of the squared differences of scores."""
        count, nodes = persons.shape
        tile = max(1, min(nodes, _MOST // max(count * count, 1)))
        total = np.zeros((self.layout.total, self.layout.total))
        by_code = [
            np.stack([place[item][digits[:, at]] for at, item in enumerate(items)], axis=1)
            for items, digits in zip(self.packed.members, self.packed.digits, strict=True)
        ]
        for start in range(0, nodes, tile):
            some = slice(start, min(start + tile, nodes))
            pairs = np.zeros((count, count, some.stop - start))
            for part, posterior, _ in self.posteriors(raw):
                if self.weights is not None:
                    posterior *= self.weights[part, None]
                codes = self.packed.codes[:, part]
                places = np.concatenate(
                    [rows[code] for code, rows in zip(codes, by_code, strict=True)], axis=1
                )
                self._loops.pair_sums(places, np.ascontiguousarray(posterior[:, some]), pairs)
            square = np.triu(np.ascontiguousarray(pairs.transpose(2, 0, 1)), 1)
            square += square.transpose(0, 2, 1)
            square[:, range(count), range(count)] = persons.T[some]
            moved = np.matmul(square, change[some])
            total += np.matmul(change[some].transpose(0, 2, 1), moved).sum(axis=0)
        return total

    def _squared_means(
        self, raw: FloatArray, tables: FloatArray, slopes: list[FloatArray]
    ) -> FloatArray:
        """Σ over persons of the squared posterior means of their scores."""
        total = np.zeros((self.layout.total, self.layout.total))
        flat = np.concatenate([s.reshape(-1, s.shape[2]) for s in slopes]).T.copy()
        starts = np.cumsum([0] + [s.shape[0] * s.shape[1] for s in slopes])
        for part, posterior, _ in self.posteriors(raw):
            means = posterior @ flat
            chosen = np.empty((len(posterior), self.layout.total))
            digits = self.packed.take(part).unpacked()
            rows = np.arange(len(posterior))
            for item, slope in enumerate(slopes):
                own = means[:, starts[item] : starts[item + 1]].reshape(-1, *slope.shape[:2])
                first = self.layout.starts[item]
                chosen[:, first : first + len(slope)] = own[rows, :, digits[item]]
            if self.weights is not None:
                chosen *= np.sqrt(self.weights[part, None])
            total += chosen.T @ chosen
        return total

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
        """Per item, the scores of its parameters, shape (parameters, digits, nodes)."""
        found: list[FloatArray] = [np.empty(0)] * len(self.layout.steps)
        for block in self.layout.blocks:
            for item, part in zip(block.items, block.slopes(raw, self.grid.points), strict=True):
                if self.packed.gaps[item]:
                    part = np.concatenate([np.zeros_like(part[:, :1]), part], axis=1)
                found[item] = part
        return found

    def _with_gap(self, item: int, values: FloatArray) -> FloatArray:
        """Values by score to values by digit: 0 for a missing score."""
        if not self.packed.gaps[item]:
            return values
        return np.concatenate([np.zeros_like(values[:1]), values])

    def _counts(self, sums: FloatArray) -> list[FloatArray]:
        """Sums by code to expected persons by score and node, a block of items at a time."""
        folded = self.packed.folded(sums)
        return [
            np.stack([folded[item][int(self.packed.gaps[item]) :] for item in block.items])
            for block in self.layout.blocks
        ]

    def _places(self, frequent: IntArray) -> tuple[list[IntArray], int]:
        """Per item and digit, its row among those that differ from the most frequent; −1."""
        found: list[IntArray] = []
        row = 0
        for digits, most in zip(self.packed.radix, frequent, strict=True):
            own: IntArray = np.full(int(digits), -1, dtype=np.int32)
            for digit in range(int(digits)):
                if digit != most:
                    own[digit] = row
                    row += 1
            found.append(own)
        return found, row
