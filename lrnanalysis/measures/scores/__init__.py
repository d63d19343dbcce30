"""Scores: statuses and percentages, attempts, kinds of cell, matrices.

`status`: where sessions stand. `attempts`: which of a learner's sessions to take. `overview`: a
table by activity. `kinds`: right, wrong, partial, omitted, not reached, unmarked, not
administered. `matrix`: persons × items. `responses`: the same a response.
"""

from lrnanalysis.measures.matrices import CELL_KINDS
from lrnanalysis.measures.scores.attempts import (
    attempt_number,
    best_attempts,
    first_attempts,
    last_attempts,
)
from lrnanalysis.measures.scores.cell_kinds import cell_codes, cell_kinds
from lrnanalysis.measures.scores.response_scores import (
    RESPONSE_STATUSES,
    response_score_matrix,
    response_status,
)
from lrnanalysis.measures.scores.score_matrix import ScoreValue, score_matrix
from lrnanalysis.measures.scores.session_summary import summary
from lrnanalysis.measures.scores.status import (
    is_completed,
    is_discarded,
    is_incomplete,
    is_pending_scoring,
    is_status,
    progress,
    score_percent,
    status_counts,
)

__all__ = [
    "CELL_KINDS",
    "RESPONSE_STATUSES",
    "ScoreValue",
    "attempt_number",
    "best_attempts",
    "cell_codes",
    "cell_kinds",
    "first_attempts",
    "is_completed",
    "is_discarded",
    "is_incomplete",
    "is_pending_scoring",
    "is_status",
    "last_attempts",
    "progress",
    "response_score_matrix",
    "response_status",
    "score_matrix",
    "score_percent",
    "status_counts",
    "summary",
]
