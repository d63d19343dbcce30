"""Responses as bytes: the score digits of several items packed into one code.

A person's responses to some items are one number below 256 in a mixed radix (for items scored 0 or
1, eight bits), so that any sum over items becomes a few look-ups in tables of 256 entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray

__all__ = ["CODES", "ByteArray", "Coding", "PackedResponses", "chunks", "pack"]

ByteArray = npt.NDArray[np.uint8]

#: Values that a code can take.
CODES = 256


def chunks(persons: int, size: int) -> Iterator[slice]:
    """Consecutive slices of persons."""
    for start in range(0, persons, size):
        yield slice(start, min(start + size, persons))


@dataclass(frozen=True, eq=False)
class Coding:
    """How items make up codes.

    Attributes
    ----------
    members : list of array of int
        Items of each code.
    radix : array of int, shape (items,)
        Digits per item.
    gaps : array of bool, shape (items,)
        Whether an item's digit 0 is a missing score, and digit k + 1 the score k; otherwise
        digit k is the score k.
    """

    members: list[IntArray]
    radix: IntArray
    gaps: BoolArray

    @cached_property
    def digits(self) -> list[IntArray]:
        """Per code, the digits of its items: shape (256, items of the code)."""
        found = []
        for items in self.members:
            number = np.arange(CODES)[:, None]
            weight = np.concatenate([[1], np.cumprod(self.radix[items])])
            # Numbers past the last combination never occur; wrapped, they read safely.
            found.append(number % weight[-1] // weight[:-1] % self.radix[items])
        return found

    @cached_property
    def indicators(self) -> FloatArray:
        """1 where a value of a code has an item's digit, shape (codes, 256, digits of its items).

        The digits follow each other item by item; 0 past the last value and the last digit.
        """
        width = max(int(self.radix[items].sum()) for items in self.members)
        found = np.zeros((len(self.members), CODES, width))
        for indicators, items, digits in zip(found, self.members, self.digits, strict=True):
            values = np.arange(int(np.prod(self.radix[items])))[:, None]
            ends = np.cumsum(self.radix[items])
            indicators[values, ends - self.radix[items] + digits[: len(values)]] = 1.0
        return found

    @cached_property
    def places(self) -> list[tuple[int, slice]]:
        """Per item, its code, and its digits in `indicators`."""
        found = [(0, slice(0))] * len(self.radix)
        for code, items in enumerate(self.members):
            ends = np.cumsum(self.radix[items])
            for item, end in zip(items.tolist(), ends.tolist(), strict=True):
                found[item] = code, slice(end - int(self.radix[item]), end)
        return found

    @cached_property
    def columns(self) -> list[FloatArray]:
        """Per code, 1 where a value has a score above an item's lowest, shape (256, columns).

        For items without gaps; a column per score, item by item.
        """
        return [
            np.concatenate(
                [
                    1.0 * (own[:, None] == np.arange(1, self.radix[item]))
                    for own, item in zip(digits.T, items, strict=True)
                ],
                axis=1,
            )
            for digits, items in zip(self.digits, self.members, strict=True)
        ]

    def by_digit(self, sums: FloatArray) -> list[FloatArray]:
        """Sums by code to sums by digit of every item.

        Parameters
        ----------
        sums : array, shape (codes per person, 256, …)
            Sums over the persons who have a code.

        Returns
        -------
        list of array, one per item, shape (digits, …)
        """
        rest = sums.shape[2:]
        found = self.indicators.transpose(0, 2, 1) @ sums.reshape(len(sums), CODES, -1)
        return [found[place].reshape(-1, *rest) for place in self.places]

    def by_code(self, values: list[FloatArray]) -> FloatArray:
        """Values by digit of every item to their sums by code: `by_digit`, transposed.

        Parameters
        ----------
        values : list of array, one per item, shape (digits, …)

        Returns
        -------
        array, shape (codes per person, 256, …)
        """
        rest = values[0].shape[1:]
        by_digit = np.zeros((len(self.members), self.indicators.shape[2], *rest))
        for place, own in zip(self.places, values, strict=True):
            by_digit[place] = own
        found = self.indicators @ by_digit.reshape(*by_digit.shape[:2], -1)
        return found.reshape(len(found), CODES, *rest)


@dataclass(frozen=True, eq=False)
class PackedResponses:
    """Codes of some persons.

    Attributes
    ----------
    codes : array of uint8, shape (codes per person, persons)
    coding : Coding
        What they mean.
    """

    codes: ByteArray
    coding: Coding

    @property
    def persons(self) -> int:
        """Number of persons."""
        return int(self.codes.shape[1])

    def take(self, persons: slice | IntArray) -> PackedResponses:
        """The same of some persons; a view where a slice is given."""
        return PackedResponses(self.codes[:, persons], self.coding)

    def digits(self, persons: slice = slice(None)) -> ByteArray:
        """Digits of all items for some persons, shape (items, persons)."""
        codes = self.codes[:, persons]
        found = np.empty((len(self.coding.radix), codes.shape[1]), dtype=np.uint8)
        for code, items, digits in zip(codes, self.coding.members, self.coding.digits, strict=True):
            for place, item in enumerate(items):
                found[item] = digits[:, place].astype(np.uint8)[code]
        return found

    def scores(self, persons: slice = slice(None)) -> FloatArray:
        """Scores of all items from 0, NaN where missing, shape (persons, items)."""
        digits = self.digits(persons).astype(np.float64)
        digits -= self.coding.gaps[:, None]
        digits[digits < 0] = np.nan
        return digits.T


def pack(digits: ByteArray, steps: IntArray, *, keep_gaps: bool) -> PackedResponses:
    """Digits to codes.

    Parameters
    ----------
    digits : array of uint8, shape (items, persons)
        0 for a missing score, k + 1 for the score k.
    steps : array of int, shape (items,)
        Highest score per item.
    keep_gaps : bool
        Whether missing scores keep a digit of their own (where an item has any); otherwise they
        become the score 0.

    Examples
    --------
    >>> packed = pack(np.array([[1, 2, 2], [1, 1, 2]], dtype=np.uint8), np.array([1, 1]),
    ...     keep_gaps=True)
    >>> packed.codes
    array([[0, 1, 3]], dtype=uint8)
    >>> packed.coding.by_digit(np.bincount(packed.codes[0], minlength=256)[None, :])[0]
    array([1., 2.])
    """
    least = digits.min(axis=1, initial=1)
    gaps = (least == 0) & keep_gaps
    radix = steps + 1 + gaps
    members: list[list[int]] = [[]]
    product = 1
    for item, size in enumerate(radix.tolist()):
        if product * size > CODES:
            members.append([])
            product = 1
        members[-1].append(item)
        product *= size
    codes = np.zeros((len(members), digits.shape[1]), dtype=np.uint8)
    for code, items in zip(codes, members, strict=True):
        weight = 1
        for item in items:
            digit = digits[item]
            if not gaps[item]:
                # 0 and 1, missing and the score 0, become one digit.
                digit = digit - 1 if least[item] else np.maximum(digit, 1) - 1
            code += digit * np.uint8(weight) if weight > 1 else digit
            weight *= int(radix[item])
    return PackedResponses(codes, Coding([np.array(items) for items in members], radix, gaps))
