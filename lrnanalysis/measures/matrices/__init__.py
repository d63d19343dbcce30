"""Long rows to persons × items matrices, shared by all measures.

`keys`: key columns as integers. `session_rows`: a long table grouped by session in the order
shown. `response_links`: responses tied to items. `builder`: the matrix.
"""

from lrnanalysis.measures.matrices.builder import MatrixBuilder
from lrnanalysis.measures.matrices.keys import (
    Keys,
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
)
from lrnanalysis.measures.matrices.session_rows import SessionRows, session_rows

__all__ = [
    "ItemResponses",
    "Keys",
    "MatrixBuilder",
    "SessionRows",
    "answered_responses",
    "factorise",
    "factorise_columns",
    "item_responses",
    "link_rows",
    "names_of",
    "person_keys",
    "required_keys",
    "session_rows",
]
