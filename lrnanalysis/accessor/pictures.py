"""`.lrn.plot`: the pictures of a table as methods."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from lrnanalysis import plots
from lrnanalysis.accessor.documented import documented
from lrnanalysis.measures import answer_decoding as decoding
from lrnanalysis.measures._checks import TimeUnit
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.effort import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ItemsPlots", "ResponsesPlots", "SessionsPlots"]


class SessionsPlots:
    """`.lrn.plot` on the sessions table."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @documented(
        plots.score_against_time,
        ">>> study.sessions.lrn.plot.score_against_time().get_ylabel()",
        "'score [% of points]'",
    )
    def score_against_time(self, *, unit: TimeUnit = "min", ax: Axes | None = None) -> Axes:
        return plots.score_against_time(self._frame, unit=unit, ax=ax)

    @documented(
        plots.timeline,
        ">>> study.sessions.lrn.plot.timeline(most=10).get_ylabel()",
        "'10 sessions'",
    )
    def timeline(self, *, most: int = 40, ax: Axes | None = None) -> Axes:
        return plots.timeline(self._frame, most=most, ax=ax)

    @documented(
        plots.attempts,
        ">>> study.sessions.lrn.plot.attempts().get_xlabel()",
        "'attempt'",
    )
    def attempts(self, *, ax: Axes | None = None) -> Axes:
        return plots.attempts(self._frame, ax=ax)


class ResponsesPlots:
    """`.lrn.plot` on the responses table."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @documented(
        plots.distractors,
        ">>> matrix = study.items.lrn.score_matrix(study.responses, sessions=study.sessions)",
        '>>> study.responses.lrn.plot.distractors(matrix, "item-05").get_ylabel()',
        "'share that takes the option'",
    )
    def distractors(
        self,
        scores: pd.DataFrame,
        item: Hashable,
        *,
        part: Hashable | None = None,
        key: Mapping[Hashable, Any] | pd.Series | None = None,
        max_score: float | Mapping[str, float] | pd.Series | None = None,
        by: Literal["option", "pattern"] = "option",
        groups: int = 5,
        confidence: float = 0.95,
        ax: Axes | None = None,
    ) -> Axes:
        # Only the item's own responses: what others hold need not be decoded.
        own = self._frame[self._frame["item_reference"] == item]
        return plots.distractors(
            decoding.choices(own),
            scores,
            item,
            part=part,
            key=key,
            max_score=max_score,
            by=by,
            groups=groups,
            confidence=confidence,
            ax=ax,
        )


class ItemsPlots:
    """`.lrn.plot` on the items table."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @documented(
        plots.times,
        '>>> study.items.lrn.plot.times("item-05").get_xlabel()',
        "'time on screen [s]'",
    )
    def times(
        self,
        item: str,
        *,
        thresholds: Sequence[Method] = ("nt10",),
        bins: int = 40,
        ax: Axes | None = None,
    ) -> Axes:
        return plots.times(self._frame, item, thresholds=thresholds, bins=bins, ax=ax)

    @documented(
        plots.accuracy_by_time,
        '>>> study.items.lrn.plot.accuracy_by_time("item-05").get_ylabel()',
        "'share right'",
    )
    def accuracy_by_time(
        self,
        item: str | None = None,
        *,
        chance: float | None = None,
        groups: int = 12,
        ax: Axes | None = None,
    ) -> Axes:
        return plots.accuracy_by_time(self._frame, item, chance=chance, groups=groups, ax=ax)

    @documented(
        plots.time_against_difficulty,
        ">>> study.items.lrn.plot.time_against_difficulty().get_ylabel()",
        "'geometric mean time [s]'",
    )
    def time_against_difficulty(
        self,
        responses: pd.DataFrame | None = None,
        *,
        sessions: pd.DataFrame | None = None,
        labels: bool = True,
        ax: Axes | None = None,
    ) -> Axes:
        return plots.time_against_difficulty(
            self._frame, responses, sessions=sessions, labels=labels, ax=ax
        )

    @documented(
        plots.pacing,
        ">>> study.items.lrn.plot.pacing().get_xlabel()",
        "'items done, in the order shown'",
    )
    def pacing(
        self,
        *,
        of: Literal["time", "limit"] = "time",
        sessions: pd.DataFrame | None = None,
        band: tuple[float, float] = (0.1, 0.9),
        unit: TimeUnit = "min",
        ax: Axes | None = None,
    ) -> Axes:
        return plots.pacing(self._frame, of=of, sessions=sessions, band=band, unit=unit, ax=ax)

    @documented(
        plots.reach,
        ">>> study.items.lrn.plot.reach(study.responses).get_xlabel()",
        "'position in the test'",
    )
    def reach(
        self,
        responses: pd.DataFrame | None = None,
        *,
        rule: ReachRule = "run",
        sessions: pd.DataFrame | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        return plots.reach(self._frame, responses, rule=rule, sessions=sessions, ax=ax)

    @documented(
        plots.guttman,
        ">>> study.items.lrn.plot.guttman(study.responses).get_xlabel()",
        "'items, easy to hard'",
    )
    def guttman(
        self,
        responses: pd.DataFrame | None = None,
        *,
        sessions: pd.DataFrame | None = None,
        most: int = 2000,
        ax: Axes | None = None,
    ) -> Axes:
        return plots.guttman(self._frame, responses, sessions=sessions, most=most, ax=ax)

    @documented(
        plots.effort,
        ">>> completed = study[study.sessions.lrn.is_completed()]",
        ">>> completed.items.lrn.plot.effort().get_xlabel()",
        "'response time effort (RTE)'",
    )
    def effort(
        self,
        method: Method = "nt10",
        *,
        minimum: float = 0.9,
        responses: pd.DataFrame | None = None,
        sessions: pd.DataFrame | None = None,
        cap: float | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        return plots.effort(
            self._frame,
            method,
            minimum=minimum,
            responses=responses,
            sessions=sessions,
            cap=cap,
            ax=ax,
        )
