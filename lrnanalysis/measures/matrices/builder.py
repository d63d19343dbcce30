"""From the rows of a long table to persons × items matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, IntArray
from lrnanalysis.measures.matrices.keys import Keys, count_repeated

__all__ = ["MatrixBuilder"]

Int8Array = npt.NDArray[np.int8]


class MatrixBuilder:
    """Scatter the rows of a long table into persons × items.

    Rows with a code of -1 are left out, and so are labels without a row.

    Parameters
    ----------
    rows, columns : Keys
        Person and item of every row of the table.

    Attributes
    ----------
    inside : array of bool
        Which rows of the table are in the matrix.
    rows, columns : Index
        Labels of the matrix.

    Raises
    ------
    MeasureError
        Two rows fall on one cell.
    """

    def __init__(self, rows: Keys, columns: Keys) -> None:
        self.inside = (rows.codes >= 0) & (columns.codes >= 0)
        self._chosen = slice(None) if self.inside.all() else self.inside
        # Items × persons in memory: a column of the frame is one contiguous stretch.
        item, self.columns = _compact(columns.codes[self._chosen], columns.labels)
        place, self.rows = _compact(rows.codes[self._chosen], rows.labels)
        self._shape = (len(self.columns), len(self.rows))
        self._flat = item.astype(np.int64)
        self._flat *= len(self.rows)
        self._flat += place
        repeated = count_repeated(self._flat, self._shape[0] * self._shape[1])
        if repeated:
            raise MeasureError(
                f"{repeated} rows fall on a cell that another row already fills (one "
                f"{self.rows.name} and one {self.columns.name}): use one row per session, take "
                "one activity at a time, or drop repeated rows with drop_duplicates"
            )

    def numbers(self, values: FloatArray, *, fill: float = np.nan) -> pd.DataFrame:
        """The matrix of float64 values, one per row of the table."""
        matrix = np.full(self._shape, fill)
        matrix.reshape(-1)[self._flat] = values[self._chosen]
        return pd.DataFrame(matrix.T, index=self.rows, columns=self.columns, copy=False)

    def categories(
        self, codes: Int8Array, dtype: pd.CategoricalDtype, *, fill: int
    ) -> pd.DataFrame:
        """The matrix of categories, of one code per row of the table."""
        matrix = np.full(self._shape, fill, dtype=np.int8)
        matrix.reshape(-1)[self._flat] = codes[self._chosen]
        columns = {
            number: pd.Categorical.from_codes(column, dtype=dtype)
            for number, column in enumerate(matrix)
        }
        result = pd.DataFrame(columns, index=self.rows, copy=False)
        result.columns = self.columns
        return result


def _compact(codes: IntArray, labels: pd.Index) -> tuple[IntArray, pd.Index]:
    """The codes in terms of the labels that they use, and those labels."""
    used = np.bincount(codes, minlength=len(labels)) > 0
    if used.all():
        return codes, labels
    return (np.cumsum(used) - 1)[codes], labels[used]
