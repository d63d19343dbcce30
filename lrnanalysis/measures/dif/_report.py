"""What the result tables of all DIF methods have in common."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.measures._checks import BoolArray, FloatArray, with_attrs
from lrnanalysis.measures.dif._design import DifDesign

__all__ = ["describe", "sizes", "text"]


def describe(
    design: DifDesign,
    columns: Mapping[str, object],
    *,
    measure: str,
    purification: Mapping[str, object] | None,
    **notes: object,
) -> pd.DataFrame:
    """One row per item, with the rules in ``attrs``."""
    table = pd.DataFrame({**columns, "anchor": design.anchor}, index=design.scored.items)
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


def text(values: npt.NDArray[np.str_], known: BoolArray) -> object:
    """A column of text where it is known, missing elsewhere."""
    return pd.Series(values, dtype="str").where(known).array
