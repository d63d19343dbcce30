"""Raw response values decoded: one row per selected option, whole values, words.

Follows the value formats of the question types with closed sets of options, where options can be
counted. Values of other types stay as they are: nothing is guessed from their appearance, and every
result states what it could not decode. The vendor's formats may change: an unexpected shape is
counted, not forced.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import (
    BoolArray,
    IntArray,
    as_floats,
    require_columns,
    with_attrs,
)
from lrnanalysis.measures.matrices import answered_responses, check_unique_key, factorise
from lrnanalysis.warnings import DataWarning, warn

__all__ = ["CLOSED_TYPES", "choices", "decodable", "values", "words"]

#: One choice: the place it was made in (None where the type has no places), the option.
_Choice = tuple[int | None, str]

_KEYS = ("session_id", "response_id", "item_reference", "question_reference", "question_type")


class _WrongShapeError(ValueError):
    """The value does not have the shape of its question type."""


def _option(value: Any) -> str:
    """An option's name: text as it is, an index as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _WrongShapeError


def _list(value: Any) -> list[Any]:
    """The value's entries; null is an answer that was withdrawn."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise _WrongShapeError


def _set(value: Any) -> Iterable[_Choice]:
    """Selected options, unordered: ``["0", "2"]``."""
    return [(None, _option(option)) for option in _list(value)]


def _gaps(value: Any) -> Iterable[_Choice]:
    """An option per gap or stem, null where left open: ``["a", null]``."""
    return [(gap, _option(option)) for gap, option in enumerate(_list(value)) if option is not None]


def _grid(value: Any) -> Iterable[_Choice]:
    """An option or a list of them per stem or category, null where left open: ``[0, [1, 2]]``."""
    found: list[_Choice] = []
    for place, options in enumerate(_list(value)):
        chosen = options if isinstance(options, list) else [options]
        found += [(place, _option(option)) for option in chosen if option is not None]
    return found


_DECODERS: dict[str, Callable[[Any], Iterable[_Choice]]] = {
    "mcq": _set,
    "rating": _set,
    "hotspot": _set,
    "tokenhighlight": _set,
    "choicematrix": _grid,
    "classification": _grid,
    "bowtie": _grid,
    "association": _gaps,
    "clozeassociation": _gaps,
    "clozedropdown": _gaps,
    "imageclozeassociation": _gaps,
    "imageclozeassociationV2": _gaps,
    "imageclozedropdown": _gaps,
    "orderlist": _gaps,
    "sortlist": _gaps,
}

#: Question types whose values are selections from a closed set of options.
CLOSED_TYPES = tuple(_DECODERS)

_REASONS = ("decoded", "not answered", "not a closed type", "no value", "not JSON", "wrong shape")
_DECODED, _UNANSWERED, _OPEN, _EMPTY, _NOT_JSON, _WRONG = range(len(_REASONS))


def choices(responses: pd.DataFrame) -> pd.DataFrame:
    """Selected options of the closed question types, one row per choice.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``question_type`` and ``value`` are read, and the key columns
        that it has are copied.

    Returns
    -------
    DataFrame
        The key columns (``session_id``, ``response_id``, ``item_reference``,
        ``question_reference``, ``question_type``), then

        ``slot`` (Int64)
            The gap, stem, category or place in the order, from 0; NA for types without one
            (mcq, rating, hotspot, tokenhighlight).
        ``choice`` (str)
            The option as the record names it: its value, or its index as text. In an orderlist
            or sortlist the element in the slot.

        The index repeats that of the response's row. A response without a choice (left open, all
        gaps empty) has no row. ``attrs`` counts what was decoded and what was not, and why;
        `decodable` breaks that down by question type.

    Raises
    ------
    MeasureError
        ``question_type`` or ``value`` is missing, or a response occurs twice.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "response_id": ["r1", "r2"], "question_type": ["mcq", "association"],
    ...     "value": ['["0","2"]', '["a",null,"b"]'],
    ... })
    >>> choices(responses)[["response_id", "choice"]].values.tolist()
    [['r1', '0'], ['r1', '2'], ['r2', 'a'], ['r2', 'b']]
    """
    reason, place, decoded = _decode(responses)
    lengths = np.array([len(found) for found in decoded], dtype=np.int64)
    rows = np.flatnonzero(reason == _DECODED)
    counts = lengths[place[rows]]
    offsets = np.cumsum(lengths) - lengths
    flat = [choice for found in decoded for choice in found]
    # Every row takes the part of the flat list that belongs to its value.
    first = np.cumsum(counts) - counts
    take = np.arange(counts.sum()) + np.repeat(offsets[place[rows]] - first, counts)
    row = np.repeat(rows, counts)
    columns = [column for column in _KEYS if column in responses.columns]
    result = responses[columns].iloc[row].copy()
    slots = pd.array([slot for slot, _ in flat], dtype="Int64")
    result["slot"] = slots.take(take)
    result["choice"] = pd.array([option for _, option in flat], dtype="str").take(take)
    return with_attrs(result, _notes(reason))


def decodable(responses: pd.DataFrame) -> pd.DataFrame:
    """What `choices` makes of every question type.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``question_type`` and ``value`` are read.

    Returns
    -------
    DataFrame
        One row per question type: ``responses``, and how many of them are ``decoded``, ``not
        answered``, ``not a closed type``, have ``no value`` though answered, are ``not JSON`` or
        of the ``wrong shape`` for their type.

    Raises
    ------
    MeasureError
        ``question_type`` or ``value`` is missing, or a response occurs twice.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "question_type": ["mcq", "longtextV2"], "value": ['["0"]', '"An essay"'],
    ... })
    >>> decodable(responses)[["decoded", "not a closed type"]].values.tolist()
    [[1, 0], [0, 1]]
    """
    reason, _, _ = _decode(responses)
    types = factorise(responses["question_type"])
    labels = pd.Index([*types.labels.astype("str"), "(missing)"], name="question_type")
    codes = np.where(types.codes < 0, len(labels) - 1, types.codes).astype(np.int64)
    flat = np.bincount(codes * len(_REASONS) + reason, minlength=len(labels) * len(_REASONS))
    result = pd.DataFrame(
        flat.reshape(len(labels), len(_REASONS)), index=labels, columns=list(_REASONS)
    )
    result.insert(0, "responses", result.sum(axis=1))
    return result if (types.codes < 0).any() else result.iloc[:-1]


def values(responses: pd.DataFrame) -> pd.Series:
    """Every response's value as a Python object.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``value`` (JSON text) is read.

    Returns
    -------
    Series of object
        ``value``: lists, dicts, text, numbers; None where no value is stored or the text is not
        JSON. One value per row, with the frame's index.

    Raises
    ------
    MeasureError
        ``value`` is missing, or a response occurs twice.

    Warns
    -----
    UserWarning
        Texts are not JSON.

    Examples
    --------
    >>> values(pd.DataFrame({"value": ['["0","2"]', None]})).tolist()
    [['0', '2'], None]
    """
    require_columns(responses, "value", table="responses")
    check_unique_key(responses, "responses")
    decode = msgspec.json.Decoder().decode
    result = np.full(len(responses), None, dtype=object)
    broken = 0
    column = responses["value"]
    for row in np.flatnonzero(column.notna().to_numpy(dtype=bool)).tolist():
        try:
            result[row] = decode(str(column.iat[row]))
        except msgspec.DecodeError:
            broken += 1
    if broken:
        warn(f"{broken} of {len(responses)} values are not JSON text: they are None", DataWarning)
    series = pd.Series(result, index=responses.index, name="value", dtype=object)
    return with_attrs(series, {"not_json": broken})


_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_TEXT_TYPES = ("longtext", "longtextV2", "plaintext", "shorttext")


def words(responses: pd.DataFrame) -> pd.Series:
    """Words of every text response.

    Parameters
    ----------
    responses : DataFrame
        The responses table; ``word_count`` is read, and where it is missing for a text question
        (longtext, longtextV2, plaintext, shorttext), ``value`` is counted: HTML taken out, runs
        of letters and digits, inner apostrophes and hyphens included.

    Returns
    -------
    Series of Int64
        ``words``, one value per row, with the frame's index; NA where there is no text.
        ``attrs["counted_here"]`` is the number of responses counted from the value.

    Raises
    ------
    MeasureError
        ``word_count`` is missing, or a response occurs twice.

    Examples
    --------
    >>> responses = pd.DataFrame({
    ...     "word_count": pd.array([33, None], dtype="Int64"), "question_type": "longtextV2",
    ...     "value": [None, '"<p>It&#39;s a well-known fact.</p>"'],
    ... })
    >>> words(responses).tolist()
    [33, 4]
    """
    require_columns(responses, "word_count", table="responses")
    check_unique_key(responses, "responses")
    counts = as_floats(responses["word_count"]).copy()
    counted = 0
    if {"question_type", "value"} <= set(responses.columns):
        text = responses["question_type"].isin(_TEXT_TYPES).to_numpy(dtype=bool)
        stored = responses["value"].notna().to_numpy(dtype=bool)
        rows = np.flatnonzero(text & stored & np.isnan(counts))
        for row, value in zip(rows.tolist(), values(responses.iloc[rows]), strict=True):
            if isinstance(value, str):
                plain = html.unescape(_TAG.sub(" ", value))
                counts[row] = len(_WORD.findall(plain))
                counted += 1
    missing = np.isnan(counts)
    whole = np.where(missing, 0, counts).astype(np.int64)
    result = pd.Series(pd.arrays.IntegerArray(whole, missing), index=responses.index, name="words")
    return with_attrs(result, {"counted_here": counted})


def _decode(responses: pd.DataFrame) -> tuple[IntArray, IntArray, list[list[_Choice]]]:
    """Reason code of every row, its place in the list of decoded values, and that list.

    Answers to closed questions repeat: every distinct text is decoded once per question type.
    """
    require_columns(responses, "question_type", "value", table="responses")
    check_unique_key(responses, "responses")
    types = factorise(responses["question_type"])
    closed = np.array([label in _DECODERS for label in types.labels] + [False])[types.codes]
    stored: BoolArray = responses["value"].notna().to_numpy(dtype=bool)
    answered, _ = answered_responses(responses)
    reason = np.select(
        [~closed & (answered | stored), ~(answered | stored), ~stored],
        [_OPEN, _UNANSWERED, _EMPTY],
        _DECODED,
    )
    place = np.full(len(responses), -1, dtype=np.int64)
    rows = np.flatnonzero(reason == _DECODED)
    texts = factorise(responses["value"].iloc[rows])
    pairs = types.codes[rows].astype(np.int64) * max(len(texts.labels), 1) + texts.codes
    distinct, place[rows] = np.unique(pairs, return_inverse=True)
    decode = msgspec.json.Decoder().decode
    decoded: list[list[_Choice]] = []
    outcome = np.full(len(distinct), _DECODED)
    for number, pair in enumerate(distinct.tolist()):
        kind, text = divmod(pair, max(len(texts.labels), 1))
        found: list[_Choice] = []
        try:
            found = list(_DECODERS[types.labels[kind]](decode(texts.labels[text])))
        except msgspec.DecodeError:
            outcome[number] = _NOT_JSON
        except _WrongShapeError:
            outcome[number] = _WRONG
        decoded.append(found)
    if len(rows):
        reason[rows] = outcome[place[rows]]
    return reason, place, decoded


def _notes(reason: IntArray) -> dict[str, object]:
    counts = np.bincount(reason, minlength=len(_REASONS)).tolist()
    return {"responses": len(reason), **dict(zip(_REASONS, counts, strict=True))}
