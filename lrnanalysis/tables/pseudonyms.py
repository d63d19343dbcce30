"""Keyed pseudonyms for learners, sessions and responses.

A pseudonym is the first 128 bits of HMAC-SHA-256 (RFC 2104) of the kind of identifier and the
identifier, in hexadecimal. The same key gives the same pseudonym on every machine and in every
fetch; without the key it cannot be traced back to its identifier.
"""

from __future__ import annotations

import hmac

import msgspec
import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.tables.learners import named_users

__all__ = ["CLOSED_QUESTION_TYPES", "pseudonymise_tables", "pseudonyms"]

#: Question types with a closed set of options; the answers of all others may contain free text.
CLOSED_QUESTION_TYPES = frozenset(
    {
        "association",
        "bowtie",
        "choicematrix",
        "classification",
        "clozeassociation",
        "clozedropdown",
        "hotspot",
        "imageclozeassociation",
        "imageclozeassociationV2",
        "imageclozedropdown",
        "mcq",
        "numberline",
        "orderlist",
        "rating",
        "sortlist",
        "tokenhighlight",
    }
)

_BITS = 128


def pseudonyms(values: pd.Series, key: str | bytes, kind: str) -> pd.Series:
    """Replace each identifier by its pseudonym; missing ones stay missing.

    Parameters
    ----------
    values : Series of str
        Identifiers.
    key : str or bytes
        The secret; store it separately from the data.
    kind : str
        "user_id", "session_id" or "response_id". The pseudonym of a text depends on its kind.

    Returns
    -------
    Series of str
        32 hexadecimal digits each, with the index of `values`.

    Raises
    ------
    MeasureError
        The key is empty or not text.

    Examples
    --------
    >>> pseudonyms(pd.Series(["ann", "bob", "ann"], dtype="str"), "a key", "user_id").nunique()
    2
    """
    secret = _secret(key)
    codes, unique = pd.factorize(values)
    made = pd.array([_pseudonym(secret, kind, text) for text in unique], dtype="str")
    taken = made.take(codes, allow_fill=True)
    return pd.Series(taken, index=values.index, name=values.name, dtype="str")


def pseudonymise_tables(
    sessions: pd.DataFrame,
    responses: pd.DataFrame,
    items: pd.DataFrame,
    key: str | bytes,
    *,
    drop_free_text: bool,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Pseudonymise the three tables; see `SessionData.pseudonymise`."""
    sessions, responses, items = sessions.copy(), responses.copy(), items.copy()
    for frame in (sessions, responses, items):
        frame["session_id"] = pseudonyms(frame["session_id"], key, "session_id")
    sessions["user_id"] = pseudonyms(named_users(sessions["user_id"]), key, "user_id")
    responses["response_id"] = pseudonyms(responses["response_id"], key, "response_id")
    sessions["user_agent"] = pd.Categorical(
        [None] * len(sessions), dtype=pd.CategoricalDtype(pd.Index([], dtype="str"))
    )
    items["extra"] = _kept_extra(items["extra"], _secret(key))
    for frame in (sessions, responses):
        frame["extra"] = pd.Series(np.nan, index=frame.index, dtype="str")
    if drop_free_text:
        closed = responses["question_type"].isin(CLOSED_QUESTION_TYPES)
        responses["value"] = responses["value"].where(closed)
    return sessions, responses, items


def _secret(key: str | bytes) -> bytes:
    if not isinstance(key, str | bytes) or not key:
        raise MeasureError(
            "the key is empty or not text: pass a secret of your own, such as "
            "secrets.token_hex(16), and store it separately from the data"
        )
    return key.encode() if isinstance(key, str) else key


def _pseudonym(secret: bytes, kind: str, text: str) -> str:
    digest = hmac.digest(secret, f"{kind}\0{text}".encode(), "sha256")
    return digest.hex()[: _BITS // 4]


def _kept_extra(extra: pd.Series, secret: bytes) -> pd.Series:
    """Keep of the items' `extra` what measures read.

    These are the response ids that an item lists, as pseudonyms, so that links can be checked,
    and its points that await a mark.
    """

    def kept(text: str) -> str | None:
        found: dict[str, object] = {}
        extra = msgspec.json.decode(text)
        ids, scoring = extra.get("response_ids"), extra.get("scoring")
        if isinstance(ids, list):
            found["response_ids"] = [
                _pseudonym(secret, "response_id", one) for one in ids if isinstance(one, str)
            ]
        unmarked = scoring.get("max_score_of_unmarked") if isinstance(scoring, dict) else None
        if isinstance(unmarked, int | float):
            found["scoring"] = {"max_score_of_unmarked": unmarked}
        return msgspec.json.encode(found).decode() if found else None

    present = extra.notna()
    made = [kept(text) if here else None for text, here in zip(extra, present, strict=True)]
    return pd.Series(made, index=extra.index, dtype="str")
