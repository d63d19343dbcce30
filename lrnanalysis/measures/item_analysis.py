"""Item analysis: the report of a test in one call.

It puts together what `classical`, `scores`, `time`, `effort` and `choices` compute, all of it on
the same sessions, and computes nothing of its own.
"""

from __future__ import annotations

import html
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import answer_decoding as decoding
from lrnanalysis.measures import effort, scores, timing
from lrnanalysis.measures._checks import with_attrs
from lrnanalysis.measures.completion import ReachRule
from lrnanalysis.measures.effort import Chance, Method
from lrnanalysis.measures.matrices import Attempts

if TYPE_CHECKING:
    from lrnanalysis.measures.classical import Rule

__all__ = ["ItemAnalysis", "item_analysis"]

#: Columns of the short table, with the names that they have there.
_SHORT = {
    "n": "n",
    "max_score": "max",
    "p": "p",
    "item_rest_r": "item_rest_r",
    "alpha_if_deleted": "alpha_if_deleted",
    "n_omitted": "omitted",
    "n_not_reached": "not_reached",
    "time_median": "time_median",
    "rapid_share": "rapid_share",
    "flags": "flags",
}

#: How many decimals numbers have in what Jupyter shows.
_DECIMALS = 2


@dataclass(frozen=True, eq=False, repr=False)
class ItemAnalysis:
    """What `item_analysis` found.

    Attributes
    ----------
    items : DataFrame
        One row an item: ``question_types``; all columns of `lrnanalysis.classical.item_statistics`
        with counts of the kinds of missing; ``time_n`` answers with a time above 0,
        ``time_mean``, ``time_median`` and ``time_geometric_mean`` [s]; ``rapid_threshold`` [s] and
        ``rapid_share``, the share of the ``timed_answers`` below it (1 − response time fidelity);
        ``flags``, the names of the rules that point at the item or one of its options.
    scores : Series of float64
        ``sessions``, ``learners`` (missing without the sessions table), ``items``; ``max_score``
        of the test [points]; ``complete``, sessions with a score on every item; ``mean`` of the
        total, the sum of the items' means [points], with ``sd``, ``sem`` [points] and ``alpha``
        as in `reliability`, so that incomplete sessions count with what they have; ``mean_p`` and
        ``mean_item_rest_r`` over the items; ``session_minutes``, median active time of a session;
        ``rapid_share`` of all timed answers.
    reliability : Series of float64
        What `lrnanalysis.classical.reliability` gives; all missing, with the reason in ``attrs``,
        where the data allow none.
    distractors : DataFrame
        What `lrnanalysis.classical.distractors` gives, for the questions whose choices can be
        decoded; empty without the responses table.
    flags : DataFrame
        One row a flag, see `lrnanalysis.classical.flags`.
    rules : DataFrame
        One row a rule, by name: ``rule``, ``meaning``, ``flags`` raised, and ``skipped``: whether
        the data to apply it were not there.
    """

    items: pd.DataFrame
    scores: pd.Series
    reliability: pd.Series
    distractors: pd.DataFrame
    flags: pd.DataFrame
    rules: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The columns of `items` that a report shows.

        Examples
        --------
        >>> list(study.item_analysis().table.columns[:4])
        ['n', 'max', 'p', 'item_rest_r']
        """
        there = [name for name in _SHORT if name in self.items]
        return self.items[there].rename(columns=_SHORT)

    def __repr__(self) -> str:
        shown = self.table.round(_DECIMALS).to_string(na_rep="–")
        raised = self.rules[self.rules["flags"] > 0]
        lines = [f"ItemAnalysis: {_told(self.scores)}", "", shown, ""]
        lines += [f"{name} ({row['rule']}): {row['flags']}" for name, row in raised.iterrows()]
        if "reason" in self.reliability.attrs:
            lines.append(f"no reliability: {self.reliability.attrs['reason']}")
        skipped = self.rules.index[self.rules["skipped"]]
        if len(skipped):
            lines.append(f"rules without data: {', '.join(skipped)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.table.round(_DECIMALS)
        shown = table.to_html(na_rep="–", max_rows=200)
        raised = self.rules[self.rules["flags"] > 0]
        rows = "".join(
            f"<li>{html.escape(str(name))}: {row['flags']} × {html.escape(row['rule'])}, "
            f"{html.escape(row['meaning'])}</li>"
            for name, row in raised.iterrows()
        )
        parts = [f"<p><b>Item analysis</b>: {html.escape(_told(self.scores))}</p>", shown]
        if "reason" in self.reliability.attrs:
            reason = html.escape(str(self.reliability.attrs["reason"]))
            parts.append(f"<p>No reliability: {reason}</p>")
        parts.append(f"<p>Flags:</p><ul>{rows}</ul>" if rows else "<p>No flags.</p>")
        return "".join(parts)


def item_analysis(
    items: pd.DataFrame,
    responses: pd.DataFrame | None = None,
    *,
    sessions: pd.DataFrame | None = None,
    key: Mapping[Hashable, Hashable | Iterable[Hashable]] | pd.Series | None = None,
    attempts: Attempts | None = None,
    keep_discarded: bool = False,
    omitted: float | None = 0.0,
    not_reached: float | None = float("nan"),
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
) -> ItemAnalysis:
    """Report on a test: items, reliability, distractors, times, effort and flags.

    Parameters
    ----------
    items : DataFrame
        The items table.
    responses : DataFrame, optional
        The responses table: it tells omitted answers from wrong ones, and has the choices for
        the table of distractors.
    sessions : DataFrame, optional
        The sessions table, or a selection: other sessions and discarded ones are left out.
    key : mapping or Series of item → option or options, optional
        The correct options, see `lrnanalysis.classical.distractors`. Without it no rule that
        compares distractors with the key applies.
    attempts : {"first", "last", "best", "all"}, optional
        Which of a learner's sessions at an activity count; by default all. "first" counts every
        learner once, as intervals assume.
    keep_discarded : bool, default False
        Whether to keep sessions with the status Discarded.
    omitted, not_reached, not_reached_rule
        As for `score_matrix`: by default an omitted item is 0 and one that was not reached is
        missing.
    missing : {"pairwise", "listwise"}, default "pairwise"
        How incomplete sessions enter discrimination and reliability, see
        `lrnanalysis.classical.item_statistics`.
    rapid, cap, chance
        Threshold of rapid guesses, see `lrnanalysis.effort.thresholds`.
    rules, limits
        Rules of the flags, or other limits for some of them, see `lrnanalysis.classical.flags`.
    groups : int, default 3
        Score groups in the table of distractors.
    tail : float, default 0.27
        Share of the sessions in the upper and lower group of ``upper_lower``.
    confidence : float, default 0.95
        Level of the intervals.

    Returns
    -------
    ItemAnalysis
        Its ``table`` is short enough to print, ``items`` has everything.

    Raises
    ------
    MeasureError
        There is no session with an item, a column is missing, or an argument is out of range.

    Examples
    --------
    >>> from lrnanalysis.measures.item_analysis import item_analysis
    >>> report = item_analysis(
    ...     study.items, study.responses, sessions=study.sessions, limits={"too hard": 0.3}
    ... )
    >>> report.table.loc[["item-01", "item-10"], ["n", "p", "item_rest_r", "flags"]].round(2)
                      n     p  item_rest_r     flags
    item_reference
    item-01         311  0.57         0.28
    item-10         306  0.23         0.42  too hard
    >>> float(report.reliability["alpha"].round(2))
    0.78
    """
    from lrnanalysis.measures import classical

    matrix = scores.score_matrix(
        items,
        responses,
        sessions=sessions,
        attempts=attempts,
        keep_discarded=keep_discarded,
        omitted=omitted,
        not_reached=not_reached,
        not_reached_rule=not_reached_rule,
    )
    codes = scores.cell_codes(
        items,
        responses,
        sessions=sessions,
        attempts=attempts,
        keep_discarded=keep_discarded,
        not_reached_rule=not_reached_rule,
    )
    # A category that no row has is an item of other sessions, not of these.
    shown = (codes != "not administered").any(axis=0)
    matrix, codes = matrix.loc[:, shown], codes.loc[:, shown]
    if matrix.empty:
        raise MeasureError("there is no session with an item to analyse: select some that have")
    rows = items[items["session_id"].isin(matrix.index)]
    if responses is not None:
        responses = responses[responses["session_id"].isin(matrix.index)]
    highest = _highest(rows, matrix)
    statistics = classical.item_statistics(
        matrix,
        highest,
        codes=codes,
        missing="listwise" if missing == "listwise" else None,
        tail=tail,
        confidence=confidence,
    )
    reliability = _reliability(matrix, missing, confidence)
    options = _distractors(responses, matrix, highest, key, groups)
    alpha = float(reliability["alpha"])
    wanted = list(classical.RULES.values() if rules is None else rules)
    flagged = classical.flags(
        statistics,
        None if options.empty else options,
        alpha=None if np.isnan(alpha) else alpha,
        rules=wanted,
        limits=limits,
    )
    told = _told_rules(wanted, flagged, keyed=key is not None)
    extra = _times(rows, responses, statistics.index, rapid, cap, chance)
    table = pd.concat([_types(responses, statistics.index), statistics, extra], axis=1)
    table["flags"] = _flags_by_item(flagged, statistics.index)
    notes = {
        "measure": "item_analysis",
        "matrix": matrix.attrs,
        "statistics": statistics.attrs,
        "rapid": str(rapid) if isinstance(rapid, str | float | int) else "given",
        "cap": cap,
    }
    return ItemAnalysis(
        with_attrs(table, notes),
        _summary(matrix, highest, statistics, reliability, rows, sessions, extra),
        reliability,
        options,
        flagged,
        told,
    )


def _highest(rows: pd.DataFrame, matrix: pd.DataFrame) -> pd.Series:
    """Highest possible score of every item [points]: the record's, else the highest that occurs."""
    seen = matrix.max()
    seen = seen.where(seen > 0, 1.0)
    if "max_score" not in rows.columns:
        return seen
    known = rows.groupby("item_reference", observed=True)["max_score"].max().reindex(seen.index)
    known = known.astype("float64")
    return known.where(known > 0, seen)


