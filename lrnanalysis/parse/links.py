"""Links between the responses and the items of some pages.

An item lists its responses in `response_ids`; a response may name its item in `item_reference`.
A response that names none gets the item that lists it. What the tables could not give back (ids
without a response, white space around a reference) is kept in `extra`.
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

from lrnanalysis.parse.columns import DecodedPages

__all__ = ["link"]

_Rows = npt.NDArray[np.int64]


class _Listed(NamedTuple):
    """The response ids that items list, one row per id."""

    ids: pa.Array
    item: _Rows


def link(decoded: DecodedPages) -> None:
    """Strip references, resolve the item of each response, and keep what would be lost."""
    items, responses = decoded.columns["items"], decoded.columns["responses"]
    items["response_count"] = pc.list_value_length(decoded.response_ids).cast(pa.int64())
    _strip(decoded, "item", "reference")
    _strip(decoded, "response", "item_reference")
    listed = _Listed(
        decoded.response_ids.flatten(),
        pc.list_parent_indices(decoded.response_ids).to_numpy(zero_copy_only=False),
    )
    # As the endpoint usually sends sessions: each response listed once, in order, by its own item.
    in_order = listed.ids.equals(responses["response_id"]) and np.array_equal(
        decoded.parents["items"][listed.item], decoded.parents["responses"]
    )
    owner = listed.item if in_order else _owners(decoded, listed)
    through_item = items["item_reference"].take(pa.array(owner, mask=owner < 0))
    resolved = pc.coalesce(responses["item_reference"], through_item)
    agrees = in_order and resolved.equals(through_item)
    responses["item_reference"] = resolved
    if not (agrees and _unique_items(decoded)):
        _keep_ids(decoded)


def _strip(decoded: DecodedPages, level: str, key: str) -> None:
    columns = decoded.columns[f"{level}s"]
    given = columns["item_reference"]
    columns["item_reference"] = stripped = pc.utf8_trim_whitespace(given)
    if stripped.equals(given):
        return
    differs = pc.fill_null(pc.not_equal(given, stripped), False).to_pylist()
    kept = [
        msgspec.json.encode(text) if changed else b""
        for text, changed in zip(given.to_pylist(), differs, strict=True)
    ]
    decoded.keep(level, key, kept)


def _owners(decoded: DecodedPages, listed: _Listed) -> _Rows:
    """For each response the row of the first item of its session that lists it, -1 for none."""
    parents = decoded.parents
    session = np.concatenate([parents["items"][listed.item], parents["responses"]])
    ids = pa.chunked_array([listed.ids, decoded.columns["responses"]["response_id"]])
    text = pd.factorize(ids.to_pandas(), use_na_sentinel=False)[0]
    key = session * (text.max(initial=0) + 1) + text
    offered, wanted = key[: len(listed.item)], key[len(listed.item) :]
    first, where = np.unique(offered, return_index=True)
    owner = np.full(len(wanted), -1, dtype=np.int64)
    if len(first):
        place = np.minimum(np.searchsorted(first, wanted), len(first) - 1)
        found = first[place] == wanted
        owner[found] = listed.item[where[place[found]]]
    return owner


def _unique_items(decoded: DecodedPages) -> bool:
    """Whether every item has a reference that no other item of its session has."""
    references = decoded.columns["items"]["item_reference"].dictionary_encode()
    if references.null_count:
        return False
    code = references.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    key = decoded.parents["items"] * max(len(references.dictionary), 1) + code
    return len(np.unique(key)) == len(key)


def _keep_ids(decoded: DecodedPages) -> None:
    """Keep the ids that an item lists if they cannot be derived from the responses."""
    references = decoded.columns["items"]["item_reference"].to_pylist()
    keys = list(zip(decoded.parents["items"].tolist(), references, strict=True))
    derived: dict[tuple[int, Any], list[Any]] = {key: [] for key in keys}
    for session, reference, identifier in zip(
        decoded.parents["responses"].tolist(),
        decoded.columns["responses"]["item_reference"].to_pylist(),
        decoded.columns["responses"]["response_id"].to_pylist(),
        strict=True,
    ):
        if (session, reference) in derived:
            derived[session, reference].append(identifier)
    count = Counter(keys)
    kept = [
        b""
        if given is None or (key[1] is not None and count[key] == 1 and derived[key] == given)
        else msgspec.json.encode(given)
        for key, given in zip(keys, decoded.response_ids.to_pylist(), strict=True)
    ]
    decoded.keep("item", "response_ids", kept)
