"""Scores: statuses and percentages, attempts, kinds of cell, matrices.

`status`: status and progress of sessions. `percent`: share of points. `attempts`: which of a
learner's sessions to take. `session_summary`: a table by activity. `cell_kinds`: right, wrong,
partial, omitted, not reached and others. `common_scale`: items worth different points in different
sessions. `score_matrix`: persons × items, persons × questions. `response_scores`: the status of
responses.
"""

from lrnanalysis.measures.scores.attempts import (
    Attempts,
    attempt_number,
    best_attempts,
    first_attempts,
    last_attempts,
    pick_attempts,
)
from lrnanalysis.measures.scores.cell_kinds import (
    CELL_DTYPE,
    CELL_KINDS,
    Cells,
    ScoreValue,
    cell_kinds,
    cell_matrix,
    item_cells,
    question_cells,
)
from lrnanalysis.measures.scores.percent import UnmarkedPoints, score_percent
from lrnanalysis.measures.scores.response_scores import RESPONSE_STATUSES, response_status
from lrnanalysis.measures.scores.score_matrix import question_score_matrix, score_matrix
from lrnanalysis.measures.scores.session_summary import session_summary
from lrnanalysis.measures.scores.status import (
    is_completed,
    is_discarded,
    is_incomplete,
    is_pending_scoring,
    is_status,
    progress,
    status_counts,
)

__all__ = [
    "CELL_DTYPE",
    "CELL_KINDS",
    "RESPONSE_STATUSES",
    "Attempts",
    "Cells",
    "ScoreValue",
    "UnmarkedPoints",
    "attempt_number",
    "best_attempts",
    "cell_kinds",
    "cell_matrix",
    "first_attempts",
    "is_completed",
    "is_discarded",
    "is_incomplete",
    "is_pending_scoring",
    "is_status",
    "item_cells",
    "last_attempts",
    "pick_attempts",
    "progress",
    "question_cells",
    "question_score_matrix",
    "response_status",
    "score_matrix",
    "score_percent",
    "session_summary",
    "status_counts",
]