def _reliability(
    matrix: pd.DataFrame, missing: Literal["pairwise", "listwise"], confidence: float
) -> pd.Series:
    """The reliability, or why there is none: forms that never meet, say."""
    from lrnanalysis.measures import classical

    try:
        return classical.reliability(matrix, missing=missing, confidence=confidence)
    except MeasureError as error:
        names = ["n", "items", "alpha", "alpha_low", "alpha_high", "sd", "sem"]
        none = pd.Series(np.nan, index=names, dtype="float64")
        return with_attrs(none, {"measure": "reliability", "reason": str(error)})


def _distractors(
    responses: pd.DataFrame | None,
    matrix: pd.DataFrame,
    highest: pd.Series,
    key: Mapping[Hashable, Hashable | Iterable[Hashable]] | pd.Series | None,
    groups: int,
) -> pd.DataFrame:
    """The options of the questions whose choices can be decoded."""
    from lrnanalysis.measures import classical

    if responses is None or not {"question_type", "value"} <= set(responses.columns):
        return pd.DataFrame()
    taken = decoding.choices(responses).dropna(subset=["item_reference"])
    if taken.empty:
        return pd.DataFrame()
    return classical.distractors(taken, matrix, key=key, max_score=highest, groups=groups)


def _told_rules(wanted: list[Rule], flagged: pd.DataFrame, *, keyed: bool) -> pd.DataFrame:
    """One row a rule: what it says, how often it hit, whether it could not be applied."""
    applied = flagged.attrs["rules"]
    counts = flagged["flag"].value_counts()
    keyless = [rule.table == "options" and rule.options != "all" and not keyed for rule in wanted]
    return pd.DataFrame(
        {
            "rule": [applied.get(rule.name, str(rule)) for rule in wanted],
            "meaning": [rule.meaning for rule in wanted],
            "flags": [int(counts.get(rule.name, 0)) for rule in wanted],
            "skipped": [
                rule.name not in applied or without
                for rule, without in zip(wanted, keyless, strict=True)
            ],
        },
        index=pd.Index([rule.name for rule in wanted], name="name"),
    )


