"""Analysis: one study, one set of decisions, and every measure of it on the same rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from lrnanalysis.analysis.base import AnalysisData
from lrnanalysis.analysis.pictures import AnalysisPlots
from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.forwarding import documented
from lrnanalysis.measures import (
    classical,
    completion,
    dif,
    effort,
    irt,
    response_time,
    scores,
    timing,
)
from lrnanalysis.measures._checks import TimeUnit, check_fraction, choice
from lrnanalysis.measures.classical import FlagRule, Key
from lrnanalysis.measures.classical.flags import MINIMUM_N
from lrnanalysis.measures.effort import Chance, Method
from lrnanalysis.measures.item_analysis import ItemAnalysis, item_analysis
from lrnanalysis.tables.learners import named_users

__all__ = ["Analysis"]

P = ParamSpec("P")
R = TypeVar("R")

#: Methods of differential item functioning by name.
_DIF: dict[str, Callable[..., pd.DataFrame]] = {
    "mantel_haenszel": dif.mantel_haenszel,
    "standardisation": dif.standardisation,
    "logistic": dif.logistic,
    "likelihood_ratio": dif.likelihood_ratio,
}

DifMethod = Literal["mantel_haenszel", "standardisation", "logistic", "likelihood_ratio"]


def _measure(
    function: Callable[Concatenate[pd.DataFrame, P], R],
    data: Callable[[Analysis], pd.DataFrame],
    *example: str,
    **filled: Callable[[Analysis], object],
) -> Callable[Concatenate[Analysis, P], R]:
    """Make a method of a measure: the analysis gives its data, and `filled` by keyword."""

    def method(self: Analysis, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if isinstance(kwargs.get("group"), str):
            kwargs["group"] = self.group(str(kwargs["group"]))
        given: dict[str, Any] = {name: value(self) for name, value in filled.items()}
        return self._with_rules(function(data(self), *args, **kwargs, **given))

    first = next(iter(inspect.signature(function).parameters))
    return documented(method, function, given=[first, *filled], example=example)


class Analysis(AnalysisData):
    """A study plus decisions: every table, model and picture of it rests on the same rows.

    Made by `lrnanalysis.SessionData.analysis`, which documents every decision. An analysis is
    immutable: `replace` gives another one. Matrices are made when they are first asked for, and
    kept.

    Parameters
    ----------
    sessions, responses, items : DataFrame
        The tables of the study.
    decisions : Decisions
        What counts, and what becomes of each kind of cell.

    Raises
    ------
    MeasureError
        No session remains, or the study holds several activities without an item in common and
        none was chosen.

    Examples
    --------
    >>> analysis = study.analysis(attempts="first")
    >>> analysis.scores.shape == (analysis.n_persons, analysis.n_items)
    True
    """

    @checked
    def replace(self, **changes: Any) -> Analysis:
        """Analyse the same study with some decisions changed.

        Parameters
        ----------
        **changes
            Decisions by name, see `lrnanalysis.SessionData.analysis`.

        Returns
        -------
        Analysis
            Another analysis; this one stays as it is.

        Raises
        ------
        MeasureError
            A name or a value is unknown.

        Examples
        --------
        >>> analysis.replace(attempts="all").n_persons > analysis.n_persons
        True
        """
        return Analysis(*self._source, self.decisions.replace(**changes))

    # Classical item analysis

    @checked
    def item_analysis(
        self,
        *,
        key: Key | pd.Series | None = None,
        missing: Literal["pairwise", "listwise"] = "pairwise",
        rapid: Method = "nt10",
        cap: float | None = None,
        chance: Chance | None = None,
        rules: Iterable[FlagRule] | None = None,
        limits: Mapping[str, float] | None = None,
        minimum_n: int = MINIMUM_N,
        groups: int = 3,
        tail: float = 0.27,
        confidence: float = 0.95,
    ) -> ItemAnalysis:
        """Report on the test: items, reliability, distractors, times, effort and flags.

        Parameters
        ----------
        key, missing, rapid, cap, chance, rules, limits, minimum_n, groups, tail, confidence
            As for `lrnanalysis.item_analysis`.

        Returns
        -------
        ItemAnalysis
            ``table`` to print, ``items`` with every statistic, ``scores``, ``reliability``,
            ``distractors``, ``flags``, ``rules``, ``forms``.

        Raises
        ------
        MeasureError
            An argument is out of range.

        Examples
        --------
        >>> report = analysis.item_analysis(key={"item-05": "0"})
        >>> list(report.table.columns[:4])
        ['n', 'max', 'p', 'item_rest_r']
        """
        timed = self.decisions.level == "item" and bool(self._times.notna().any(axis=None))
        types = self._question_types
        return item_analysis(
            self._scores,
            self._matrices.max_scores,
            cells=self._cells,
            times=self._times if timed else None,
            answered_times=self._answered_times if timed else None,
            shares=self._shares if timed else None,
            choices=self._choices,
            question_types=types,
            learners=self._words.learners,
            person=self._matrices.person_column,
            item=self._matrices.item_column,
            key=key,
            missing=missing,
            rapid=rapid,
            cap=cap,
            chance=chance,
            rules=rules,
            limits=limits,
            minimum_n=minimum_n,
            groups=groups,
            tail=tail,
            confidence=confidence,
        )

    item_statistics = _measure(
        classical.item_statistics,
        lambda self: self._scores,
        ">>> float(analysis.item_statistics()['p'].mean().round(2))",
        "0.58",
        max_score=lambda self: self._matrices.max_scores,
        cells=lambda self: self._cells,
    )
    reliability = _measure(
        classical.reliability,
        lambda self: self._scores,
        ">>> float(analysis.reliability()['alpha'].round(2))",
        "0.77",
        max_score=lambda self: self._matrices.max_scores,
    )
    stratified_alpha = _measure(
        classical.stratified_alpha,
        lambda self: self._scores,
        ">>> known = analysis.stratified_alpha(reliabilities={2: 0.6})",
        ">>> float(known['stratified_alpha'].round(2))",
        "0.78",
        max_score=lambda self: self._matrices.max_scores,
    )
    conditional_sem = _measure(
        classical.conditional_sem,
        lambda self: self._scores,
        ">>> len(analysis.conditional_sem()) <= analysis.n_persons",
        "True",
        max_score=lambda self: self._matrices.max_scores,
    )
    distractors = _measure(
        classical.distractors,
        lambda self: self._choices,
        ">>> 'share' in analysis.distractors(key={'item-05': '0'}).columns",
        "True",
        scores=lambda self: self._scores,
        max_score=lambda self: self._matrices.max_scores,
        person=lambda self: self._matrices.person_column,
        item=lambda self: self._matrices.item_column,
    )
    trace_lines = _measure(
        classical.trace_lines,
        lambda self: self._choices,
        ">>> 'share' in analysis.trace_lines().columns",
        "True",
        scores=lambda self: self._scores,
        max_score=lambda self: self._matrices.max_scores,
        person=lambda self: self._matrices.person_column,
        item=lambda self: self._matrices.item_column,
    )

    @checked
    def flags(
        self,
        *,
        key: Key | pd.Series | None = None,
        rules: Iterable[FlagRule] | None = None,
        limits: Mapping[str, float] | None = None,
        minimum_n: int = MINIMUM_N,
    ) -> pd.DataFrame:
        """List the items and options that need a look.

        Parameters
        ----------
        key, rules, limits, minimum_n
            As for `lrnanalysis.classical.flags` and `item_analysis`.

        Returns
        -------
        DataFrame
            One row per flag.

        Examples
        --------
        >>> "flag" in analysis.flags().columns
        True
        """
        report = self.item_analysis(key=key, rules=rules, limits=limits, minimum_n=minimum_n)
        return self._with_rules(report.flags)

    # Effort

    thresholds = _measure(
        effort.thresholds,
        lambda self: self._answered_times,
        ">>> analysis.thresholds('nt10')['threshold'].round(1).head(2).to_dict()",
        "{'item-01': 4.7, 'item-02': 8.0}",
        scores=lambda self: self._shares,
    )
    rapid_guesses = _measure(
        effort.rapid_guesses,
        lambda self: self._answered_times,
        ">>> analysis.rapid_guesses('nt10').shape == analysis.times.shape",
        "True",
        scores=lambda self: self._shares,
    )
    response_time_effort = _measure(
        effort.response_time_effort,
        lambda self: self._answered_times,
        ">>> int((analysis.response_time_effort() < 0.9).sum())",
        "11",
        scores=lambda self: self._shares,
    )
    response_time_fidelity = _measure(
        effort.response_time_fidelity,
        lambda self: self._answered_times,
        ">>> bool((analysis.response_time_fidelity() > 0.5).all())",
        "True",
        scores=lambda self: self._shares,
    )
    effort_screen = _measure(
        effort.screen,
        lambda self: self._answered_times,
        ">>> len(analysis.effort_screen().rtf)",
        "20",
        scores=lambda self: self._shares,
    )

    @checked
    def effort_validity(
        self,
        method: Method = "nt10",
        *,
        cap: float | None = None,
        chance: Chance | None = None,
        by: str | Sequence[str] | None = "item_reference",
    ) -> pd.DataFrame:
        """Accuracy of rapid and of other answers, against chance.

        Parameters
        ----------
        method, cap, chance
            As for `lrnanalysis.effort.thresholds`.
        by : str, list of str or None, default "item_reference"
            One row per item; per group of persons by columns of the sessions table, with the
            thresholds of all; or, with None, one for all.

        Returns
        -------
        DataFrame
            As `lrnanalysis.effort.validity`.

        Examples
        --------
        >>> len(analysis.effort_validity(by=None))
        1
        """
        found = effort.thresholds(
            self._answered_times, method, scores=self._shares, cap=cap, chance=chance
        )
        if by is None or by == "item_reference":
            per: Literal["item", "all"] = "all" if by is None else "item"
            return self._with_rules(
                effort.validity(
                    self._answered_times, found, scores=self._shares, chance=chance, per=per
                )
            )
        groups = self._groups(by)
        rows = {
            name: effort.validity(
                self._answered_times.loc[members],
                found,
                scores=self._shares.loc[members],
                chance=chance,
                per="all",
            )
            for name, members in groups.groups.items()
        }
        return self._with_rules(_stacked(rows, by))

    @checked
    def effort_summary(
        self,
        method: Method = "nt10",
        *,
        minimum: float = 0.9,
        cap: float | None = None,
        chance: Chance | None = None,
        by: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Response time effort in a row: of all persons, or per group.

        Parameters
        ----------
        method, cap, chance
            As for `lrnanalysis.effort.thresholds`.
        minimum : float, default 0.9
            Effort below it is counted.
        by : str or list of str, optional
            Columns of the sessions table to group persons by. Thresholds are those of all.

        Returns
        -------
        DataFrame
            ``n`` persons with a timed answer, ``mean``, ``sd``, ``median`` and ``minimum`` of
            their response time effort (0 to 1), and ``below``, the share below `minimum`.

        Examples
        --------
        >>> list(analysis.effort_summary().columns)
        ['n', 'mean', 'sd', 'median', 'minimum', 'below']
        """
        check_fraction("minimum", minimum, ends=True)
        rte = effort.response_time_effort(
            self._answered_times, method, scores=self._shares, cap=cap, chance=chance
        )
        groups = {"all": rte}
        if by is not None:
            groups = {name: rte.loc[rows] for name, rows in self._groups(by).groups.items()}
        rows = {
            name: pd.DataFrame(
                {
                    "n": [int(part.count())],
                    "mean": [part.mean()],
                    "sd": [part.std()],
                    "median": [part.median()],
                    "minimum": [part.min()],
                    "below": [part.lt(minimum).sum() / part.count() if part.count() else np.nan],
                }
            )
            for name, part in groups.items()
        }
        return self._with_rules(_stacked(rows, "persons" if by is None else by))

    @checked
    def effort_moderated(
        self, method: Method = "nt10", *, cap: float | None = None
    ) -> pd.DataFrame:
        """Scores with rapid guesses set to missing (Wise & DeMars, 2006).

        To analyse them throughout, decide so once: ``analysis.replace(rapid="nt10")``.

        Parameters
        ----------
        method, cap
            As for `lrnanalysis.effort.thresholds`.

        Returns
        -------
        DataFrame, persons × items

        Examples
        --------
        >>> analysis.effort_moderated().shape == analysis.scores.shape
        True
        """
        if self.decisions.level != "item":
            raise MeasureError(
                "effort_moderated needs level='item': use analysis.replace(rapid=...) for questions"
            )
        flags = effort.rapid_guesses(self._answered_times, method, scores=self._shares, cap=cap)
        return self._with_rules(effort.effort_moderated(self._scores, flags))

    # Time on task

    @checked
    def time_summary(
        self,
        by: str | Sequence[str] = "item_reference",
        *,
        quantiles: Sequence[float] = (0.1, 0.25, 0.75, 0.9),
        unit: TimeUnit = "s",
    ) -> pd.DataFrame:
        """Descriptive statistics of the times on screen per group.

        Parameters
        ----------
        by : str or list of str, default "item_reference"
            Columns of any of the three tables, such as ``"metadata.group"`` or
            ``["question_type", "activity_id"]``.
        quantiles, unit
            As for `lrnanalysis.timing.time_summary`.

        Returns
        -------
        DataFrame
            As `lrnanalysis.timing.time_summary`.

        Examples
        --------
        >>> list(analysis.time_summary("question_type").columns[:3])
        ['n', 'n_without', 'mean']
        """
        frame = self._linked.with_columns("items", by)
        return self._with_rules(timing.time_summary(frame, by, quantiles=quantiles, unit=unit))

    @checked
    def active_time(
        self, by: str | Sequence[str] = "session_id", *, unit: TimeUnit = "s"
    ) -> pd.Series:
        """Sum of the items' times on screen per group.

        Parameters
        ----------
        by : str or list of str, default "session_id"
            Columns of any of the three tables.
        unit : {"s", "min", "h"}, default "s"
            Unit of the result.

        Returns
        -------
        Series
            As `lrnanalysis.timing.active_time`.

        Examples
        --------
        >>> len(analysis.active_time()) == analysis.n_persons
        True
        """
        return self._with_rules(
            timing.active_time(self._linked.with_columns("items", by), by, unit=unit)
        )

    time_by_position = _measure(
        timing.time_by_position,
        lambda self: self._tables[2],
        ">>> len(analysis.time_by_position())",
        "20",
    )
    outliers = _measure(
        timing.outliers,
        lambda self: self._tables[2],
        ">>> bool(analysis.outliers('mad').sum() > 0)",
        "True",
    )
    suspicious_times = _measure(
        timing.suspicious_times,
        lambda self: self._tables[2],
        ">>> list(analysis.suspicious_times().columns)",
        "['time', 'n', 'reason']",
        limit=lambda self: self._limits,
    )

    @checked
    def pacing(
        self,
        *,
        of: Literal["time", "limit"] = "time",
        band: tuple[float, float] = (0.1, 0.9),
        unit: TimeUnit = "s",
    ) -> pd.DataFrame:
        """Cumulative time on screen after the first k items: median and band over sessions.

        Parameters
        ----------
        of : {"time", "limit"}, default "time"
            Cumulative time, or its share of the session's ``max_time``.
        band, unit
            As for `lrnanalysis.timing.pacing`.

        Returns
        -------
        DataFrame
            As `lrnanalysis.timing.pacing`.

        Examples
        --------
        >>> analysis.pacing(unit="min").index.name
        'items_done'
        """
        choice("of", of, ("time", "limit"))
        limit = self._limits if of == "limit" else None
        return self._with_rules(timing.pacing(self._tables[2], limit=limit, band=band, unit=unit))

    reach = _measure(
        completion.reach,
        lambda self: self._tables[2],
        ">>> bool(analysis.reach()['reached'].is_monotonic_decreasing)",
        "True",
        responses=lambda self: self._tables[1],
        rule=lambda self: self.decisions.not_reached_rule,
    )
    speededness = _measure(
        completion.speededness,
        lambda self: self._tables[2],
        ">>> float(analysis.speededness()['sessions']) == analysis.n_persons",
        "True",
        responses=lambda self: self._tables[1],
        rule=lambda self: self.decisions.not_reached_rule,
    )
    speed_model = _measure(
        response_time.lognormal,
        lambda self: self._matrices.modelled_times,
        ">>> bool(analysis.speed_model().reliability > 0.5)",
        "True",
    )

    # Sessions

    @checked
    def session_summary(
        self, by: str | Sequence[str] = "activity_id", *, unit: TimeUnit = "min"
    ) -> pd.DataFrame:
        """Sessions, learners, scores and times per group.

        Parameters
        ----------
        by : str or list of str, default "activity_id"
            Columns of the sessions table.
        unit : {"s", "min", "h"}, default "min"
            Unit of the times.

        Returns
        -------
        DataFrame
            As `lrnanalysis.scores.session_summary`. Percentages are of the points marked; points
            that await a mark count as lost where the analysis scores unmarked answers 0, or as
            recorded.

        Examples
        --------
        >>> int(analysis.session_summary()["sessions"].sum()) == len(analysis.sessions)
        True
        """
        frame = self._linked.with_columns("sessions", by)
        return self._with_rules(
            scores.session_summary(
                frame,
                by,
                unit=unit,
                adjusted=self.decisions.score == "adjusted",
                unmarked="zero" if self.decisions.number("unmarked") in (0, None) else "exclude",
            )
        )

    @checked
    def status_counts(self, by: str | Sequence[str] | None = None) -> pd.Series:
        """Number of sessions of every status.

        Parameters
        ----------
        by : str or list of str, optional
            Columns of the sessions table to count by.

        Returns
        -------
        Series
            As `lrnanalysis.scores.status_counts`.

        Examples
        --------
        >>> int(analysis.status_counts().sum()) == len(analysis.sessions)
        True
        """
        frame = self._tables[0] if by is None else self._linked.with_columns("sessions", by)
        return self._with_rules(scores.status_counts(frame, by))

    # Models

    fit = _measure(
        irt.fit,
        lambda self: self._categories,
        '>>> analysis.replace(value="points").fit("GRM").converged',
        "True",
    )

    @checked
    def dif(
        self, group: str | pd.Series, method: DifMethod = "mantel_haenszel", **options: Any
    ) -> pd.DataFrame:
        """Differential item functioning between groups of persons.

        Parameters
        ----------
        group : str or Series
            Column of the sessions table, such as ``"metadata.group"``, or one value per person.
        method : {"mantel_haenszel", "standardisation", "logistic", "likelihood_ratio"}
            Function of `lrnanalysis.dif`.
        **options
            The function's own arguments, such as ``reference``, ``focal`` or ``purify``.

        Returns
        -------
        DataFrame
            One row per item, as the function gives it.

        Raises
        ------
        MeasureError
            The column does not exist, a person has several values of it, an argument is out of
            range, or the method needs score categories and an item has different ones in
            different sessions.

        Examples
        --------
        >>> table = analysis.dif(analysis.scores.index.to_series().str[0] < "8")
        >>> len(table) == analysis.n_items
        True
        """
        choice("method", method, _DIF)
        values = self.group(group) if isinstance(group, str) else group
        by_category = method in ("logistic", "likelihood_ratio")
        matrix = self._categories if by_category else self._scores
        return self._with_rules(_DIF[method](matrix, values, **options))

    def to_irw(self) -> pd.DataFrame:
        """The long format of the Item Response Warehouse (Domingue et al., 2025).

        Returns
        -------
        DataFrame
            One row per cell that was administered: ``id`` (user_id; missing where it is empty),
            ``item``, ``resp`` (the cell of `scores`) and ``rt`` (time on screen [s]).

        Raises
        ------
        MeasureError
            The level is "question": times belong to items.

        Examples
        --------
        >>> list(analysis.to_irw().columns)
        ['id', 'item', 'resp', 'rt']
        """
        if self.decisions.level == "question":
            raise MeasureError('to_irw needs level="item": times belong to items, not to questions')
        shown = (self._cells != "not administered").to_numpy()
        person, column = np.nonzero(shown)
        return pd.DataFrame(
            {
                "id": named_users(self.group("user_id")).to_numpy()[person],
                "item": self._scores.columns.astype("str")[column],
                "resp": self._scores.to_numpy()[shown],
                "rt": self._times.reindex(columns=self._scores.columns).to_numpy()[shown],
            }
        )

    @property
    def plot(self) -> AnalysisPlots:
        """Pictures of the analysis, each with its rules below."""
        return AnalysisPlots(self)


def _stacked(rows: Mapping[Any, pd.DataFrame], by: str | Sequence[str]) -> pd.DataFrame:
    """One-row tables under each other, indexed by their groups."""
    names = [by] if isinstance(by, str) else list(by)
    table: pd.DataFrame = pd.concat(list(rows.values()), keys=list(rows))
    return table.droplevel(-1).rename_axis(names)
