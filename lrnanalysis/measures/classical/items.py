"""Item statistics: difficulty in its versions, and the indices of discrimination."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import FloatArray, check_fraction, choice, label_text, with_attrs
from lrnanalysis.measures.classical._difficulty import (
    difficulties,
    observed_difficulty,
    read_cells,
    unanswered_counts,
)
from lrnanalysis.measures.classical._discrimination import (
    biserial_factor,
    correlations_from,
    efficiency,
    share_correlations,
    upper_lower,
)
from lrnanalysis.measures.classical._item_scores import (
    ItemScores,
    MaxScore,
    max_scores,
    read_matrix,
)
from lrnanalysis.measures.classical._person_scores import PersonScores
from lrnanalysis.measures.classical.reliability import alphas_without, why_no_alpha_without

__all__ = ["item_statistics"]

_INDICES = (
    "item_total_r",
    "item_rest_r",
    "point_biserial",
    "biserial",
    "biserial_rest",
    "upper_lower",
    "efficiency",
    "alpha_if_deleted",
)

#: Those that are computed from each person's share of the points.
_BY_PERSON = ("upper_lower", "efficiency")

#: Versions of p by the kinds of cells.
_VERSIONS = ("administered", "reached", "attempted")


@checked
def item_statistics(
    matrix: pd.DataFrame,
    max_score: MaxScore = None,
    *,
    cells: pd.DataFrame | None = None,
    missing: Literal["pairwise", "listwise", "available"] | None = None,
    tail: float = 0.27,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Difficulty and discrimination of every item, whole or partial credit.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where missing.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points]. By default the highest that occurs on the item, which
        makes p too large where nobody got full marks.
    cells : DataFrame, persons × items, optional
        Kind of each cell, text or categories: "right", "wrong", "partial", "omitted",
        "not reached", "unmarked", "unscored", "rapid" or "not administered" (also where missing),
        as `lrnanalysis.scores.cell_matrix` gives them. Needed for the three versions of p and the
        counts of the kinds. It may hold more persons and items than the matrix, in any order.
    missing : {"pairwise", "listwise", "available"}, optional
        How incomplete rows enter discrimination. "pairwise": covariances over the persons who
        have both items, as in psych. "listwise": only persons who have every item. "available":
        everyone's share of the points on the items they had. By default "pairwise", and
        "available" where two items have no persons in common.
    tail : float, default 0.27
        Share of the persons in the upper and in the lower group of ``upper_lower``, up to 0.5.
    confidence : float, default 0.95
        Level of the intervals of p.

    Returns
    -------
    DataFrame
        One row per item, in the order of the matrix:

        * ``n`` persons with a score; ``mean``, ``sd`` and ``max_score`` [points];
        * ``p`` mean score over highest possible score of the matrix, ``p_low`` and ``p_high`` its
          interval: Wilson's for items scored 0 or full, otherwise Student's, cut at the possible
          scores;
        * with `cells` also ``n_``, ``p_``, ``p_low_`` and ``p_high_`` followed by
          ``administered`` (omitted and not reached count 0), ``reached`` (omitted counts 0) and
          ``attempted`` (scored answers only); then the number of cells of each other kind:
          ``n_omitted``, ``n_not_reached``, ``n_unmarked``, ``n_not_administered``, and
          ``n_unscored`` and ``n_rapid`` where such cells occur. Unmarked, unscored and rapid cells
          are in no version of p but ``p``, and in that only where the matrix has a score;
        * ``item_total_r`` Pearson correlation with the total, item included; ``item_rest_r`` with
          the total of the other items (corrected);
        * ``point_biserial`` the same as ``item_total_r`` for items with two scores, otherwise
          missing; ``biserial`` and ``biserial_rest`` the correlations of a normal variable
          underlying the item with total and rest, polyserial for more than two scores; they can
          exceed 1;
        * ``upper_lower`` (ULI) mean share of points in the upper `tail` of the persons minus that
          in the lower; persons tied at the edge count in part;
        * ``efficiency`` discriminative efficiency: covariance with the rest over the highest
          possible for these two distributions;
        * ``alpha_if_deleted`` Cronbach's alpha of the other items that vary, missing below three
          and for an item that does not vary.

        With gaps, "pairwise" gives psych's ``r.drop`` and ``alpha.drop``; its ``raw.r`` is the
        correlation with the mean of the items that the person has, as "available" gives it for
        items of one `max_score`.

        A value that the data do not determine is NaN, such as the discrimination of an item
        without variance; ``attrs["reasons"]`` says why, by column and item. The other ``attrs``
        name the rules used.

    Raises
    ------
    MeasureError
        If the matrix does not hold numbers, a score exceeds its maximum, `cells` does not cover
        the matrix, or an argument is out of range.

    References
    ----------
    Lord, F. M. & Novick, M. R. (1968). Statistical theories of mental test scores, ch. 15.
    Ebel, R. L. & Frisbie, D. A. (1991). Essentials of educational measurement, ch. 13 (ULI).
    Olsson, U., Drasgow, F. & Dorans, N. (1982). doi:10.1007/BF02294164 (polyserial, ad hoc).

    Examples
    --------
    >>> matrix = pd.DataFrame(
    ...     {"easy": [1, 1, 1, 0, 1, 1], "hard": [1, 0, 0, 0, 1, 0], "essay": [3, 2, 1, 0, 3, 1]}
    ... )
    >>> item_statistics(matrix)[["n", "p", "item_rest_r", "upper_lower"]].round(3)
           n      p  item_rest_r  upper_lower
    easy   6  0.833        0.586        0.617
    hard   6  0.333        0.766        1.000
    essay  6  0.556        0.951        0.872
    """
    if missing is not None:
        choice("missing", missing, ("pairwise", "listwise", "available"))
    check_fraction("confidence", confidence)
    check_fraction("2 × tail", 2 * tail, ends=True)
    scores = read_matrix(matrix)
    highest = max_scores(scores, max_score)
    observed = observed_difficulty(scores, highest, confidence)
    columns: dict[str, object] = {
        "n": scores.counts.astype(np.int64),
        "mean": scores.means,
        "sd": np.sqrt(scores.variances),
        "max_score": highest,
        "p": observed.p,
        "p_low": observed.low,
        "p_high": observed.high,
    }
    if cells is not None:
        kinds = read_cells(cells, scores)
        for name, version in difficulties(scores, kinds, highest, confidence).items():
            columns[f"n_{name}"] = version.n.astype(np.int64)
            columns[f"p_{name}"] = version.p
            columns[f"p_low_{name}"] = version.low
            columns[f"p_high_{name}"] = version.high
        for kind, count in unanswered_counts(kinds).items():
            columns["n_" + kind.replace(" ", "_")] = count.astype(np.int64)
    found, used = _discrimination(scores, highest, missing, tail)
    notes = {
        "measure": "item_statistics",
        "max_score": "highest that occurs" if max_score is None else "given",
        "p": "of the matrix; p_administered, p_reached and p_attempted need cells"
        if cells is None
        else "of the matrix; the other versions by the kinds of cells",
        "missing": used,
        "tail": tail,
        "confidence": confidence,
    }
    table = pd.DataFrame(columns | found, index=scores.items)
    return with_attrs(table, notes | {"reasons": _reasons(table, scores, used)})


