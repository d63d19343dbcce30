"""`Analysis.plot`: every picture of the package, drawn from one analysis."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar

import pandas as pd

from lrnanalysis import plots
from lrnanalysis.analysis.base import AnalysisData
from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.forwarding import documented
from lrnanalysis.measures import classical
from lrnanalysis.measures._checks import TimeUnit, choice
from lrnanalysis.plots import add_footnote

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AnalysisPlots"]

P = ParamSpec("P")
A = TypeVar("A")
B = TypeVar("B")


def _picture(
    function: Callable[Concatenate[A, P], Axes],
    data: Callable[[AnalysisData], A],
    *example: str,
    **filled: Callable[[AnalysisData], object],
) -> Callable[Concatenate[AnalysisPlots, P], Axes]:
    """Make a method of a picture: the analysis gives its data, and `filled` by keyword."""
    return _method(function, 1, lambda analysis: (data(analysis),), example, filled)


def _picture_of_two(
    function: Callable[Concatenate[A, B, P], Axes],
    data: Callable[[AnalysisData], tuple[A, B]],
    *example: str,
    **filled: Callable[[AnalysisData], object],
) -> Callable[Concatenate[AnalysisPlots, P], Axes]:
    """Make a method of a picture that needs two matrices or tables."""
    return _method(function, 2, data, example, filled)


def _method(
    function: Callable[..., Axes],
    size: int,
    data: Callable[[AnalysisData], tuple[Any, ...]],
    example: tuple[str, ...],
    filled: dict[str, Callable[[AnalysisData], object]],
) -> Callable[..., Axes]:
    def method(self: AnalysisPlots, /, *args: Any, **kwargs: Any) -> Axes:
        analysis = self._analysis
        if isinstance(kwargs.get("group"), str):
            kwargs["group"] = analysis.group(kwargs["group"])
        given = {name: value(analysis) for name, value in filled.items()}
        return self._drawn(function(*data(analysis), *args, **kwargs, **given))

    names = list(inspect.signature(function).parameters)
    return documented(method, function, given=[*names[:size], *filled], example=example)


def _result_picture(
    function: Callable[P, Axes], *example: str
) -> Callable[Concatenate[AnalysisPlots, P], Axes]:
    """Make a method of a picture of a result: it only adds the rules of the analysis."""

    def method(self: AnalysisPlots, /, *args: P.args, **kwargs: P.kwargs) -> Axes:
        return self._drawn(function(*args, **kwargs))

    return documented(method, function, given=[], example=example)


class AnalysisPlots:
    """The pictures of an analysis; each takes `ax`, gives it back, and states the rules.

    Parameters
    ----------
    analysis : AnalysisData
        Where the data come from.
    """

    def __init__(self, analysis: AnalysisData) -> None:
        self._analysis = analysis

    def _drawn(self, ax: Axes) -> Axes:
        add_footnote(ax, self._analysis.caption)
        return ax

    # Time on task

    times = _picture(
        plots.times,
        lambda analysis: analysis._answered_times,
        '>>> analysis.plot.times("item-05").get_xlabel()',
        "'time on screen [s]'",
        scores=lambda analysis: analysis._shares,
    )
    accuracy_by_time = _picture_of_two(
        plots.accuracy_by_time,
        lambda analysis: (analysis._answered_times, analysis._shares),
        '>>> analysis.plot.accuracy_by_time("item-05").get_ylabel()',
        "'proportion correct'",
    )
    time_against_difficulty = _picture_of_two(
        plots.time_against_difficulty,
        lambda analysis: (analysis._answered_times, analysis._shares),
        ">>> analysis.plot.time_against_difficulty().get_ylabel()",
        "'geometric mean time [s]'",
    )

    @checked
    def pacing(
        self,
        *,
        of: Literal["time", "limit"] = "time",
        band: tuple[float, float] = (0.1, 0.9),
        unit: TimeUnit = "min",
        group: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw cumulative time by items done, see `lrnanalysis.plots.pacing`.

        Parameters
        ----------
        of : {"time", "limit"}, default "time"
            Cumulative time, or its share of the session's ``max_time``.
        band, unit, ax
            As for `lrnanalysis.plots.pacing`.
        group : str, optional
            Column of the sessions table: one curve per group.

        Returns
        -------
        Axes

        Examples
        --------
        >>> analysis.plot.pacing().get_xlabel()
        'items done, in the order shown'
        """
        choice("of", of, ("time", "limit"))
        drawn = plots.pacing(
            self._analysis._tables[2],
            limit=self._analysis._limits if of == "limit" else None,
            band=band,
            unit=unit,
            group=None if group is None else self._analysis._session_group(group),
            ax=ax,
        )
        return self._drawn(drawn)

    reach = _picture(
        plots.reach,
        lambda analysis: analysis._tables[2],
        ">>> analysis.plot.reach().get_xlabel()",
        "'position in the test'",
        responses=lambda analysis: analysis._tables[1],
        rule=lambda analysis: analysis.decisions.not_reached_rule,
    )
    effort = _picture(
        plots.effort,
        lambda analysis: analysis._answered_times,
        ">>> analysis.plot.effort().get_xlabel()",
        "'response time effort (RTE)'",
        scores=lambda analysis: analysis._shares,
    )

    # Sessions

    @checked
    def score_against_time(
        self, *, unit: TimeUnit = "min", group: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw the score of each session against its active time.

        Parameters
        ----------
        unit, ax
            As for `lrnanalysis.plots.score_against_time`.
        group : str, optional
            Column of the sessions table: one colour per group.

        Returns
        -------
        Axes

        Examples
        --------
        >>> analysis.plot.score_against_time().get_ylabel()
        'score [% of points]'
        """
        return self._drawn(
            plots.score_against_time(
                self._analysis._tables[0],
                unit=unit,
                group=None if group is None else self._analysis._session_group(group),
                ax=ax,
            )
        )

    timeline = _picture(
        plots.timeline,
        lambda analysis: analysis._tables[0],
        ">>> analysis.plot.timeline(most=10).get_ylabel()",
        "'sessions, by idle time'",
    )

    @checked
    def attempts(self, *, ax: Axes | None = None) -> Axes:
        """Draw scores by attempt, see `lrnanalysis.plots.attempts`.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.

        Returns
        -------
        Axes

        Raises
        ------
        MeasureError
            The analysis keeps one attempt per learner.

        Examples
        --------
        >>> analysis.replace(attempts="all").plot.attempts().get_xlabel()
        'attempt'
        """
        kept = self._analysis.decisions.attempts
        if kept != "all":
            raise MeasureError(
                f"attempts is {shown(kept)}, so that each learner has one attempt: use "
                'analysis.replace(attempts="all").plot.attempts()'
            )
        return self._drawn(plots.attempts(self._analysis._tables[0], ax=ax))

    # Items

    guttman = _picture_of_two(
        plots.guttman,
        lambda analysis: (analysis._scores, analysis._cells),
        ">>> analysis.plot.guttman().get_xlabel()",
        "'items, easy to hard'",
    )
    distractors = _picture_of_two(
        plots.distractors,
        lambda analysis: (analysis._choices, analysis._scores),
        '>>> analysis.plot.distractors("item-05").get_ylabel()',
        "'proportion choosing the option'",
        max_score=lambda analysis: analysis._matrices.max_scores,
    )

    @checked
    def difficulty_discrimination(
        self,
        flags: pd.DataFrame | None = None,
        *,
        difficulty: str = "p",
        discrimination: str = "item_rest_r",
        labels: bool = True,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw each item's discrimination against its difficulty.

        Parameters
        ----------
        flags : DataFrame, optional
            Flags to mark, as `Analysis.flags` gives them.
        difficulty, discrimination, labels, ax
            As for `lrnanalysis.plots.difficulty_discrimination`.

        Returns
        -------
        Axes

        Examples
        --------
        >>> analysis.plot.difficulty_discrimination().get_ylabel()
        'item–rest correlation'
        """
        analysis = self._analysis
        statistics = classical.item_statistics(
            analysis._scores, analysis._matrices.max_scores, cells=analysis._cells
        )
        return self._drawn(
            plots.difficulty_discrimination(
                statistics,
                flags,
                difficulty=difficulty,
                discrimination=discrimination,
                labels=labels,
                ax=ax,
            )
        )

    # Models and their results

    characteristic_curves = _result_picture(
        plots.characteristic_curves,
        '>>> model = analysis.fit("GRM")',
        '>>> analysis.plot.characteristic_curves(model, "item-05").get_xlabel()[:7]',
        "'ability'",
    )
    information = _result_picture(
        plots.information,
        '>>> analysis.plot.information(analysis.fit("GRM")).get_xlabel()[:7]',
        "'ability'",
    )
    wright_map = _result_picture(
        plots.wright_map,
        '>>> analysis.plot.wright_map(analysis.fit("GRM")).get_ylabel() != ""',
        "True",
    )
    person_fit = _result_picture(
        plots.person_fit,
        '>>> analysis.plot.person_fit(analysis.fit("GRM")).get_xlabel()[:7]',
        "'ability'",
    )
    local_dependence = _result_picture(
        plots.local_dependence,
        '>>> analysis.plot.local_dependence(analysis.fit("GRM")).get_xlabel()',
        "'item'",
    )
    residuals = _result_picture(
        plots.residuals,
        '>>> "residual" in analysis.plot.residuals(analysis.speed_model()).get_xlabel()',
        "True",
    )
    recovery = _result_picture(
        plots.recovery,
        ">>> speed = analysis.speed_model()",
        '>>> truth = study.truth["items"].set_index("item_reference")["beta"]',
        '>>> analysis.plot.recovery(speed.items["beta"], truth).get_ylabel()',
        "'parameter, estimate'",
    )
    linking = _result_picture(
        plots.linking,
        '>>> model = analysis.fit("GRM")',
        '>>> analysis.plot.linking(lrn.linking.link(model, model)).get_ylabel() != ""',
        "True",
    )
    equating = _result_picture(
        plots.equating,
        ">>> totals = analysis.scores.sum(axis=1).round()",
        '>>> analysis.plot.equating(lrn.equating.equate(totals, totals)).get_xlabel() != ""',
        "True",
    )
    dif = _result_picture(
        plots.dif,
        ">>> early = analysis.scores.index.to_series().str[0] < '8'",
        '>>> analysis.plot.dif(analysis.dif(early)).get_xlabel() != ""',
        "True",
    )

    @checked
    def dif_curves(
        self, group: str | pd.Series, item: Hashable, *, ax: Axes | None = None, **options: Any
    ) -> Axes:
        """Draw an item's scores by matched total, one curve per group.

        Parameters
        ----------
        group : str or Series
            Column of the sessions table, such as ``"metadata.group"``, or one value per person.
        item : label
            The item.
        ax : Axes, optional
            Where to draw.
        **options
            As for `lrnanalysis.plots.dif_curves`.

        Returns
        -------
        Axes

        Examples
        --------
        >>> early = analysis.scores.index.to_series().str[0] < "8"
        >>> analysis.plot.dif_curves(early, "item-05").get_ylabel() != ""
        True
        """
        values = self._analysis.group(group) if isinstance(group, str) else group
        return self._drawn(plots.dif_curves(self._analysis._scores, values, item, ax=ax, **options))
