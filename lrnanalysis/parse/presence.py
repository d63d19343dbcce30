"""The column `presence`: keys of a record that are null, absent or empty where it is not usual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from lrnanalysis.parse.columns import THERE, DecodedPages
from lrnanalysis.parse.record_layout import INSIDE, LEVELS, MEMBERS
from lrnanalysis.tables.key_presence import presence_text, usual_state

__all__ = ["presence_column"]


class _Unusual(NamedTuple):
    """For every row, the set of some paths that are in a state."""

    state: str
    paths: Sequence[str]
    sets: npt.NDArray[np.uint64]


def presence_column(
    decoded: DecodedPages, table: str, null_metadata: Mapping[int, tuple[str, ...]]
) -> pa.DictionaryArray:
    """Make the column for a table; missing where every key is as usual.

    Parameters
    ----------
    decoded : DecodedPages
        The rows, with `given`.
    table : str
        Name of the table.
    null_metadata : mapping of int to tuple of str
        Row → keys of the session's metadata that are null.
    """
    rows = decoded.rows[table]
    found = [*_unusual(decoded, table), *_of_metadata(null_metadata, rows)]
    odd = np.flatnonzero(np.logical_or.reduce([one.sets > 0 for one in found]))
    pattern = np.zeros(len(odd), dtype=np.int64)
    for one in found:
        codes, labels = pd.factorize(one.sets[odd])
        pattern = pd.factorize(pattern * len(labels) + codes)[0]
    _, first = np.unique(pattern, return_index=True)
    texts = [
        presence_text(
            (one.state, path)
            for one in found
            for bit, path in enumerate(one.paths)
            if int(one.sets[row]) >> bit & 1
        )
        for row in odd[first].tolist()
    ]
    codes = np.full(rows, -1, dtype=np.int32)
    codes[odd] = pattern
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), pa.array(texts, pa.string())
    )


def _unusual(decoded: DecodedPages, table: str) -> Iterator[_Unusual]:
    for level, (of_table, prefix) in LEVELS.items():
        if of_table.name != table or level == "metadata":
            continue
        seen, nulls = decoded.given[level]
        there = (seen & THERE) > 0
        paths = [".".join((*INSIDE[level], key)) for key in MEMBERS[level]]
        usual = [usual_state(prefix + key) for key in MEMBERS[level]]
        left_out = ~seen & _bits(state != "absent" for state in usual)
        if level == "response":
            # The item that lists a response may have given it a reference: records name it then.
            named = decoded.columns["responses"]["item_reference"].is_valid()
            bit = np.uint64(1 << MEMBERS[level].index("item_reference"))
            nulls = np.where(named.to_numpy(zero_copy_only=False), nulls & ~bit, nulls)
        yield _Unusual("absent", paths, np.where(there, left_out, np.uint64(0)))
        yield _Unusual("null", paths, nulls & _bits(state != "null" for state in usual))
        if INSIDE[level]:
            nothing = there & (seen & ~nulls & ~THERE == 0)
            yield _Unusual("empty", [INSIDE[level][-1]], nothing.astype(np.uint64))


def _of_metadata(null: Mapping[int, tuple[str, ...]], rows: int) -> Iterator[_Unusual]:
    for key in dict.fromkeys(key for keys in null.values() for key in keys):
        sets = np.zeros(rows, dtype=np.uint64)
        sets[[row for row, keys in null.items() if key in keys]] = 1
        yield _Unusual("null", [f"metadata.{key}"], sets)


def _bits(flags: Iterable[bool]) -> np.uint64:
    return np.uint64(sum(1 << bit for bit, flag in enumerate(flags) if flag))
