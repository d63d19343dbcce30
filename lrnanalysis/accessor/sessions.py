"""`.lrn` on the sessions table."""

from __future__ import annotations

from lrnanalysis.accessor.table import TableAccessor, on_table
from lrnanalysis.measures import scores, timing

__all__ = ["SessionsAccessor"]


class SessionsAccessor(TableAccessor, table="sessions"):
    """`.lrn` on the sessions table: one row per session."""

    active_time = on_table(
        timing.session_active_time,
        '>>> float(study.sessions.lrn.active_time(unit="min").median().round(1))',
        "19.9",
    )
    elapsed_time = on_table(
        timing.elapsed_time,
        '>>> float(study.sessions.lrn.elapsed_time(unit="min").median().round(1))',
        "21.2",
    )
    idle_time = on_table(
        timing.idle_time,
        '>>> float(study.sessions.lrn.idle_time(unit="h").max().round(1))',
        "72.3",
    )
    active_share = on_table(
        timing.active_share,
        ">>> float(study.sessions.lrn.active_share().median().round(2))",
        "0.98",
    )
    is_completed = on_table(
        scores.is_completed, ">>> len(study[study.sessions.lrn.is_completed()])", "258"
    )
    is_incomplete = on_table(
        scores.is_incomplete, ">>> int(study.sessions.lrn.is_incomplete().sum())", "11"
    )
    is_pending_scoring = on_table(
        scores.is_pending_scoring, ">>> int(study.sessions.lrn.is_pending_scoring().sum())", "46"
    )
    is_discarded = on_table(
        scores.is_discarded, ">>> int(study.sessions.lrn.is_discarded().sum())", "9"
    )
    status_counts = on_table(
        scores.status_counts,
        ">>> study.sessions.lrn.status_counts().to_dict()",
        "{'Incomplete': 11, 'Completed': 258, 'Discarded': 9, 'Pending Scoring': 46}",
    )
    progress = on_table(
        scores.progress, ">>> float(study.sessions.lrn.progress().mean().round(2))", "0.94"
    )
    score_percent = on_table(
        scores.score_percent,
        ">>> float(study.sessions.lrn.score_percent().mean().round(1))",
        "56.4",
    )
    attempt_number = on_table(
        scores.attempt_number, ">>> int(study.sessions.lrn.attempt_number().max())", "3"
    )
    first_attempts = on_table(
        scores.first_attempts, ">>> len(study[study.sessions.lrn.first_attempts()])", "291"
    )
    last_attempts = on_table(
        scores.last_attempts, ">>> len(study[study.sessions.lrn.last_attempts()])", "291"
    )
    best_attempts = on_table(
        scores.best_attempts, ">>> len(study[study.sessions.lrn.best_attempts()])", "291"
    )
    summary = on_table(
        scores.session_summary,
        '>>> int(study.sessions.lrn.summary()["sessions"].iloc[0])',
        "324",
    )
