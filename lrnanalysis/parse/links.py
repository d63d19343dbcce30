"""Links between the responses and the items of some pages.

An item names its responses in `response_ids`; a response may name its item in `item_reference`.
Where a response names none, it gets the item that names it. Whatever the tables could not give
back (ids that no response has, white space around a reference) stays in `extra`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lrnanalysis.parse.columns import Flat

__all__ = ["link"]

_Rows = npt.NDArray[np.int64]


class _Named(NamedTuple):
    """The ids that items name, one row an id."""

    ids: pa.Array
    item: _Rows


def link(flat: Flat) -> None:
    """Strip references, resolve each response's item, and keep what would be lost otherwise."""
    items, responses = flat.columns["items"], flat.columns["responses"]
    items["response_count"] = pc.list_value_length(flat.response_ids).cast(pa.int64())
    _strip(flat, "items", "reference")
    _strip(flat, "responses", "item_reference")
    named = _Named(
        flat.response_ids.flatten(),
        pc.list_parent_indices(flat.response_ids).to_numpy(zero_copy_only=False),
    )
    # Sessions as the endpoint sends them: each response named once, in order, by its own item.
    in_order = named.ids.equals(responses["response_id"]) and np.array_equal(
        flat.parents["items"][named.item], flat.parents["responses"]
    )
    owner = named.item if in_order else _owners(flat, named)
    through_item = items["item_reference"].take(pa.array(owner, mask=owner < 0))
    resolved = pc.coalesce(responses["item_reference"], through_item)
    agrees = in_order and resolved.equals(through_item)
    responses["item_reference"] = resolved
    if not (agrees and _unique_items(flat)):
        _keep_ids(flat)


def _strip(flat: Flat, table: str, key: str) -> None:
    given = flat.columns[table]["item_reference"]
    stripped = pc.utf8_trim_whitespace(given)
    if stripped.equals(given):
        return
    flat.columns[table]["item_reference"] = stripped
    differs = pc.fill_null(pc.not_equal(given, stripped), False).to_pylist()
    kept = [
        msgspec.json.encode(text) if changed else b""
        for text, changed in zip(given.to_pylist(), differs, strict=True)
    ]
    flat.leftovers[table].setdefault((key,), kept)


def _owners(flat: Flat, named: _Named) -> _Rows:
    """For each response the row of the first item of its session that names it, -1 for none."""
    session = np.concatenate([flat.parents["items"][named.item], flat.parents["responses"]])
    ids = pa.chunked_array([named.ids, flat.columns["responses"]["response_id"]])
    text = pd.factorize(ids.to_pandas(), use_na_sentinel=False)[0]
    key = session * (text.max(initial=0) + 1) + text
    naming, wanted = key[: len(named.item)], key[len(named.item) :]
    first, where = np.unique(naming, return_index=True)
    owner = np.full(len(wanted), -1, dtype=np.int64)
    if len(first):
        place = np.minimum(np.searchsorted(first, wanted), len(first) - 1)
        found = first[place] == wanted
        owner[found] = named.item[where[place[found]]]
    return owner


def _unique_items(flat: Flat) -> bool:
    """Whether every item has a reference that no other item of its session has."""
    references = flat.columns["items"]["item_reference"].dictionary_encode()
    if references.null_count:
        return False
    code = references.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    key = flat.parents["items"] * max(len(references.dictionary), 1) + code
    return len(np.unique(key)) == len(key)


def _keep_ids(flat: Flat) -> None:
    """Keep an item's list of ids where the responses' references do not give it back."""
    references = flat.columns["items"]["item_reference"].to_pylist()
    keys = list(zip(flat.parents["items"].tolist(), references, strict=True))
    again: dict[tuple[int, Any], list[Any]] = {key: [] for key in keys}
    for session, reference, identifier in zip(
        flat.parents["responses"].tolist(),
        flat.columns["responses"]["item_reference"].to_pylist(),
        flat.columns["responses"]["response_id"].to_pylist(),
        strict=True,
    ):
        if (session, reference) in again:
            again[session, reference].append(identifier)
    count = Counter(keys)
    odd = flat.leftovers["items"].get(("response_ids",), [b""] * len(keys))
    flat.leftovers["items"][("response_ids",)] = [
        kept
        or (
            b""
            if given is None or (key[1] is not None and count[key] == 1 and again[key] == given)
            else msgspec.json.encode(given)
        )
        for key, given, kept in zip(keys, flat.response_ids.to_pylist(), odd, strict=True)
    ]
