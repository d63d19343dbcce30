"""Forms: the sets of items that persons were given, and the totals within each.

A total is comparable, and has a maximum that somebody could reach, only among persons who were
given the same items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import BoolArray, IntArray, with_attrs
from lrnanalysis.measures.classical._covariance_structure import cronbach_alpha, spread_of_total
from lrnanalysis.measures.classical._item_scores import ItemScores, read_matrix

__all__ = ["Forms", "form_totals", "forms_of"]


@dataclass(frozen=True, eq=False)
class Forms:
    """Who was given which set of items.

    Attributes
    ----------
    codes : array of int, shape (persons,)
        Form of each person, -1 for a person who was given nothing; the form of the most persons
        is 0.
    items : array of bool, shape (forms, items)
        The items of each form.
    persons : array of int, shape (forms,)
        Number of persons of each form.
    """

    codes: IntArray
    items: BoolArray
    persons: IntArray

    def __len__(self) -> int:
        return len(self.persons)


def forms_of(administered: BoolArray) -> Forms:
    """The different rows of a persons × items array of what was administered.

    Examples
    --------
    >>> forms = forms_of(np.array([[True, True, False], [False, True, True], [True, True, False]]))
    >>> len(forms), forms.codes.tolist(), forms.persons.tolist()
    (2, [0, 1, 0], [2, 1])
    """
    n_items = administered.shape[1]
    # Eight items a byte, and a form one opaque value: sorting them is fast.
    packed = np.ascontiguousarray(np.packbits(administered, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1])))[:, 0]
    _, first, codes, persons = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    given = administered[first].any(axis=1)
    order = np.lexsort((first, -persons, ~given))[: int(given.sum())]
    place = np.full(len(first) + 1, -1, dtype=np.intp)
    place[order] = np.arange(len(order))
    items = np.unpackbits(packed[first[order]], axis=1, count=n_items).astype(bool)
    return Forms(place[codes], items, persons[order])


def form_totals(
    scores: pd.DataFrame,
    highest: pd.Series,
    forms: Forms,
    *,
    missing: Literal["pairwise", "listwise"] = "pairwise",
) -> pd.DataFrame:
    """The total of each form: persons, items, mean, SD, maximum.

    Parameters
    ----------
    scores : DataFrame, persons × items
        Scores [points], NaN where missing.
    highest : Series of item → float
        Highest possible scores [points].
    forms : Forms
        The forms of the persons of `scores`.
    missing : {"pairwise", "listwise"}, default "pairwise"
        Whether incomplete persons count with what they have, or not at all.

    Returns
    -------
    DataFrame
        One row per form (index ``form``, from 1, by number of persons): ``persons``, ``items``,
        ``max_score`` [points], ``complete`` persons with a score on every item of the form,
        ``mean`` of the total (the sum of the items' means) with ``sd`` [points] and ``alpha``,
        each NaN where the form's persons do not determine it, and ``names`` of the items.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [1.0, 0, None], "b": [1.0, 0, 1], "c": [None, None, 0.0]})
    >>> forms = forms_of(scores.notna().to_numpy())
    >>> found = form_totals(scores, pd.Series(1.0, index=scores.columns), forms)
    >>> found[["persons", "max_score", "mean"]].reset_index()
       form  persons  max_score  mean
    0     1        2        2.0   1.0
    1     2        1        2.0   1.0
    """
    read = read_matrix(scores, what="scores")
    labels = read.items.to_numpy(dtype=object)
    most = highest.reindex(scores.columns).to_numpy(dtype="float64")
    given = forms.codes >= 0
    whole = np.zeros(len(given), dtype=bool)
    whole[given] = (read.present.T[given] | ~forms.items[forms.codes[given]]).all(axis=1)
    counted = given & whole if missing == "listwise" else given
    members = np.flatnonzero(counted)[np.argsort(forms.codes[counted], kind="stable")]
    n = np.bincount(forms.codes[counted], minlength=len(forms))
    first = np.cumsum(n) - n
    mean, sd, alpha = np.full((3, len(forms)), np.nan)
    for form in np.flatnonzero(n > 1):
        own, rows = forms.items[form], members[first[form] : first[form] + n[form]]
        part = ItemScores(read.values[np.ix_(own, rows)], read.items[own], read.persons[rows])
        mean[form] = part.means.sum()
        covariance, _ = part.covariances()
        if not np.isnan(covariance).any():
            varying = ~part.constant
            sd[form] = spread_of_total(covariance)
            alpha[form] = cronbach_alpha(covariance[np.ix_(varying, varying)])
    # All forms of one person at once: a test drawn at random has as many forms as persons.
    alone = np.flatnonzero(n == 1)
    person = members[first[alone]]
    points = (read.filled.T[person] * forms.items[alone]).sum(axis=1)
    mean[alone] = np.where(whole[person], points, np.nan)
    table = pd.DataFrame(
        {
            "persons": forms.persons,
            "items": forms.items.sum(axis=1),
            "max_score": forms.items @ most,
            "complete": np.bincount(forms.codes[given & whole], minlength=len(forms)),
            "mean": mean,
            "sd": sd,
            "alpha": alpha,
            "names": [tuple(labels[own]) for own in forms.items],
        },
        index=pd.RangeIndex(1, len(forms) + 1, name="form"),
    )
    return with_attrs(
        table,
        {"measure": "form_totals", "missing": missing, "form": "set of items administered"},
    )
