"""`.lrn` on the sessions table."""

from __future__ import annotations

import pandas as pd

from lrnanalysis.accessor.documented import documented
from lrnanalysis.accessor.pictures import SessionsPlots
from lrnanalysis.measures import scores, timing
from lrnanalysis.measures._checks import TimeUnit

__all__ = ["SessionsAccessor"]


class SessionsAccessor:
    """`.lrn` on the sessions table: one row a session."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def plot(self) -> SessionsPlots:
        """Pictures of this table: `lrnanalysis.plots` with the frame in front."""
        return SessionsPlots(self._frame)

    @documented(
        timing.session_active_time,
        '>>> float(study.sessions.lrn.active_time(unit="min").median().round(1))',
        "19.9",
    )
    def active_time(self, *, unit: TimeUnit = "s") -> pd.Series:
        return timing.session_active_time(self._frame, unit=unit)

    @documented(
        timing.elapsed_time,
        '>>> float(study.sessions.lrn.elapsed_time(unit="min").median().round(1))',
        "21.2",
    )
    def elapsed_time(self, *, unit: TimeUnit = "s") -> pd.Series:
        return timing.elapsed_time(self._frame, unit=unit)

    @documented(
        timing.idle_time,
        '>>> float(study.sessions.lrn.idle_time(unit="h").max().round(1))',
        "72.3",
    )
    def idle_time(self, *, unit: TimeUnit = "s") -> pd.Series:
        return timing.idle_time(self._frame, unit=unit)

    @documented(
        timing.active_share,
        ">>> float(study.sessions.lrn.active_share().median().round(2))",
        "0.98",
    )
    def active_share(self) -> pd.Series:
        return timing.active_share(self._frame)

    @documented(
        scores.is_completed,
        ">>> len(study[study.sessions.lrn.is_completed()])",
        "258",
    )
    def is_completed(self) -> pd.Series:
        return scores.is_completed(self._frame)

    @documented(
        scores.is_incomplete,
        ">>> int(study.sessions.lrn.is_incomplete().sum())",
        "11",
    )
    def is_incomplete(self) -> pd.Series:
        return scores.is_incomplete(self._frame)

    @documented(
        scores.is_pending_scoring,
        ">>> int(study.sessions.lrn.is_pending_scoring().sum())",
        "46",
    )
    def is_pending_scoring(self) -> pd.Series:
        return scores.is_pending_scoring(self._frame)

    @documented(
        scores.is_discarded,
        ">>> int(study.sessions.lrn.is_discarded().sum())",
        "9",
    )
    def is_discarded(self) -> pd.Series:
        return scores.is_discarded(self._frame)

    @documented(
        scores.status_counts,
        ">>> study.sessions.lrn.status_counts().to_dict()",
        "{'Incomplete': 11, 'Completed': 258, 'Discarded': 9, 'Pending Scoring': 46}",
    )
    def status_counts(self, by: str | None = None) -> pd.Series | pd.DataFrame:
        return scores.status_counts(self._frame, by)

    @documented(
        scores.progress,
        ">>> float(study.sessions.lrn.progress().mean().round(2))",
        "0.94",
    )
    def progress(self) -> pd.Series:
        return scores.progress(self._frame)

    @documented(
        scores.score_percent,
        ">>> float(study.sessions.lrn.score_percent().mean().round(1))",
        "55.3",
    )
    def score_percent(self) -> pd.Series:
        return scores.score_percent(self._frame)

    @documented(
        scores.attempt_number,
        ">>> int(study.sessions.lrn.attempt_number().max())",
        "3",
    )
    def attempt_number(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.attempt_number(self._frame, keep_discarded=keep_discarded)

    @documented(
        scores.first_attempts,
        ">>> len(study[study.sessions.lrn.first_attempts()])",
        "291",
    )
    def first_attempts(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.first_attempts(self._frame, keep_discarded=keep_discarded)

    @documented(
        scores.last_attempts,
        ">>> len(study[study.sessions.lrn.last_attempts()])",
        "291",
    )
    def last_attempts(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.last_attempts(self._frame, keep_discarded=keep_discarded)

    @documented(
        scores.best_attempts,
        ">>> len(study[study.sessions.lrn.best_attempts()])",
        "291",
    )
    def best_attempts(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.best_attempts(self._frame, keep_discarded=keep_discarded)

    @documented(
        scores.summary,
        '>>> int(study.sessions.lrn.summary()["sessions"].iloc[0])',
        "324",
    )
    def summary(self, by: str = "activity_id", *, unit: TimeUnit = "min") -> pd.DataFrame:
        return scores.summary(self._frame, by, unit=unit)
