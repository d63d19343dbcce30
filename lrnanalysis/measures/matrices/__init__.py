"""Long rows to dense persons × items arrays, shared by all measures.

`keys` turns key columns into numbers, `rows` groups a long table by session in the order shown,
`sessions` chooses whose rows count, `link` ties responses to items, `dense` writes the matrix,
`cells` names its kinds of cell.
"""

from lrnanalysis.measures.matrices.builder import Canvas, column_keys, matrix_values
from lrnanalysis.measures.matrices.cells import CELL_KINDS
from lrnanalysis.measures.matrices.keys import Keys, Runs, factorise, factorise_runs
from lrnanalysis.measures.matrices.response_links import (
    ItemResponses,
    answered_responses,
    item_responses,
    link_rows,
)
from lrnanalysis.measures.matrices.row_assignment import (
    Attempts,
    Chosen,
    RowKey,
    attempt_numbers,
    choose_sessions,
    has_status,
    picked_attempts,
    without_discarded,
)
from lrnanalysis.measures.matrices.session_rows import Block, SessionRows, session_rows

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
