"""Long rows to dense persons × items arrays, shared by all measures.

`keys` turns key columns into numbers, `rows` groups a long table by session in the order shown,
`sessions` chooses whose rows count, `link` ties responses to items, `dense` writes the matrix,
`cells` names its kinds of cell.
"""

from lrnanalysis.measures.matrices.cells import CELL_KINDS
from lrnanalysis.measures.matrices.dense import Canvas, column_keys, matrix_values
from lrnanalysis.measures.matrices.keys import Keys, Runs, factorise, factorise_runs
from lrnanalysis.measures.matrices.link import (
    ItemResponses,
    answered_responses,
    item_responses,
    link_rows,
)
from lrnanalysis.measures.matrices.rows import Block, SessionRows, session_rows
from lrnanalysis.measures.matrices.sessions import (
    Attempts,
    Chosen,
    RowKey,
    attempt_numbers,
    choose_sessions,
    has_status,
    picked_attempts,
    without_discarded,
)

__all__ = [
    "CELL_KINDS",
    "Attempts",
    "Block",
    "Canvas",
    "Chosen",
    "ItemResponses",
    "Keys",
    "RowKey",
    "Runs",
    "SessionRows",
    "answered_responses",
    "attempt_numbers",
    "choose_sessions",
    "column_keys",
    "factorise",
    "factorise_runs",
    "has_status",
    "item_responses",
    "link_rows",
    "matrix_values",
    "picked_attempts",
    "session_rows",
    "without_discarded",
]
