"""The general path: any model, any missing scores; a person is a posterior over the nodes.

Responses are codes (see `packing`), a missing score one of their digits, so that a person's
log-likelihood at all nodes is a sum of a few rows of tables, and expected counts are sums by code.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np

from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.irt.data.packing import CODES, ByteArray, Coding, chunks
from lrnanalysis.measures.irt.likelihood.protocol import (
    Evaluation,
    LikelihoodBackend,
    PosteriorMoments,
)

__all__ = ["QuadratureLikelihood"]

#: Persons whose posteriors are dense at a time.
_CHUNK = 2**9

#: Numbers in the sums by pair of scores and node that may be in memory at a time.
_MOST = 2**23


class QuadratureLikelihood(LikelihoodBackend):
    """Likelihood over the nodes; all persons are one form, missing scores kept in their codes."""

    path: ClassVar[str] = "nodes"

    @property
    def _codes(self) -> ByteArray:
        return self.forms[0].packed.codes

    @property
    def _coding(self) -> Coding:
        return self.forms[0].packed.coding

    @property
    def _weights(self) -> FloatArray | None:
        return self.forms[0].weights

    def evaluate(self, vector: FloatArray) -> Evaluation:
        """Log-likelihood, its gradient, and expected persons by score and node."""
        tables = self._tables(vector)
        if tables is None:
            return Evaluation(-np.inf, np.zeros(self.layout.total), [])
        loglik, sums = self.kernels.node_sums(
            self._codes, tables, self.grid.log_weights, self._weights
        )
        counts = self._counts(self._coding.by_digit(sums))
        gradient = np.zeros(self.layout.total)
        for block, count in zip(self.layout.blocks, counts, strict=True):
            gradient[block.at] = block.model.gradient(vector[block.at], self.grid.points, count)
        return Evaluation(loglik, gradient, counts)

    def moments(self, vector: FloatArray) -> PosteriorMoments:
        """Posterior mean and variance, and log-likelihood, of every row of responses."""
        found = np.empty((3, self.persons))
        x, tables = self.grid.points, self._tables(vector)
        for part in chunks(self.persons, _CHUNK):
            posterior, logs = self.kernels.posteriors(
                self._codes[:, part], tables, self.grid.log_weights
            )
            mean = posterior @ x
            found[:, part] = mean, posterior @ x**2 - mean**2, logs
        return PosteriorMoments(*found)

    def information(self, vector: FloatArray) -> FloatArray:
        """Exact observed information about the items' parameters, by Louis's identity.

        The score of a person at a node is that of the items' most frequent digits plus the
        differences of the items where the person has another one. Only pairs of such items are
        summed over the persons, node by node.
        """
        tables = self._tables(vector)
        if tables is None:
            # Outside of what the parameters may be there is no likelihood.
            return np.full((self.layout.total, self.layout.total), np.nan)
        slopes = self._slopes_by_digit(vector)
        base = np.concatenate([s[d] for s, d in zip(slopes, self._frequent, strict=True)])
        place, starts = self._places()
        change = np.zeros((len(starts), int(self.layout.sizes.max()), self.grid.nodes))
        for item, rows in enumerate(place):
            differences = slopes[item] - slopes[item][self._frequent[item]]
            change[rows[rows >= 0], : differences.shape[1]] = differences[rows >= 0]
        sums, crossed, squared = self._products(tables, slopes, place, change, starts)
        weighted = np.empty_like(base)
        persons = self._coding.by_digit(sums)
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
            p = vector[block.at]
            own_slopes = block.model.slopes(p, x).reshape(*p.shape, -1)
            heavy = own_slopes * counts.reshape(len(p), 1, -1)
            mean_square[block.square] = heavy @ own_slopes.transpose(0, 2, 1)
            found[block.square] += block.model.observed_information(p, x, counts)
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
            for items, digits in zip(self._coding.members, self._coding.digits, strict=True)
        ]
        flat = np.concatenate([part.reshape(-1, nodes) for part in slopes])
        rows = np.cumsum([0] + [part.shape[0] * part.shape[1] for part in slopes])[:-1]
        # Most derivatives are 0 throughout: these share one column of zeros.
        some_slope = flat.any(axis=1)
        columns = np.where(some_slope, np.cumsum(some_slope) - 1, np.count_nonzero(some_slope))
        by_node = np.concatenate([flat[some_slope], np.zeros((1, nodes))]).T
        for start in range(0, nodes, tile):
            some = slice(start, min(start + tile, nodes))
            pairs = np.zeros((count, count, some.stop - start))
            for part in chunks(self.persons, _CHUNK):
                codes = self._codes[:, part]
                weights = None if self._weights is None else self._weights[part]
                posterior, _ = self.kernels.posteriors(codes, tables, self.grid.log_weights)
                if start == 0:
                    digits = self.forms[0].packed.digits(part)
                    means = self.kernels.pick_scores(
                        posterior @ by_node, columns, digits, rows, self.layout.sizes
                    )
                    if weights is not None:
                        means *= np.sqrt(weights)[:, None]
                    squared += means.T @ means
                if weights is not None:
                    posterior *= weights[:, None]
                if start == 0:
                    self.kernels.add_by_code(codes, posterior, sums)
                places = np.concatenate(
                    [own[code] for code, own in zip(codes, by_code, strict=True)], axis=1
                )
                self.kernels.pair_sums(places, posterior[:, some], pairs)
            self.kernels.pair_products(pairs, change[:, :, some], starts, crossed)
        return sums, crossed, squared

    @cached_property
    def _frequent(self) -> IntArray:
        """The most frequent digit of every item."""
        weights = np.ones(self.persons) if self._weights is None else self._weights
        counts = [np.bincount(code, weights, CODES) for code in self._codes]
        persons = np.stack(counts).astype(np.float64)
        return np.array([int(part.argmax()) for part in self._coding.by_digit(persons)])

    def _tables(self, vector: FloatArray) -> FloatArray | None:
        """Log-probabilities by code and node; None where parameters are out of order."""
        values: list[FloatArray] = [np.empty(0)] * len(self.layout.steps)
        for block in self.layout.blocks:
            logs = block.model.log_probabilities(vector[block.at], self.grid.points)
            if not np.isfinite(logs).all():
                return None
            for item, part in zip(block.items, logs, strict=True):
                values[item] = self._with_gap(item, part)
        return self._coding.by_code(values)

    def _slopes_by_digit(self, vector: FloatArray) -> list[FloatArray]:
        """Per item, the scores of its parameters, shape (digits, parameters, nodes)."""
        found: list[FloatArray] = [np.empty(0)] * len(self.layout.steps)
        for block in self.layout.blocks:
            slopes = block.model.slopes(vector[block.at], self.grid.points).transpose(0, 2, 1, 3)
            for item, part in zip(block.items, slopes, strict=True):
                found[item] = self._with_gap(item, part)
        return found

    def _with_gap(self, item: int, values: FloatArray) -> FloatArray:
        """Values by score to values by digit: 0 for a missing score."""
        if not self._coding.gaps[item]:
            return values
        return np.concatenate([np.zeros_like(values[:1]), values])

    def _counts(self, persons: list[FloatArray]) -> list[FloatArray]:
        """Persons by digit and node to persons by score and node, a block of items at a time."""
        return [
            np.stack([persons[item][int(self._coding.gaps[item]) :] for item in block.items])
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
        for item, digits in enumerate(self._coding.radix.tolist()):
            own: IntArray = np.full(digits, -1, dtype=np.int32)
            others = np.delete(np.arange(digits), self._frequent[item])
            own[others] = np.arange(len(starts), len(starts) + len(others))
            found.append(own)
            starts += [int(self.layout.starts[item])] * len(others)
        return found, np.array(starts, dtype=np.intp)
