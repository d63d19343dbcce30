"""Responses as bytes: digits of items, several items to a code.

A person's answers to some items are one number below 256 in a mixed radix (for items scored 0 or
1, eight bits), so that any sum over items becomes a few look-ups in tables of 256 entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lrnanalysis.measures._checks import BoolArray, FloatArray, IntArray

__all__ = ["CODES", "ByteArray", "Packed", "pack"]

ByteArray = npt.NDArray[np.uint8]

#: Values that a code can take.
CODES = 256


@dataclass(frozen=True, eq=False)
class Packed:
    """Codes of some persons.

    Attributes
    ----------
    codes : array of uint8, shape (codes a person, persons)
    members : list of array of int
        Items of each code.
    radix : array of int, shape (items,)
        Digits per item.
    gaps : array of bool, shape (items,)
        Whether an item's digit 0 is a missing score, and digit k + 1 the score k; otherwise
        digit k is the score k.
    """

    codes: ByteArray
    members: list[IntArray]
    radix: IntArray
    gaps: BoolArray

    @property
    def persons(self) -> int:
        """Number of persons."""
        return int(self.codes.shape[1])

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
    def used(self) -> IntArray:
        """Per code, the number of combinations that can occur."""
        return np.array([int(np.prod(self.radix[items])) for items in self.members])

    def take(self, persons: slice | IntArray) -> Packed:
        """The same of some persons; a view where a slice is given."""
        return Packed(self.codes[:, persons], self.members, self.radix, self.gaps)

    def unpacked(self) -> ByteArray:
        """Digits of all items, shape (items, persons)."""
        found = np.empty((len(self.radix), self.persons), dtype=np.uint8)
        for code, items, digits in zip(self.codes, self.members, self.digits, strict=True):
            for place, item in enumerate(items):
                found[item] = digits[:, place].astype(np.uint8)[code]
        return found

    def scores(self) -> FloatArray:
        """Scores of all items from 0, NaN where missing, shape (persons, items)."""
        digits = self.unpacked().astype(np.float64)
        digits -= self.gaps[:, None]
        digits[digits < 0] = np.nan
        return digits.T

    def folded(self, sums: FloatArray) -> list[FloatArray]:
        """Sums by code to sums by digit of every item.

        Parameters
        ----------
        sums : array, shape (codes a person, 256, …)
            Sums over the persons who have a code.

        Returns
        -------
        list of array, one an item, shape (digits, …)
        """
        found: list[FloatArray] = [np.empty(0)] * len(self.radix)
        rest = sums.shape[2:]
        for part, items, used in zip(sums, self.members, self.used, strict=True):
            # The first item of a code is its lowest digit, so the last axis in C order.
            cube = part[:used].reshape(*self.radix[items][::-1], -1)
            last = len(items) - 1
            for place, item in enumerate(items):
                axes = tuple(axis for axis in range(len(items)) if axis != last - place)
                found[item] = cube.sum(axis=axes).reshape(-1, *rest)
        return found

    def spread(self, values: list[FloatArray]) -> FloatArray:
        """Values by digit of every item to their sums by code: `folded`, transposed.

        Parameters
        ----------
        values : list of array, one an item, shape (digits, …)

        Returns
        -------
        array, shape (codes a person, 256, …)
        """
        rest = values[0].shape[1:]
        found = np.zeros((len(self.members), CODES, *rest))
        for part, items in zip(found, self.members, strict=True):
            sums = values[items[0]]
            for item in items[1:]:
                sums = (values[item][:, None] + sums[None]).reshape(-1, *rest)
            part[: len(sums)] = sums
        return found


def pack(digits: ByteArray, steps: IntArray, *, keep_gaps: bool) -> Packed:
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
    >>> packed.folded(np.bincount(packed.codes[0], minlength=256)[None, :])[0]
    array([1, 2])
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
    return Packed(codes, [np.array(items) for items in members], radix, gaps)
