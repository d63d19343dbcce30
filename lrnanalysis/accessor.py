"""`.lrn`: the measures of a table as methods of its frame.

`.lrn` knows by the columns which of the three tables it stands on, and offers only that table's
methods. Each forwards to one function of `lrnanalysis.measures`, which documents and computes it;
nothing is computed, kept or changed here.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import pandas as pd

from lrnanalysis.measures import choices as answers
from lrnanalysis.measures import effort, scores, time
from lrnanalysis.measures._checks import TimeUnit
from lrnanalysis.measures.effort import Chance, EffortScreen, Method
from lrnanalysis.measures.matrices import Attempts, RowKey
from lrnanalysis.measures.scores import ScoreValue
from lrnanalysis.measures.time import OutlierRule, ReachRule

__all__ = ["ItemsAccessor", "ResponsesAccessor", "SessionsAccessor"]

_Method = TypeVar("_Method", bound=Callable[..., object])


def _documented(function: Callable[..., object], *example: str) -> Callable[[_Method], _Method]:
    """Give a method its function's documentation: without the frame, with an example of its own."""

    def document(method: _Method) -> _Method:
        text = inspect.cleandoc(function.__doc__ or "").split("\nExamples\n--------")[0]
        # The first parameter is the frame, which a method has already; it may stand in a list.
        text, listed = re.subn(r"(Parameters\n-{10}\n)\w+, ", r"\1", text, count=1)
        if not listed:
            text = re.sub(r"(Parameters\n-{10}\n)\S.*\n((?: .*)?\n)*?(?=\S)", r"\1", text, count=1)
        text = text.replace("Parameters\n----------\nReturns\n", "Returns\n")
        method.__doc__ = "\n".join([text.rstrip(), "", "Examples", "--------", *example, ""])
        return method

    return document


