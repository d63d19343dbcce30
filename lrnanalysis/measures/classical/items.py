"""Item statistics: difficulty in its versions and discrimination by every name."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.measures._checks import FloatArray, check_fraction, choice, with_attrs
from lrnanalysis.measures.classical._codes import (
    cell_counts,
    difficulties,
    plain_difficulty,
    read_codes,
)
from lrnanalysis.measures.classical._data import (
    MaxScore,
    Scored,
    max_scores,
    read_matrix,
)
from lrnanalysis.measures.classical._discrimination import (
    biserial_factor,
    correlations_from,
    efficiency,
    person_scores,
    share_correlations,
    upper_lower,
)
from lrnanalysis.measures.classical.reliability import alphas_without

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


def item_statistics(
    matrix: pd.DataFrame,
    max_score: MaxScore = None,
    *,
    codes: pd.DataFrame | None = None,
    missing: Literal["pairwise", "listwise", "available"] | None = None,
    tail: float = 0.27,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Difficulty and discrimination of every item, whole or partial credit.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where there is none.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points]. By default the highest that occurs on the item, which
        makes p too large where nobody got full marks.
    codes : DataFrame, persons × items, optional
        What each cell is: "right", "wrong", "partial", "omitted", "not reached", "unmarked" or
        "not administered", as text, categories or the numbers 0 to 6 in this order. Needed for
        the three versions of p and for the counts of the kinds of missing. It may hold more
        persons and items than the matrix, in any order.
    missing : "pairwise", "listwise" or "available", optional
        How incomplete rows enter discrimination. "pairwise": covariances over the persons who
        have both items, as in psych. "listwise": only persons who have every item. "available":
        everyone's share of the points on the items they had. By default "pairwise", and
        "available" where forms keep two items from ever meeting.
    tail : float
        Share of the persons in the upper and in the lower group of `upper_lower`, up to 0.5.
    confidence : float
        Level of the intervals of p.

    Returns
    -------
    DataFrame
        One row an item, in the matrix's order:

        * ``n`` persons with a score; ``mean``, ``sd`` and ``max_score`` [points];
        * ``p`` mean score over highest possible score of the matrix as given, ``p_low`` and
          ``p_high`` its interval: Wilson's for items scored 0 or full, else Student's, cut at the
          possible scores;
        * with `codes` also ``n_``, ``p_``, ``p_low_`` and ``p_high_`` followed by
          ``administered`` (cells without an answer count 0), ``reached`` (not reached is missing,
          omitted counts 0) and ``attempted`` (answers only; an answer without a score is left
          out), then ``n_omitted``, ``n_not_reached``, ``n_unmarked`` (in no version of p) and
          ``n_not_administered``;
        * ``item_total_r`` Pearson correlation with the total, item included; ``item_rest_r`` with
          the total of the other items (corrected);
        * ``point_biserial`` the same as ``item_total_r`` where the item has two scores, else
          missing; ``biserial`` and ``biserial_rest`` the correlations of a normal variable behind
          the item with total and rest, polyserial for more than two scores; they can pass 1;
        * ``upper_lower`` (ULI) mean share of points in the best `tail` less that in the weakest;
          tied persons share the places left;
        * ``efficiency`` discriminative efficiency: covariance with the rest over the highest
          possible with these two distributions;
        * ``alpha_if_deleted`` Cronbach's alpha of the other items, missing below three.

        A value that the data do not allow is NaN: discrimination of an item that everybody
        scores alike, say. ``attrs`` names the rules used.

    Raises
    ------
    MeasureError
        If the matrix holds no numbers, a score exceeds its maximum, codes do not cover the
        matrix, or an argument is out of range.

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
    check_fraction("tail", 2 * tail, ends=True)
    scored = read_matrix(matrix)
    highest = max_scores(scored, max_score)
    plain = plain_difficulty(scored, highest, confidence)
    columns: dict[str, object] = {
        "n": scored.counts.astype(np.int64),
        "mean": scored.means,
        "sd": np.sqrt(scored.variances),
        "max_score": highest,
        "p": plain.p,
        "p_low": plain.low,
        "p_high": plain.high,
    }
    if codes is not None:
        cells = read_codes(codes, scored)
        for name, one in difficulties(scored, cells, highest, confidence).items():
            columns[f"n_{name}"] = one.n.astype(np.int64)
            columns[f"p_{name}"] = one.p
            columns[f"p_low_{name}"] = one.low
            columns[f"p_high_{name}"] = one.high
        for kind, count in cell_counts(cells).items():
            columns["n_" + kind.replace(" ", "_")] = count.astype(np.int64)
    found, used = _discrimination(scored, highest, missing, tail)
    notes = {
        "measure": "item_statistics",
        "max_score": "highest that occurs" if max_score is None else "given",
        "p": "NaN is not administered; p_administered, p_reached and p_attempted need codes"
        if codes is None
        else "p is of the matrix as given; the other versions are of the codes",
        "missing": used,
        "tail": tail,
        "confidence": confidence,
    }
    return with_attrs(pd.DataFrame(columns | found, index=scored.items), notes)


def _discrimination(
    scored: Scored, highest: FloatArray, missing: str | None, tail: float
) -> tuple[dict[str, FloatArray], str]:
    """The columns of discrimination, and how missing cells were handled."""
    if missing == "listwise":
        scored = scored.complete()
    # An item that nobody or one person has would make every covariance with it, and with it
    # every total, missing.
    usable = scored.counts > 1
    if not usable.any():
        return dict.fromkeys(_INDICES, np.full(len(usable), np.nan)), missing or "pairwise"
    scored, highest = scored.take(usable), highest[usable]
    covariance, _ = scored.covariances()
    apart = bool(np.isnan(covariance).any())
    used = missing or ("available" if apart else "pairwise")
    persons = person_scores(scored, highest)
    if used == "available":
        with_total, with_rest = share_correlations(scored, highest, persons)
    else:
        with_total, with_rest = correlations_from(covariance)
    factor = biserial_factor(scored)
    found = (
        with_total,
        with_rest,
        np.where(scored.two_valued, with_total, np.nan),
        with_total * factor,
        with_rest * factor,
        upper_lower(scored, highest, persons.total, tail),
        efficiency(scored, highest, persons),
        alphas_without(covariance),
    )
    columns = {}
    for name, values in zip(_INDICES, found, strict=True):
        columns[name] = np.full(len(usable), np.nan)
        columns[name][usable] = values
    return columns, used