def _flags_by_item(flagged: pd.DataFrame, index: pd.Index) -> pd.Series:
    """The names of the flags of every item, its options' among them."""
    owner = [unit[0] if isinstance(unit, tuple) else unit for unit in flagged["item"]]
    names = flagged["flag"].groupby(owner).agg(lambda flags: ", ".join(flags.unique()))
    return names.reindex(index).fillna("").astype("str")


def _types(responses: pd.DataFrame | None, index: pd.Index) -> pd.DataFrame:
    """The question types of every item."""
    if responses is None or "question_type" not in responses.columns:
        return pd.DataFrame(index=index)
    types = responses.dropna(subset=["question_type"])[["item_reference", "question_type"]]
    types = types.astype("str").drop_duplicates()
    joined = types.groupby("item_reference")["question_type"].agg(", ".join)
    return pd.DataFrame({"question_types": joined.reindex(index).astype("str")}, index=index)


def _times(
    rows: pd.DataFrame,
    responses: pd.DataFrame | None,
    index: pd.Index,
    rapid: Method,
    cap: float | None,
    chance: Chance | None,
) -> pd.DataFrame:
    """Times and shares of rapid guesses, where the table has times."""
    if "time" not in rows.columns or not rows["time"].notna().any():
        return pd.DataFrame(index=index)
    spent = timing.time_summary(rows, quantiles=())
    found = effort.thresholds(rows, rapid, responses=responses, cap=cap, chance=chance)
    kept = effort.response_time_fidelity(rows, rapid, responses=responses, cap=cap, chance=chance)
    table = pd.DataFrame(
        {
            "time_n": spent["n"],
            "time_mean": spent["mean"],
            "time_median": spent["median"],
            "time_geometric_mean": spent["geometric_mean"],
            "rapid_threshold": found["threshold"],
            "rapid_share": 1 - kept,
            "timed_answers": found["n"],
        }
    )
    return table.reindex(index)


