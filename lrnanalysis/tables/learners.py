"""Who a session belongs to: an empty user_id is nobody."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["is_nobody", "named_users"]


def is_nobody(users: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether each user_id is missing, empty or white space: the session of nobody in particular.

    Such sessions have nothing in common, so they are neither attempts of one learner nor one
    person, and they get no pseudonym.

    Parameters
    ----------
    users : Series
        User ids.

    Returns
    -------
    array of bool
        One flag per row.

    Examples
    --------
    >>> is_nobody(pd.Series(["ann", "", " ", None])).tolist()
    [False, True, True, True]
    """
    codes, labels = pd.factorize(users)
    blank = [str(label).strip() == "" for label in labels]
    found: npt.NDArray[np.bool_] = np.array([*blank, True])[codes]
    return found


def named_users(users: pd.Series) -> pd.Series:
    """The user ids, missing where they are nobody's.

    Examples
    --------
    >>> int(named_users(pd.Series(["ann", "", " ", None])).nunique())
    1
    """
    return users.mask(is_nobody(users))