class SessionsAccessor:
    """`.lrn` on the sessions table: one row a session."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @_documented(
        time.session_active_time,
        '>>> float(study.sessions.lrn.active_time(unit="min").median().round(1))',
        "19.9",
    )
    def active_time(self, *, unit: TimeUnit = "s") -> pd.Series:
        return time.session_active_time(self._frame, unit=unit)

    @_documented(
        time.elapsed_time,
        '>>> float(study.sessions.lrn.elapsed_time(unit="min").median().round(1))',
        "21.2",
    )
    def elapsed_time(self, *, unit: TimeUnit = "s") -> pd.Series:
        return time.elapsed_time(self._frame, unit=unit)

    @_documented(
        time.idle_time,
        '>>> float(study.sessions.lrn.idle_time(unit="h").max().round(1))',
        "72.3",
    )
    def idle_time(self, *, unit: TimeUnit = "s") -> pd.Series:
        return time.idle_time(self._frame, unit=unit)

    @_documented(
        time.active_share,
        ">>> float(study.sessions.lrn.active_share().median().round(2))",
        "0.98",
    )
    def active_share(self) -> pd.Series:
        return time.active_share(self._frame)

    @_documented(
        scores.is_completed,
        ">>> len(study[study.sessions.lrn.is_completed()])",
        "258",
    )
    def is_completed(self) -> pd.Series:
        return scores.is_completed(self._frame)

    @_documented(
        scores.is_incomplete,
        ">>> int(study.sessions.lrn.is_incomplete().sum())",
        "11",
    )
    def is_incomplete(self) -> pd.Series:
        return scores.is_incomplete(self._frame)

    @_documented(
        scores.is_pending_scoring,
        ">>> int(study.sessions.lrn.is_pending_scoring().sum())",
        "46",
    )
    def is_pending_scoring(self) -> pd.Series:
        return scores.is_pending_scoring(self._frame)

    @_documented(
        scores.is_discarded,
        ">>> int(study.sessions.lrn.is_discarded().sum())",
        "9",
    )
    def is_discarded(self) -> pd.Series:
        return scores.is_discarded(self._frame)

    @_documented(
        scores.status_counts,
        ">>> study.sessions.lrn.status_counts().to_dict()",
        "{'Incomplete': 11, 'Completed': 258, 'Discarded': 9, 'Pending Scoring': 46}",
    )
    def status_counts(self, by: str | None = None) -> pd.Series | pd.DataFrame:
        return scores.status_counts(self._frame, by)

    @_documented(
        scores.progress,
        ">>> float(study.sessions.lrn.progress().mean().round(2))",
        "0.94",
    )
    def progress(self) -> pd.Series:
        return scores.progress(self._frame)

    @_documented(
        scores.score_percent,
        ">>> float(study.sessions.lrn.score_percent().mean().round(1))",
        "55.3",
    )
    def score_percent(self) -> pd.Series:
        return scores.score_percent(self._frame)

    @_documented(
        scores.attempt_number,
        ">>> int(study.sessions.lrn.attempt_number().max())",
        "3",
    )
    def attempt_number(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.attempt_number(self._frame, keep_discarded=keep_discarded)

    @_documented(
        scores.first_attempts,
        ">>> len(study[study.sessions.lrn.first_attempts()])",
        "291",
    )
    def first_attempts(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.first_attempts(self._frame, keep_discarded=keep_discarded)

    @_documented(
        scores.last_attempts,
        ">>> len(study[study.sessions.lrn.last_attempts()])",
        "291",
    )
    def last_attempts(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.last_attempts(self._frame, keep_discarded=keep_discarded)

    @_documented(
        scores.best_attempts,
        ">>> len(study[study.sessions.lrn.best_attempts()])",
        "291",
    )
    def best_attempts(self, *, keep_discarded: bool = False) -> pd.Series:
        return scores.best_attempts(self._frame, keep_discarded=keep_discarded)

    @_documented(
        scores.summary,
        '>>> int(study.sessions.lrn.summary()["sessions"].iloc[0])',
        "324",
    )
    def summary(self, by: str = "activity_id", *, unit: TimeUnit = "min") -> pd.DataFrame:
        return scores.summary(self._frame, by, unit=unit)


class ItemsAccessor:
    """`.lrn` on the items table: one row an item of a session."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @_documented(
        time.active_time,
        '>>> study.items.lrn.active_time("item_reference", unit="h").round(1).head(2).to_dict()',
        "{'item-01': 4.1, 'item-02': 7.0}",
    )
    def active_time(self, by: str = "session_id", *, unit: TimeUnit = "s") -> pd.Series:
        return time.active_time(self._frame, by, unit=unit)

    @_documented(
        time.time_summary,
        '>>> study.items.lrn.time_summary()[["n", "median"]].loc["item-01"].to_list()',
        "[324.0, 41.0]",
    )
    def time_summary(
        self,
        by: str = "item_reference",
        *,
        quantiles: Sequence[float] = (0.1, 0.25, 0.75, 0.9),
        unit: TimeUnit = "s",
        sessions: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        return time.time_summary(self._frame, by, quantiles=quantiles, unit=unit, sessions=sessions)

    @_documented(
        time.time_matrix,
        ">>> study.items.lrn.time_matrix(sessions=study.sessions).shape",
        "(315, 20)",
    )
    def time_matrix(
        self,
        *,
        rows: RowKey = "session_id",
        sessions: pd.DataFrame | None = None,
        attempts: Attempts | None = None,
        keep_discarded: bool = False,
        unit: TimeUnit = "s",
    ) -> pd.DataFrame:
        return time.time_matrix(
            self._frame,
            rows=rows,
            sessions=sessions,
            attempts=attempts,
            keep_discarded=keep_discarded,
            unit=unit,
        )

    @_documented(
        scores.score_matrix,
        ">>> study.items.lrn.score_matrix(study.responses, sessions=study.sessions).shape",
        "(315, 20)",
    )
    def score_matrix(
        self,
        responses: pd.DataFrame | None = None,
        *,
        rows: RowKey = "session_id",
        sessions: pd.DataFrame | None = None,
        attempts: Attempts | None = None,
        keep_discarded: bool = False,
        value: ScoreValue = "points",
        right: float | None = None,
        wrong: float | None = None,
        partial: float | None = None,
        omitted: float | None = 0.0,
        not_reached: float | None = math.nan,
        unmarked: float | None = math.nan,
        not_administered: float = math.nan,
        not_reached_rule: ReachRule = "run",
    ) -> pd.DataFrame:
        return scores.score_matrix(
            self._frame,
            responses,
            rows=rows,
            sessions=sessions,
            attempts=attempts,
            keep_discarded=keep_discarded,
            value=value,
            right=right,
            wrong=wrong,
            partial=partial,
            omitted=omitted,
            not_reached=not_reached,
            unmarked=unmarked,
            not_administered=not_administered,
            not_reached_rule=not_reached_rule,
        )

    @_documented(
        scores.cell_codes,
        ">>> kinds = study.items.lrn.cell_codes(study.responses)",
        '>>> kinds["item-01"].value_counts().index[0]',
        "'right'",
    )
    def cell_codes(
        self,
        responses: pd.DataFrame | None = None,
        *,
        rows: RowKey = "session_id",
        sessions: pd.DataFrame | None = None,
        attempts: Attempts | None = None,
        keep_discarded: bool = False,
        not_reached_rule: ReachRule = "run",
    ) -> pd.DataFrame:
        return scores.cell_codes(
            self._frame,
            responses,
            rows=rows,
            sessions=sessions,
            attempts=attempts,
            keep_discarded=keep_discarded,
            not_reached_rule=not_reached_rule,
        )

    @_documented(
        scores.cell_kinds,
        ">>> study.items.lrn.cell_kinds(study.responses).value_counts().index[0]",
        "'right'",
    )
    def cell_kinds(
        self, responses: pd.DataFrame | None = None, *, not_reached_rule: ReachRule = "run"
    ) -> pd.Series:
        return scores.cell_kinds(self._frame, responses, not_reached_rule=not_reached_rule)

    @_documented(
        scores.score_percent,
        ">>> float(study.items.lrn.score_percent().mean().round(1))",
        "56.9",
    )
    def score_percent(self) -> pd.Series:
        return scores.score_percent(self._frame)

    @_documented(
        time.answered,
        ">>> float(study.items.lrn.answered(study.responses).mean().round(2))",
        "0.94",
    )
    def answered(self, responses: pd.DataFrame | None = None) -> pd.Series:
        return time.answered(self._frame, responses)

    @_documented(
        time.omitted,
        ">>> int(study.items.lrn.omitted(study.responses).sum())",
        "124",
    )
    def omitted(
        self, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
    ) -> pd.Series:
        return time.omitted(self._frame, responses, rule=rule)

    @_documented(
        time.not_reached,
        ">>> int(study.items.lrn.not_reached(study.responses).sum())",
        "250",
    )
    def not_reached(
        self, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
    ) -> pd.Series:
        return time.not_reached(self._frame, responses, rule=rule)

    @_documented(
        time.reach,
        ">>> list(study.items.lrn.reach(study.responses).columns)",
        "['n', 'answered', 'omitted', 'not_reached', 'reached']",
    )
    def reach(
        self,
        responses: pd.DataFrame | None = None,
        *,
        rule: ReachRule = "run",
        sessions: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        return time.reach(self._frame, responses, rule=rule, sessions=sessions)

    @_documented(
        time.speededness,
        '>>> float(study.items.lrn.speededness(study.responses)["completing"].round(2))',
        "0.87",
    )
    def speededness(
        self,
        responses: pd.DataFrame | None = None,
        *,
        rule: ReachRule = "run",
        reaching: float = 0.8,
        sessions: pd.DataFrame | None = None,
    ) -> pd.Series:
        return time.speededness(
            self._frame, responses, rule=rule, reaching=reaching, sessions=sessions
        )

    @_documented(
        time.pacing,
        '>>> study.items.lrn.pacing(unit="min").shape',
        "(20, 4)",
    )
    def pacing(
        self,
        *,
        of: Literal["time", "limit"] = "time",
        sessions: pd.DataFrame | None = None,
        band: tuple[float, float] = (0.1, 0.9),
        unit: TimeUnit = "s",
    ) -> pd.DataFrame:
        return time.pacing(self._frame, of=of, sessions=sessions, band=band, unit=unit)

    @_documented(
        time.time_by_position,
        ">>> study.items.lrn.time_by_position().shape",
        "(20, 13)",
    )
    def time_by_position(
        self, *, unit: TimeUnit = "s", sessions: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        return time.time_by_position(self._frame, unit=unit, sessions=sessions)

    @_documented(
        time.outliers,
        '>>> int(study.items.lrn.outliers("sd").sum())',
        "118",
    )
    def outliers(
        self, rule: OutlierRule = "sd", *, k: float | None = None, by: str = "item_reference"
    ) -> pd.Series:
        return time.outliers(self._frame, rule, k=k, by=by)

    @_documented(
        time.suspicious_times,
        ">>> list(study.items.lrn.suspicious_times(study.sessions).columns)",
        "['time', 'n', 'reason']",
    )
    def suspicious_times(self, sessions: pd.DataFrame | None = None) -> pd.DataFrame:
        return time.suspicious_times(self._frame, sessions)

    @_documented(
        effort.thresholds,
        '>>> study.items.lrn.thresholds("nt10")["threshold"].round(1).head(2).to_dict()',
        "{'item-01': 4.6, 'item-02': 7.8}",
    )
    def thresholds(
        self,
        method: Method = "nt10",
        *,
        responses: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        cap: float | None = None,
        chance: Chance | None = None,
        sessions: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        return effort.thresholds(
            self._frame,
            method,
            responses=responses,
            scores=scores,
            cap=cap,
            chance=chance,
            sessions=sessions,
        )

    @_documented(
        effort.rapid_guesses,
        '>>> int(study.items.lrn.rapid_guesses(method="nt10").sum())',
        "131",
    )
    def rapid_guesses(
        self,
        method: Method = "nt10",
        *,
        responses: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        cap: float | None = None,
        chance: Chance | None = None,
        sessions: pd.DataFrame | None = None,
    ) -> pd.Series | pd.DataFrame:
        return effort.rapid_guesses(
            self._frame,
            method,
            responses=responses,
            scores=scores,
            cap=cap,
            chance=chance,
            sessions=sessions,
        )

    @_documented(
        effort.response_time_effort,
        ">>> completed = study[study.sessions.lrn.is_completed()]",
        ">>> int((completed.items.lrn.response_time_effort() < 0.9).sum())",
        "12",
    )
    def response_time_effort(
        self,
        method: Method = "nt10",
        *,
        responses: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        cap: float | None = None,
        chance: Chance | None = None,
        sessions: pd.DataFrame | None = None,
    ) -> pd.Series:
        return effort.response_time_effort(
            self._frame,
            method,
            responses=responses,
            scores=scores,
            cap=cap,
            chance=chance,
            sessions=sessions,
        )

    @_documented(
        effort.response_time_fidelity,
        ">>> float(study.items.lrn.response_time_fidelity().min().round(2))",
        "0.94",
    )
    def response_time_fidelity(
        self,
        method: Method = "nt10",
        *,
        responses: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        cap: float | None = None,
        chance: Chance | None = None,
        sessions: pd.DataFrame | None = None,
    ) -> pd.Series:
        return effort.response_time_fidelity(
            self._frame,
            method,
            responses=responses,
            scores=scores,
            cap=cap,
            chance=chance,
            sessions=sessions,
        )

    @_documented(
        effort.screen,
        ">>> completed = study[study.sessions.lrn.is_completed()]",
        ">>> sorted(vars(completed.items.lrn.effort_screen()))",
        "['flags', 'rte', 'rtf', 'thresholds']",
    )
    def effort_screen(
        self,
        method: Method = "nt10",
        *,
        responses: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        cap: float | None = None,
        chance: Chance | None = None,
        sessions: pd.DataFrame | None = None,
    ) -> EffortScreen:
        return effort.screen(
            self._frame,
            method,
            responses=responses,
            scores=scores,
            cap=cap,
            chance=chance,
            sessions=sessions,
        )

    @_documented(
        effort.validity,
        ">>> study.items.lrn.effort_validity().shape",
        "(20, 8)",
    )
    def effort_validity(
        self,
        method: Method = "nt10",
        *,
        responses: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        cap: float | None = None,
        chance: Chance | None = None,
        sessions: pd.DataFrame | None = None,
        by: str | None = "item_reference",
    ) -> pd.DataFrame:
        return effort.validity(
            self._frame,
            method,
            responses=responses,
            scores=scores,
            cap=cap,
            chance=chance,
            sessions=sessions,
            by=by,
        )

    @_documented(
        effort.motivation_filter,
        ">>> items = study[study.sessions.lrn.is_completed()].items",
        ">>> rte = items.lrn.response_time_effort()",
        ">>> len(items.lrn.motivation_filter(rte)) < len(items)",
        "True",
    )
    def motivation_filter(self, rte: pd.Series, minimum: float = 0.9) -> pd.DataFrame:
        return effort.motivation_filter(self._frame, rte, minimum)


class ResponsesAccessor:
    """`.lrn` on the responses table: one row a response."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @_documented(
        scores.response_status,
        ">>> study.responses.lrn.status().value_counts().to_dict()",
        "{'scored': 6883, 'unattempted': 428, 'attempted': 82, 'unmarked': 59}",
    )
    def status(self) -> pd.Series:
        return scores.response_status(self._frame)

    @_documented(
        answers.choices,
        ">>> list(study.responses.lrn.choices().columns)[-2:]",
        "['slot', 'choice']",
    )
    def choices(self) -> pd.DataFrame:
        return answers.choices(self._frame)

    @_documented(
        answers.values,
        ">>> study.responses.lrn.values().iloc[0]",
        "['0']",
    )
    def values(self) -> pd.Series:
        return answers.values(self._frame)

    @_documented(
        answers.decodable,
        ">>> list(study.responses.lrn.decodable().columns)[:2]",
        "['responses', 'decoded']",
    )
    def decodable(self) -> pd.DataFrame:
        return answers.decodable(self._frame)

    @_documented(
        answers.words,
        ">>> float(study.responses.lrn.words().median())",
        "1.0",
    )
    def words(self) -> pd.Series:
        return answers.words(self._frame)

    @_documented(
        scores.score_percent,
        ">>> float(study.responses.lrn.score_percent().mean().round(1))",
        "58.6",
    )
    def score_percent(self) -> pd.Series:
        return scores.score_percent(self._frame)

    @_documented(
        scores.response_score_matrix,
        ">>> study.responses.lrn.score_matrix(sessions=study.sessions).shape",
        "(315, 23)",
    )
    def score_matrix(
        self,
        *,
        rows: RowKey = "session_id",
        sessions: pd.DataFrame | None = None,
        attempts: Attempts | None = None,
        keep_discarded: bool = False,
        unattempted: float | None = 0.0,
        unmarked: float = math.nan,
    ) -> pd.DataFrame:
        return scores.response_score_matrix(
            self._frame,
            rows=rows,
            sessions=sessions,
            attempts=attempts,
            keep_discarded=keep_discarded,
            unattempted=unattempted,
            unmarked=unmarked,
        )


#: Which table a frame is: its accessor, and the columns that tell it; the first that fits counts.
_TABLES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (ResponsesAccessor, ("session_id", "response_id")),
    (ItemsAccessor, ("session_id", "item_reference")),
    (SessionsAccessor, ("session_id", "status")),
    (SessionsAccessor, ("session_id", "user_id")),
)


def _accessor(frame: pd.DataFrame) -> SessionsAccessor | ItemsAccessor | ResponsesAccessor:
    for accessor, columns in _TABLES:
        if all(column in frame.columns for column in columns):
            made: SessionsAccessor | ItemsAccessor | ResponsesAccessor = accessor(frame)
            return made
    raise AttributeError(
        ".lrn stands on a table of sessions (columns session_id and status or user_id), responses "
        "(session_id, response_id) or items (session_id, item_reference); this frame has "
        f"{', '.join(map(str, frame.columns[:8])) or 'no columns'}"
    )


# A function, not a class: which class it is depends on the frame.
pd.api.extensions.register_dataframe_accessor("lrn")(_accessor)  # type: ignore[type-var]