def _summary(
    matrix: pd.DataFrame,
    highest: pd.Series,
    statistics: pd.DataFrame,
    reliability: pd.Series,
    rows: pd.DataFrame,
    sessions: pd.DataFrame | None,
    extra: pd.DataFrame,
) -> pd.Series:
    """The test in one row."""
    learners = np.nan
    if sessions is not None and "user_id" in sessions.columns:
        here = sessions[sessions["session_id"].isin(matrix.index)]
        learners = float(here["user_id"].nunique())
    spent, share = np.nan, np.nan
    if "rapid_share" in extra:
        spent = float(timing.active_time(rows, unit="min").median())
        timed = extra["timed_answers"].where(extra["rapid_share"].notna())
        share = float((extra["rapid_share"] * timed).sum() / timed.sum()) if timed.sum() else np.nan
    values = {
        "sessions": float(len(matrix)),
        "learners": learners,
        "items": float(matrix.shape[1]),
        "max_score": float(highest.sum()),
        "complete": float(matrix.notna().all(axis=1).sum()),
        "mean": float(statistics["mean"].sum(skipna=False)),
        "sd": float(reliability["sd"]),
        "sem": float(reliability["sem"]),
        "alpha": float(reliability["alpha"]),
        "alpha_low": float(reliability["alpha_low"]),
        "alpha_high": float(reliability["alpha_high"]),
        "mean_p": float(statistics["p"].mean()),
        "mean_item_rest_r": float(statistics["item_rest_r"].mean()),
        "session_minutes": spent,
        "rapid_share": share,
    }
    return with_attrs(
        pd.Series(values, dtype="float64"),
        {"mean": "sum of the items' means; sd, sem and alpha as in reliability"},
    )


def _told(summary: pd.Series) -> str:
    """The test in one line."""
    learners = "" if np.isnan(summary["learners"]) else f" of {summary['learners']:,.0f} learners"
    parts = [
        f"{summary['items']:.0f} items, {summary['sessions']:,.0f} sessions{learners}",
        f"mean {summary['mean']:.1f} of {summary['max_score']:g} points, SD {summary['sd']:.1f}",
        f"alpha {summary['alpha']:.2f} ({summary['alpha_low']:.2f} to {summary['alpha_high']:.2f}),"
        f" SEM {summary['sem']:.1f}",
    ]
    return "; ".join(part.replace("nan", "–") for part in parts)
