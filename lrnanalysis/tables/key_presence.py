"""Keys without a value in a record: null, absent, or an empty object.

A missing value of a column says that its key held nothing, not how. The column ``presence`` says
how where it is not as usual, so that a response without the key ``response`` is told from one
whose ``response`` is null, and so that records come back as they were.

A row's presence is a JSON object: ``{"absent": ["response"], "null": ["max_score"]}``. "empty"
lists objects in which no key has a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["STATES", "Presence", "has_absent", "presence_of", "presence_text", "usual_state"]

#: States of a key without a value, in the order in which they are written.
STATES = ("absent", "empty", "null")

#: Paths whose usual state without a value is null; that of all others is absent.
_USUALLY_NULL = frozenset(
    {
        "user_id",
        "activity_id",
        "num_attempted",
        "num_questions",
        "score",
        "subscores",
        "session_duration",
        "status",
        "dt_started",
        "dt_completed",
        "responses[].response_id",
        "responses[].question_type",
        "responses[].score",
        "responses[].response",
        "items[].reference",
        "items[].scoring.score",
    }
)

#: Lists and objects that a record usually has even if they are empty.
_USUALLY_EMPTY = frozenset({"responses", "items", "metadata"})


def usual_state(path: str) -> str:
    """The usual state of a key without a value: "null", "empty" or "absent".

    Examples
    --------
    >>> usual_state("score"), usual_state("max_score")
    ('null', 'absent')
    """
    if path in _USUALLY_EMPTY:
        return "empty"
    return "null" if path in _USUALLY_NULL else "absent"


@dataclass(frozen=True)
class Presence:
    """Keys of a row that are not as usual, by their paths inside the row.

    Attributes
    ----------
    absent, empty, null : frozenset of str
        Such as "max_score" or "scoring.max_score".
    """

    absent: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    null: frozenset[str] = frozenset()


def presence_text(states: Iterable[tuple[str, str]]) -> str:
    """The text of a row's presence, of pairs of state and path."""
    found: dict[str, list[str]] = {}
    for state, path in states:
        found.setdefault(state, []).append(path)
    ordered = {state: found[state] for state in STATES if state in found}
    return msgspec.json.encode(ordered).decode()


@lru_cache(maxsize=4096)
def presence_of(text: str) -> Presence:
    """Read the text of a row's presence.

    Examples
    --------
    >>> presence_of('{"absent":["response"]}').absent
    frozenset({'response'})
    """
    return _AS_PRESENCE.decode(text)


_AS_PRESENCE = msgspec.json.Decoder(Presence)


def has_absent(presence: pd.Series, path: str) -> npt.NDArray[np.bool_]:
    """Whether each row's record leaves out a key that it usually has.

    Examples
    --------
    >>> has_absent(pd.Series(['{"absent":["response"]}', None], dtype="category"), "response")
    array([ True, False])
    """
    labels = presence.astype("category").cat
    absent = [path in presence_of(str(text)).absent for text in labels.categories]
    found: npt.NDArray[np.bool_] = np.array([*absent, False])[labels.codes.to_numpy()]
    return found
