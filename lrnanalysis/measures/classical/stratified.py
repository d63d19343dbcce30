"""Stratified alpha: reliability of a total over items of different kinds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, check_fraction, choice, label_text, with_attrs
from lrnanalysis.measures.classical._covariance_structure import (
    cronbach_alpha,
    spread_of_total,
    total_variance,
)
from lrnanalysis.measures.classical._item_scores import (
    MaxScore,
    Missing,
    Strata,
    max_scores,
    read_matrix,
    read_strata,
)
from lrnanalysis.measures.classical._stratified import (
    across_strata,
    strata_of,
    why_not_stratified,
)
from lrnanalysis.measures.classical.reliability import item_covariances, why_no_total

__all__ = ["stratified_alpha"]


@checked
def stratified_alpha(
    matrix: pd.DataFrame,
    max_score: MaxScore = None,
    *,
    strata: Strata = None,
    reliabilities: Mapping[Hashable, float] | pd.Series | None = None,
    missing: Missing = "pairwise",
) -> pd.Series:
    """Reliability of a total over items of different kinds: 1 − Σ σ²_k (1 − α_k) / σ²_total.

    Alpha takes all items for alike. Where they differ in weight or format, as ten items worth
    1 point and an essay worth 20, it is far below the reliability; the errors of strata of items
    that are alike add up to the error of the total.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Scores [points], NaN where missing.
    max_score : float, mapping or Series of item → float, optional
        Highest possible score [points]; by default the highest that occurs on the item.
    strata : mapping or Series of item → stratum, optional
        Which items are alike. By default those of the same `max_score`.
    reliabilities : mapping or Series of stratum → float, optional
        Reliabilities between 0 and 1 to take in place of a stratum's alpha. An item that is alone
        in its stratum has no alpha: without its reliability, from two raters say, the result is
        NaN. By default the strata are named by their `max_score`: ``{20: 0.85}``.
    missing : {"pairwise", "listwise"}, default "pairwise"
        How incomplete persons enter covariances, see `reliability`.

    Returns
    -------
    Series of float64
        ``n`` persons, ``items`` that vary and ``strata`` that have such items;
        ``stratified_alpha``, and ``alpha`` of all items for comparison; ``sd`` of the total and
        ``sem`` = sd √(1 − stratified alpha) [points]. ``attrs["strata"]`` has, per stratum, the
        number of ``items``, the ``variance`` of their sum [points²], its ``reliability``, and
        whether that was ``given``; ``attrs["reasons"]`` says why a value is NaN.

    Raises
    ------
    MeasureError
        As `reliability`; or an item has no stratum, `reliabilities` names a stratum that does not
        exist, or a reliability is out of range.

    References
    ----------
    Rajaratnam, N., Cronbach, L. J. & Gleser, G. C. (1965). doi:10.1007/BF02289746

    Examples
    --------
    >>> matrix = pd.DataFrame({
    ...     "a": [0, 0, 1, 1, 1], "b": [0, 1, 0, 1, 1], "c": [0, 0, 1, 1, 0],
    ...     "essay": [2, 9, 8, 15, 20],
    ... })
    >>> found = stratified_alpha(matrix, {"a": 1, "b": 1, "c": 1, "essay": 20})
    >>> print(found.attrs["reasons"]["stratified_alpha"].partition(":")[0])
    one item is alone in stratum 20 and has no alpha
    >>> known = stratified_alpha(
    ...     matrix, {"a": 1, "b": 1, "c": 1, "essay": 20}, reliabilities={20: 0.85}
    ... )
    >>> known[["strata", "stratified_alpha", "alpha", "sem"]].round(3).to_dict()
    {'strata': 2.0, 'stratified_alpha': 0.871, 'alpha': 0.268, 'sem': 2.803}
    """
    choice("missing", missing, ("pairwise", "listwise"))
    scores = read_matrix(matrix)
    stratum, names = read_strata(strata, scores.items, max_scores(scores, max_score))
    given = _given(reliabilities, names)
    covariance, n, varying, used = item_covariances(scores, missing)
    found = strata_of(covariance, stratum[varying], names, given)
    total, value = total_variance(covariance), across_strata(covariance, found)
    values = {
        "n": n,
        "items": len(covariance),
        "strata": len(found),
        "stratified_alpha": value,
        "alpha": cronbach_alpha(covariance),
        "sd": spread_of_total(covariance),
        "sem": np.sqrt(total * (1 - value)) if value <= 1 else np.nan,
    }
    why = why_no_total(covariance) or why_not_stratified(found) or "the reliability is above 1"
    return with_attrs(
        pd.Series(values, dtype="float64"),
        {
            "measure": "stratified_alpha",
            "missing": "none missing" if scores.complete else missing,
            "persons_left_out": len(scores.persons) - len(used.persons),
            "items_left_out": [str(item) for item in scores.items[~varying]],
            "strata": {
                one.label: {
                    "items": one.items,
                    "variance": one.variance,
                    "reliability": one.reliability,
                    "given": one.given,
                }
                for one in found
            },
            "reasons": {name: why for name, value in values.items() if np.isnan(value)},
        },
    )


def _given(reliabilities: object, names: list[Hashable]) -> FloatArray | None:
    """The reliability of each stratum, NaN where none is given."""
    if reliabilities is None:
        return None
    if not isinstance(reliabilities, Mapping | pd.Series):
        raise MeasureError(
            f"reliabilities is a {type(reliabilities).__name__}: pass a mapping or Series of "
            "stratum → reliability"
        )
    result = np.full(len(names), np.nan)
    for name, value in dict(reliabilities.items()).items():
        if name not in names:
            raise MeasureError(
                f"reliabilities names the stratum {name!r}: the strata are "
                f"{', '.join(map(label_text, names))}"
            )
        check_fraction(f"the reliability of stratum {name!r}", value, ends=True)
        result[names.index(name)] = value
    return result
