"""`.lrn` on the items table."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from lrnanalysis.accessor.documented import documented
from lrnanalysis.accessor.pictures import ItemsPlots
from lrnanalysis.measures import completion, effort, scores, timing
from lrnanalysis.measures import item_analysis as analysis
from lrnanalysis.measures._checks import TimeUnit
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.effort import Chance, EffortScreen, Method
from lrnanalysis.measures.matrices import Attempts, RowKey
from lrnanalysis.measures.scores import ScoreValue
from lrnanalysis.measures.timing import OutlierRule

if TYPE_CHECKING:
    from lrnanalysis.measures.classical import Rule

__all__ = ["ItemsAccessor"]


class ItemsAccessor:
    """`.lrn` on the items table: one row an item of a session."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def plot(self) -> ItemsPlots:
        """Pictures of this table: `lrnanalysis.plots` with the frame in front."""
        return ItemsPlots(self._frame)

    @documented(
        analysis.item_analysis,
        ">>> report = study.items.lrn.item_analysis(study.responses, sessions=study.sessions)",
        '>>> report.scores[["items", "sessions", "alpha"]].round(2).to_list()',
        "[20.0, 315.0, 0.78]",
    )
    def item_analysis(
        self,
        responses: pd.DataFrame | None = None,
        *,
        sessions: pd.DataFrame | None = None,
        key: Mapping[Hashable, Hashable | Iterable[Hashable]] | pd.Series | None = None,
        attempts: Attempts | None = None,
        keep_discarded: bool = False,
        omitted: float | None = 0.0,
        not_reached: float | None = math.nan,
        not_reached_rule: ReachRule = "run",
        missing: Literal["pairwise", "listwise"] = "pairwise",
        rapid: Method = "nt10",
        cap: float | None = None,
        chance: Chance | None = None,
        rules: Iterable[Rule] | None = None,
        limits: Mapping[str, float] | None = None,
        groups: int = 3,
        tail: float = 0.27,
        confidence: float = 0.95,
    ) -> analysis.ItemAnalysis:
        return analysis.item_analysis(
            self._frame,
            responses,
            sessions=sessions,
            key=key,
            attempts=attempts,
            keep_discarded=keep_discarded,
            omitted=omitted,
            not_reached=not_reached,
            not_reached_rule=not_reached_rule,
            missing=missing,
            rapid=rapid,
            cap=cap,
            chance=chance,
            rules=rules,
            limits=limits,
            groups=groups,
            tail=tail,
            confidence=confidence,
        )

    @documented(
        timing.active_time,
        '>>> study.items.lrn.active_time("item_reference", unit="h").round(1).head(2).to_dict()',
        "{'item-01': 4.1, 'item-02': 7.0}",
    )
    def active_time(self, by: str = "session_id", *, unit: TimeUnit = "s") -> pd.Series:
        return timing.active_time(self._frame, by, unit=unit)

    @documented(
        timing.time_summary,
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
        return timing.time_summary(
            self._frame, by, quantiles=quantiles, unit=unit, sessions=sessions
        )

    @documented(
        timing.time_matrix,
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
        return timing.time_matrix(
            self._frame,
            rows=rows,
            sessions=sessions,
            attempts=attempts,
            keep_discarded=keep_discarded,
            unit=unit,
        )

    @documented(
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

    @documented(
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

    @documented(
        scores.cell_kinds,
        ">>> study.items.lrn.cell_kinds(study.responses).value_counts().index[0]",
        "'right'",
    )
    def cell_kinds(
        self, responses: pd.DataFrame | None = None, *, not_reached_rule: ReachRule = "run"
    ) -> pd.Series:
        return scores.cell_kinds(self._frame, responses, not_reached_rule=not_reached_rule)

    @documented(
        scores.score_percent,
        ">>> float(study.items.lrn.score_percent().mean().round(1))",
        "56.9",
    )
    def score_percent(self) -> pd.Series:
        return scores.score_percent(self._frame)

    @documented(
        completion.answered,
        ">>> float(study.items.lrn.answered(study.responses).mean().round(2))",
        "0.94",
    )
    def answered(self, responses: pd.DataFrame | None = None) -> pd.Series:
        return completion.answered(self._frame, responses)

    @documented(
        completion.omitted,
        ">>> int(study.items.lrn.omitted(study.responses).sum())",
        "124",
    )
    def omitted(
        self, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
    ) -> pd.Series:
        return completion.omitted(self._frame, responses, rule=rule)

    @documented(
        completion.not_reached,
        ">>> int(study.items.lrn.not_reached(study.responses).sum())",
        "250",
    )
    def not_reached(
        self, responses: pd.DataFrame | None = None, *, rule: ReachRule = "run"
    ) -> pd.Series:
        return completion.not_reached(self._frame, responses, rule=rule)

    @documented(
        completion.reach,
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
        return completion.reach(self._frame, responses, rule=rule, sessions=sessions)

    @documented(
        completion.speededness,
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
        return completion.speededness(
            self._frame, responses, rule=rule, reaching=reaching, sessions=sessions
        )

    @documented(
        timing.pacing,
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
        return timing.pacing(self._frame, of=of, sessions=sessions, band=band, unit=unit)

    @documented(
        timing.time_by_position,
        ">>> study.items.lrn.time_by_position().shape",
        "(20, 13)",
    )
    def time_by_position(
        self, *, unit: TimeUnit = "s", sessions: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        return timing.time_by_position(self._frame, unit=unit, sessions=sessions)

    @documented(
        timing.outliers,
        '>>> int(study.items.lrn.outliers("sd").sum())',
        "118",
    )
    def outliers(
        self, rule: OutlierRule = "sd", *, k: float | None = None, by: str = "item_reference"
    ) -> pd.Series:
        return timing.outliers(self._frame, rule, k=k, by=by)

    @documented(
        timing.suspicious_times,
        ">>> list(study.items.lrn.suspicious_times(study.sessions).columns)",
        "['time', 'n', 'reason']",
    )
    def suspicious_times(self, sessions: pd.DataFrame | None = None) -> pd.DataFrame:
        return timing.suspicious_times(self._frame, sessions)

    @documented(
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

    @documented(
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

    @documented(
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

    @documented(
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

    @documented(
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

    @documented(
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

    @documented(
        effort.motivation_filter,
        ">>> items = study[study.sessions.lrn.is_completed()].items",
        ">>> rte = items.lrn.response_time_effort()",
        ">>> len(items.lrn.motivation_filter(rte)) < len(items)",
        "True",
    )
    def motivation_filter(self, rte: pd.Series, minimum: float = 0.9) -> pd.DataFrame:
        return effort.motivation_filter(self._frame, rte, minimum)
