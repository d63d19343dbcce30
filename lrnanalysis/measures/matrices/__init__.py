"""Long rows to persons × items matrices, shared by all measures.

`keys`: key columns as integers. `session_rows`: a long table grouped by session in the order
shown. `response_links`: responses tied to items. `builder`: the matrix.
"""

from lrnanalysis.measures.matrices.builder import MatrixBuilder
from lrnanalysis.measures.matrices.keys import (
    Keys,
    check_unique_key,
    factorise,
    factorise_columns,
    names_of,
    person_keys,
    required_keys,
)
from lrnanalysis.measures.matrices.response_links import (
    ItemResponses,
    answered_responses,
    item_responses,
    link_rows,
    marked_by_hand,
)
from lrnanalysis.measures.matrices.session_rows import SessionRows, session_rows

__all__ = [
    "ItemResponses",
    "Keys",
    "MatrixBuilder",
    "SessionRows",
    "answered_responses",
    "check_unique_key",
    "factorise",
    "factorise_columns",
    "item_responses",
    "link_rows",
    "marked_by_hand",
    "names_of",
    "person_keys",
    "required_keys",
    "session_rows",
]
