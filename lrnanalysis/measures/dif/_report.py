"""What the result tables of all DIF methods have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.measures._checks import BoolArray, FloatArray, with_attrs
from lrnanalysis.measures.dif._design import DifDesign

__all__ = ["describe", "groups_without_scores", "not_comparable", "sizes", "text"]


def describe(
    design: DifDesign,
    columns: Mapping[str, object],
    *,
    reasons: Sequence[str],
    measure: str,
    purification: Mapping[str, object] | None,
    **notes: object,
) -> pd.DataFrame:
    """One row per item, with why values are missing (empty: none is) and the rules in ``attrs``."""
    reason = np.array(reasons, dtype=np.str_)
    table = pd.DataFrame(
        {**columns, "anchor": design.anchor, "reason": text(reason, reason != "")},
        index=design.scored.items,
    )
    return with_attrs(
        table,
        {
            "measure": measure,
            "reference": design.names[0],
            "focal": list(design.names[1:]),
            "persons_left_out": design.left_out,
            "match": "total of the anchor items and the item" if design.match is None else "given",
            "incomplete": design.match is None and not design.scored.complete,
            "strata": "one a value" if design.strata is None else design.strata,
            "purification": "none" if purification is None else dict(purification),
            **notes,
        },
    )


def sizes(n: FloatArray) -> dict[str, object]:
    """Columns of the groups' sizes from an array of shape (items, groups)."""
    return {
        "n_reference": n[:, 0].astype(np.int64),
        "n_focal": n[:, 1:].sum(axis=1).astype(np.int64),
    }


def not_comparable(n: FloatArray, scores: int, names: Sequence[str]) -> str:
    """Why the groups cannot be compared on an item at all; empty where they can.

    Parameters
    ----------
    n : array, shape (groups,)
        Persons with a score on the item.
    scores : int
        Number of different scores.
    names : sequence of str
        The groups.
    """
    present = np.flatnonzero(n)
    if len(present) == 0:
        return "nobody has a score"
    if len(present) == 1:
        return f"only group {names[int(present[0])]!r} has scores"
    return "everybody has the same score" if scores < 2 else ""


def groups_without_scores(n: FloatArray, names: Sequence[str]) -> str:
    """Names the groups without a person on the item, for the methods that compare the others."""
    absent = ", ".join(repr(name) for name, size in zip(names, n, strict=True) if size == 0)
    return f"no scores in group {absent}: df is that of the other groups" if absent else ""


def text(values: npt.NDArray[np.str_], known: BoolArray) -> object:
    """A column of text where it is known, missing elsewhere."""
    return pd.Series(values, dtype="str").where(known).array