def _reasons(table: pd.DataFrame, scores: ItemScores, used: str) -> dict[str, dict[str, str]]:
    """Why values are NaN: column → item → reason."""
    varying = int((~scores.constant).sum())
    found = {}
    for name in table.columns[table.isna().any()]:
        per_version = name.startswith("p_") and name.rpartition("_")[2] in _VERSIONS
        n = table["n_" + name.rpartition("_")[2] if per_version else "n"]
        gone = table[name].isna()
        found[name] = {
            label_text(item): _reason(name, int(n.iloc[at]), scores, at, used, varying)
            for at, item in enumerate(table.index)
            if gone.iloc[at]
        }
    return found


def _reason(name: str, n: int, scores: ItemScores, at: int, used: str, varying: int) -> str:
    """Why one value is NaN: the item's own data first, then those of the others."""
    if n < 2 or name not in _INDICES:
        # An interval of partial credit needs two persons, everything else outside the indices one.
        return "nobody has a score" if n == 0 else "one person has a score"
    if scores.constant[at]:
        return "everybody has the same score"
    if name == "point_biserial" and not scores.two_valued[at]:
        return "the item has more than two scores"
    if name == "alpha_if_deleted":
        return why_no_alpha_without(varying)
    if used == "listwise":
        return "among the persons who have every item the item, or the total, does not vary"
    if used == "pairwise" and name not in _BY_PERSON:
        return (
            "the total has no variance over pairs of items, or two items have fewer than two "
            "persons in common"
        )
    return "the total of the persons who have the item does not vary, or they have no other item"


def _discrimination(
    scores: ItemScores, highest: FloatArray, missing: str | None, tail: float
) -> tuple[dict[str, FloatArray], str]:
    """The columns of discrimination, and how missing cells were handled."""
    if missing == "listwise":
        scores = scores.listwise()
    # An item that at most one person has would make every covariance with it, and with them
    # every total, missing.
    usable = scores.counts > 1
    if not usable.any():
        return dict.fromkeys(_INDICES, np.full(len(usable), np.nan)), missing or "pairwise"
    scores, highest = scores.take(usable), highest[usable]
    covariance, _ = scores.covariances()
    used = missing or ("available" if np.isnan(covariance).any() else "pairwise")
    persons = PersonScores(scores, highest)
    if used == "available":
        with_total, with_rest = share_correlations(persons)
    else:
        with_total, with_rest = correlations_from(covariance)
    factor = biserial_factor(scores)
    # As psych does, alpha leaves out items that do not vary.
    varying = ~scores.constant
    without = np.full(len(varying), np.nan)
    without[varying] = alphas_without(covariance[np.ix_(varying, varying)])
    found = (
        with_total,
        with_rest,
        np.where(scores.two_valued, with_total, np.nan),
        with_total * factor,
        with_rest * factor,
        upper_lower(persons, tail),
        efficiency(persons),
        without,
    )
    columns = {name: np.full(len(usable), np.nan) for name in _INDICES}
    for name, values in zip(_INDICES, found, strict=True):
        columns[name][usable] = values
    return columns, used
