"""Adjustment of p values for the number of items, and purification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from lrnanalysis.measures._checks import BoolArray, FloatArray, choice
from lrnanalysis.measures.dif._design import DifDesign

__all__ = ["Adjustment", "adjust_p", "purified"]

#: Benjamini and Hochberg's false discovery rate, Holm's or Bonferroni's familywise rate, or none.
Adjustment = Literal["BH", "holm", "bonferroni"] | None


def adjust_p(p: FloatArray, method: Adjustment) -> FloatArray:
    """Adjusted p values, as R's ``p.adjust``; missing ones stay missing and do not count.

    Benjamini & Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x; Holm (1979),
    https://www.jstor.org/stable/4615733.

    Examples
    --------
    >>> adjust_p(np.array([0.01, 0.04, 0.03]), "BH").round(3).tolist()
    [0.03, 0.04, 0.04]
    >>> adjust_p(np.array([0.01, 0.04, 0.03]), "holm").round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    choice("adjust", method, ("BH", "holm", "bonferroni", None))
    result = p.copy()
    known = ~np.isnan(p)
    values = p[known]
    n = len(values)
    if method is None or n == 0:
        return result
    order = np.argsort(values)
    rank = np.arange(1, n + 1)
    if method == "bonferroni":
        adjusted = n * values[order]
    elif method == "holm":
        adjusted = np.maximum.accumulate((n - rank + 1) * values[order])
    else:
        adjusted = np.minimum.accumulate((n / rank * values[order])[::-1])[::-1]
    values[order] = np.minimum(adjusted, 1.0)
    result[known] = values
    return result


def purified(
    design: DifDesign, flagged: Callable[[DifDesign], BoolArray], purify: bool, max_rounds: int
) -> tuple[DifDesign, dict[str, object] | None]:
    """Leave flagged items out of the matching total until the same items are flagged again.

    Lord (1980), p. 220; Clauser, Mazor & Hambleton (1993), doi:10.1207/s15324818ame0604_2.

    Returns
    -------
    (DifDesign, dict or None)
        The last design, and what happened; the design given and None without `purify`.
    """
    if not purify:
        return design, None
    seen: list[bytes] = []
    anchor = design.anchor
    for done in range(max_rounds + 1):
        fair = ~flagged(design.with_anchor(anchor))
        if np.array_equal(fair, anchor):
            return design.with_anchor(anchor), _outcome(done, True, "the same items flagged twice")
        if not fair.any():
            return design.with_anchor(anchor), _outcome(done, False, "every item is flagged")
        if fair.tobytes() in seen:
            return design.with_anchor(anchor), _outcome(done, False, "the same sets of items recur")
        if done < max_rounds:
            seen.append(fair.tobytes())
            anchor = fair
    return design.with_anchor(anchor), _outcome(max_rounds, False, "max_rounds reached")


def _outcome(rounds: int, converged: bool, why: str) -> dict[str, object]:
    return {"rounds": rounds, "converged": converged, "stopped": why}
