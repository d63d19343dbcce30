"""From long rows to dense persons × items arrays.

Arrays are items × persons in memory, the layout that pandas keeps its columns in: a column of
the resulting frame is one contiguous stretch, and making the frame copies nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, IntArray, as_floats, with_attrs
from lrnanalysis.measures.matrices.keys import Keys, factorise
from lrnanalysis.measures.matrices.row_assignment import Chosen
from lrnanalysis.measures.matrices.session_rows import Block

__all__ = ["Canvas", "column_keys", "matrix_values"]

ScalarT = TypeVar("ScalarT", bound=np.generic)


class Canvas:
    """A dense matrix that long rows are written into, each cell at most once.

    Parameters
    ----------
    chosen : Chosen
        Matrix row of every session, and the rows' labels.
    columns : Index
        Labels of the columns.
    fill : scalar array
        What a cell without a row holds; its dtype is the matrix's.
    """

    def __init__(self, chosen: Chosen, columns: pd.Index, fill: np.generic) -> None:
        self._chosen = chosen
        self._columns = columns
        self.values = np.full((len(columns), len(chosen.index)), fill)
        self._seen = np.zeros(self.values.shape, dtype=bool)
        self._written = 0

    def kept(self, block: Block) -> tuple[IntArray, BoolArray]:
        """Matrix row of each of a block's rows, and whether it has one."""
        row = block.spread(self._chosen.row[block.groups])
        return row, row >= 0

    def write(self, block: Block, codes: IntArray, values: npt.NDArray[ScalarT]) -> None:
        """Write a block's rows: `codes` are their columns (-1 writes nothing)."""
        row, kept = self.kept(block)
        kept &= codes >= 0
        if not kept.all():
            row, codes, values = row[kept], codes[kept], values[kept]
        flat = codes.astype(np.int64) * self.values.shape[1] + row
        self.values.reshape(-1)[flat] = values
        self._seen.reshape(-1)[flat] = True
        self._written += len(flat)

    def finish(self) -> None:
        """Drop columns that no row went to, such as those of sessions left out.

        Raises
        ------
        MeasureError
            If two rows went to one cell.
        """
        double = self._written - int(np.count_nonzero(self._seen))
        if double:
            what = f"one {self._chosen.index.name} and one {self._columns.name}"
            raise MeasureError(
                f"{double} rows fall on a cell that another row already holds ({what}): use "
                'rows="session_id", take one activity at a time, or drop repeated rows with '
                "drop_duplicates"
            )
        used: BoolArray = np.asarray(self._seen.any(axis=1))
        if not used.all():
            self.values, self._columns = self.values[used], self._columns[used]
            self._seen = self._seen[used]

    def frame(self, notes: Mapping[str, object]) -> pd.DataFrame:
        """The matrix as a DataFrame, persons in rows, without a copy."""
        self.finish()
        result = pd.DataFrame(
            self.values.T, index=self._chosen.index, columns=self._columns, copy=False
        )
        return with_attrs(result, notes)

    def category_frame(
        self, dtype: pd.CategoricalDtype, notes: Mapping[str, object]
    ) -> pd.DataFrame:
        """The matrix of codes as a DataFrame of category columns."""
        self.finish()
        columns = {
            number: pd.Categorical.from_codes(codes, dtype=dtype)
            for number, codes in enumerate(self.values)
        }
        result = pd.DataFrame(columns, index=self._chosen.index, copy=False)
        result.columns = self._columns
        return with_attrs(result, notes)


def column_keys(frame: pd.DataFrame, name: str, *, missing: bool = False) -> Keys:
    """Column codes of a matrix, one a row of the frame.

    Raises
    ------
    MeasureError
        If a value is missing and `missing` is false.
    """
    keys = factorise(frame[name])
    lost = int((keys.codes < 0).sum())
    if lost and not missing:
        raise MeasureError(
            f'{lost} of {len(frame)} rows have no {name}: leave them out with dropna(["{name}"])'
        )
    return Keys(keys.codes, keys.labels.rename(name))


def matrix_values(matrix: pd.DataFrame, *, what: str = "matrix") -> npt.NDArray[np.float64]:
    """A persons × items frame's values as float64 with NaN; a view where it already is.

    Raises
    ------
    MeasureError
        If `matrix` is not a DataFrame of numbers, or has repeated columns.
    """
    if not isinstance(matrix, pd.DataFrame):
        raise MeasureError(
            f"{what} is a {type(matrix).__name__}: give a DataFrame, persons in rows, items in "
            "columns"
        )
    if not matrix.columns.is_unique:
        raise MeasureError(f"{what} has repeated column labels: give every item one column")
    if all(dtype == np.float64 for dtype in matrix.dtypes):
        return matrix.to_numpy()
    values = np.empty((matrix.shape[1], len(matrix)))
    for number, (_, column) in enumerate(matrix.items()):
        values[number] = as_floats(column)
    return values.T
